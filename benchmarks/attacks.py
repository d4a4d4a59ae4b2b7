"""Membership attacks, ours beside a re-creation of mimir's control flow: document by document, attack by attack.

Run: ``python benchmarks/attacks.py [TEXTS REPEATS]``. A random GPT-NeoX of 26.8 million parameters, vocabulary 16,384,
and a smaller one as reference. The peer's flow is re-created by us from its published structure (one document at a
time, whole logits kept, one number taken out at a time, a pass of its own for DC-PDD, reference and both sides of
ReCaLL); it is not its code. CPU seconds, one thread, in turns in one process.
"""

import contextlib
import math
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers

from probatum.core.catalogue import load
from probatum.core.data import Members, Texts
from probatum.core.draws import keyed
from probatum.engine.session import Session
from probatum.runner import Runner
from probatum.targets.transformers import TransformersTarget

ONE_PASS = (
    "loss", "zlib_entropy", "min_k_prob", "max_k_prob", "min_k_plus_plus", "surp", "window_min_loss", "dc_pdd",
    "quantile_regression", "dataset_inference", "attack_ensemble",
)  # fmt: skip
WITH_REFERENCE = ("reference_ratio", "ez_mia", "wbc")
K, A = 0.2, 0.1


def build(path, layers=8, width=384, seed=0):
    words = {"<unk>": 0, "<s>": 1, "</s>": 2, **{f"w{i}": i for i in range(3, 16384)}}
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    transformers.PreTrainedTokenizerFast(tokenizer_object=model, bos_token="<s>", eos_token="</s>").save_pretrained(
        path
    )
    sizes = {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": 6,
    }
    config = transformers.GPTNeoXConfig(vocab_size=16384, max_position_embeddings=512, **sizes)
    torch.manual_seed(seed)
    network = transformers.AutoModelForCausalLM.from_config(config)
    network.save_pretrained(path)
    return sum(p.numel() for p in network.parameters())


def documents(n, seed=0):
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.normal(190, 60, n), 40, 380).astype(int)
    return [" ".join(f"w{i}" for i in rng.integers(3, 16384, length)) for length in lengths]


class OneByOne:
    """A model asked for one document at a time; every number is taken out of its row by itself."""

    def __init__(self, path):
        self.model = transformers.AutoModelForCausalLM.from_pretrained(path).eval()
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(path)

    def pass_(self, text, before=""):
        ids = torch.tensor([[1, *self.tokenizer(before + text)["input_ids"]]])
        with torch.no_grad():
            logits = self.model(ids).logits[0, :-1]
        first = len(self.tokenizer(before)["input_ids"]) if before else 0
        return logits[first:], ids[0, 1 + first :]

    def logprobs(self, text, before=""):
        logits, ids = self.pass_(text, before)
        table = logits.log_softmax(-1)
        return [table[i, token].item() for i, token in enumerate(ids)], table, ids


def peer(path, reference, texts, prefix, corpus):
    model, other = OneByOne(path), OneByOne(reference)
    counts = Counter(token for text in corpus for token in model.tokenizer(text)["input_ids"])
    known = {token for text in [*texts, *corpus] for token in model.tokenizer(text)["input_ids"]}
    total = sum(counts.values()) + len(known)

    def work():
        scores = {}
        for text in texts:
            own, table, ids = model.logprobs(text)
            mean = (table.exp() * table).sum(-1)
            spread = ((table.exp() * table.square()).sum(-1) - mean.square()).sqrt()
            z = [(o - m.item()) / s.item() for o, m, s in zip(own, mean, spread, strict=True)]
            low = math.ceil(K * len(own) - 1e-9)
            row = {
                "loss": np.mean(own),
                "zlib_entropy": np.sum(own) / len(zlib.compress(text.encode())),
                "min_k_prob": np.mean(sorted(own)[:low]),
                "min_k_plus_plus": np.mean(sorted(z)[:low]),
            }
            again, _, ids = model.logprobs(text)  # DC-PDD asks the model again
            seen, terms = set(), []
            for o, token in zip(again, ids.tolist(), strict=True):
                if token not in seen:
                    seen.add(token)
                    terms.append((math.exp(o), counts[token] + 1))
            row["dc_pdd"] = np.mean([min(p * math.log(total / n), A) for p, n in terms])
            row["dc_pdd, raw counts"] = np.mean([min(p * -math.log(n), A) for p, n in terms])
            row["reference_ratio"] = np.mean(own) - np.mean(other.logprobs(text)[0])
            alone = np.mean(model.logprobs(text)[0])
            row["recall"] = np.mean(model.logprobs(text, prefix)[0]) / alone
            for name, value in row.items():
                scores.setdefault(name, []).append(value)
        return scores

    return work


def ours(path, reference, members, known, corpus, names):
    """Fresh targets for every repeat, loaded beforehand as the peer's are."""

    def ready():
        session = Session()
        target, other = (TransformersTarget(p, session=session) for p in (path, reference))
        runner = Runner(target, {"Members": members, "Texts": corpus}, {"reference": other}, session)
        _ = target._network, other._network
        return lambda: {name: run(runner, name, known) for name in names}

    return ready


def run(runner, name, known):
    """A probe as the runner calls it, but with all texts asked where one half would teach."""
    method = load(name)
    given = {"corpus": runner.data["Texts"]} if "corpus" in method.signature.data else {}
    wanted = [role for role in method.signature.roles if role not in method.signature.optional]
    given |= {role: runner.roles[role] for role in wanted}
    if "known" in method.signature.data:
        given["known"] = known
    if method.signature.rng:
        given["rng"] = keyed("attacks")
    return method.function(runner.subject, runner.data["Members"].blind(), **given).values


def measure(work):
    cpu, wall = time.process_time(), time.perf_counter()
    found = work()
    return (time.process_time() - cpu, time.perf_counter() - wall), found


def best(ways, repeats):
    """Least CPU and wall seconds of each way, in turns, and what it found."""
    times, found = {}, {}
    for _ in range(repeats):
        for way, ready in ways.items():
            spent, found[way] = measure(ready())
            times.setdefault(way, []).append(spent)
    return {way: np.min(t, axis=0) for way, t in times.items()}, found


def bare(path, texts):
    """Sorted, padded, batched: forward and head, and the logits thrown away."""
    target = TransformersTarget(path, session=Session())
    model, rows = target._network.model, [e.sequence for e in target._encoder(texts)]

    def work():
        left = sorted(rows, key=len, reverse=True)
        while left:
            width = len(left[0])
            batch, left = left[: max(1, 4096 // width)], left[max(1, 4096 // width) :]
            ids = np.zeros((len(batch), width), np.int64)
            for i, row in enumerate(batch):
                ids[i, : len(row)] = row
            with torch.no_grad():
                model(input_ids=torch.from_numpy(ids), use_cache=False).logits.sum()

    return work


def main():
    count, repeats = (int(n) for n in (sys.argv[1:] or ["48", "2"]))
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        path, reference = Path(folder) / "model", Path(folder) / "reference"
        size, small = build(path), build(reference, layers=4, width=240, seed=1)
        texts, pool, plain = documents(count), documents(12, 1), documents(12, 2)
        members = Members(ids=tuple(f"m{i}" for i in range(count)), text=tuple(texts))
        label = tuple(i % 2 == 0 for i in range(12))
        known = Members(ids=tuple(f"k{i}" for i in range(12)), text=tuple(pool), label=label)
        many = documents(40, 3)
        taught = Members(
            ids=tuple(f"t{i}" for i in range(40)), text=tuple(many), label=tuple(i % 2 == 0 for i in range(40))
        )
        corpus = Texts(ids=tuple(f"c{i}" for i in range(12)), text=tuple(plain))
        tokens = sum(len(t.split()) for t in texts)
        print(f"{count} texts, {tokens} tokens; {size / 1e6:.1f} M parameters, reference {small / 1e6:.1f} M\n")
        prefix = recall_prefix(path, members, known)
        same = ("loss", "zlib_entropy", "min_k_prob", "min_k_plus_plus", "dc_pdd", "reference_ratio", "recall")
        ways = {
            "one document, one attack at a time": lambda: peer(path, reference, texts, prefix, plain),
            "ours, the same seven attacks": ours(path, reference, members, known, corpus, same),
            "bare batched forward": lambda: bare(path, texts),
            "bare forward of the reference": lambda: bare(reference, texts),
            "ours, loss only": ours(path, reference, members, known, corpus, ("loss",)),
            f"ours, {len(ONE_PASS)} attacks of one pass": ours(path, reference, members, taught, corpus, ONE_PASS),
            "bare forward, taught texts too": lambda: bare(path, [*texts, *many]),
        }
        ways["ours, the same seven attacks"]()()  # imports are not what is measured
        ways[f"ours, {len(ONE_PASS)} attacks of one pass"]()()
        times, found = best(ways, repeats)
        print("| way | CPU s | wall s |\n|---|---|---|")
        for way, (cpu, wall) in times.items():
            print(f"| {way} | {cpu:.2f} | {wall:.2f} |")
        cpu = {way: t[0] for way, t in times.items()}
        ratio = cpu["one document, one attack at a time"] / cpu["ours, the same seven attacks"]
        free = cpu[f"ours, {len(ONE_PASS)} attacks of one pass"] / cpu["bare forward, taught texts too"]
        print(f"\nthe peer's flow costs {ratio:.1f} times ours; {len(ONE_PASS)} attacks cost {free:.2f} of a bare pass")
        compare(found["one document, one attack at a time"], found["ours, the same seven attacks"])


def recall_prefix(path, members, known):
    """The very prefix that our ReCaLL puts before the texts, by listening to what it asks."""

    class Listening(TransformersTarget):
        asked = ()

        def token_statistics(self, texts, *, prefixes=None):
            if prefixes is None:
                return super().token_statistics(texts)
            self.asked = prefixes
            raise StopIteration

    target = Listening(path, session=Session())
    with contextlib.suppress(StopIteration):
        load("recall").function(target, members.blind(), known=known, rng=keyed("attacks"))
    return target.asked[0]


def compare(theirs, mine):
    """Largest difference of each attack; DC-PDD with frequencies, and with the raw counts that a peer puts there."""
    print("\n| attack | largest difference of the two |\n|---|---|")
    for name, values in theirs.items():
        print(f"| {name} | {np.abs(np.array(values) - mine[name.split(',')[0]]).max():.1e} |")


if __name__ == "__main__":
    main()
