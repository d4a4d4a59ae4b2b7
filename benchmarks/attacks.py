"""Membership attacks, ours beside a re-creation of mimir's control flow (`mimir_flow`) and beside bare passes.

Run: ``python benchmarks/attacks.py [TEXTS REPEATS SHOTS]``. A random GPT-NeoX of 26.8 million parameters, vocabulary
16,384, and a smaller one as reference; ReCaLL with so many shots, as far as half of the context holds them. The
tokenizer has no start token, as mimir's policy has none either, and texts are so long that its ⌊kT⌋ and our ⌈kT⌉
tokens of Min-K% are the same. CPU seconds, one thread, in turns in one process.
"""

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import mimir_flow
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
SAME = ("loss", "zlib_entropy", "min_k_prob", "min_k_plus_plus", "dc_pdd", "reference_ratio", "recall")
OTHER_PASSES = ("loss", "lowercase", "reference_ratio", "recall")
OPTIONS = {"recall": {"shots": 1}, "dc_pdd": {"a": mimir_flow.A}}  # as mimir has them


def build(path, layers=8, width=384, seed=0):
    words = {"<unk>": 0, "<s>": 1, "</s>": 2, **{word(i): i for i in range(3, 16384)}}
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    transformers.PreTrainedTokenizerFast(tokenizer_object=model).save_pretrained(path)
    sizes = {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": 6,
    }
    config = transformers.GPTNeoXConfig(vocab_size=16384, max_position_embeddings=2048, **sizes)
    torch.manual_seed(seed)
    network = transformers.AutoModelForCausalLM.from_config(config)
    network.save_pretrained(path)
    return sum(p.numel() for p in network.parameters())


def word(i):
    return f"{'Ww'[i % 2]}{i // 2}"


def documents(n, seed=0):
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.normal(190, 60, n), 40, 380).astype(int) // 5 * 5 + 1
    return [" ".join(word(i) for i in rng.integers(3, 16384, length)) for length in lengths]


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
    given |= OPTIONS.get(name, {})
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
    count, repeats, shots = (int(n) for n in (sys.argv[1:] or ["48", "2", "1"]))
    OPTIONS["recall"]["shots"] = shots
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
        ways = {
            "mimir": lambda: mimir_flow.flow(path, reference, texts, prefix, plain),
            "same": ours(path, reference, members, known, corpus, SAME),
            "bare": lambda: bare(path, texts),
            "bare reference": lambda: bare(reference, texts),
            "bare prefix once": lambda: bare(path, [prefix, *texts]),
            "bare prefix each": lambda: bare(path, [prefix + text for text in texts]),
            "loss": ours(path, reference, members, known, corpus, ("loss",)),
            "other passes": ours(path, reference, members, known, corpus, OTHER_PASSES),
            "one pass": ours(path, reference, members, taught, corpus, ONE_PASS),
            "bare taught": lambda: bare(path, [*texts, *many]),
        }
        for way in ("same", "one pass", "other passes"):
            ways[way]()()  # imports are not what is measured
        times, found = best(ways, repeats)
        tell(times)
        compare(found["mimir"], found["same"], mimir_flow.put_right(path, texts, prefix, plain), texts)


def tell(times):
    cpu = {way: t[0] for way, t in times.items()}
    # Lower-case texts have as many tokens: their bare pass is that of the texts.
    once = 2 * cpu["bare"] + cpu["bare reference"] + cpu["bare prefix once"]
    each = 2 * cpu["bare"] + cpu["bare reference"] + cpu["bare prefix each"]
    against = {
        "loss": f"{cpu['loss'] / cpu['bare']:.2f} of a bare pass",
        "one pass": f"{cpu['one pass'] / cpu['bare taught']:.2f} of a bare pass over the same texts",
        "other passes": f"{cpu['other passes'] / once:.2f} of their bare passes with the prefix read once, "
        f"{cpu['other passes'] / each:.2f} with the prefix read before every text",
        "mimir": f"{cpu['mimir'] / cpu['same']:.2f} times ours",
    }
    names = {"same": f"ours, the same {len(SAME)} attacks", "one pass": f"ours, {len(ONE_PASS)} attacks of one pass"}
    names |= {"other passes": f"ours, {', '.join(OTHER_PASSES)}", "loss": "ours, loss", "mimir": "mimir's flow"}
    print("| way | CPU s | wall s | against |\n|---|---|---|---|")
    for way, (spent, wall) in times.items():
        print(f"| {names.get(way, way)} | {spent:.2f} | {wall:.2f} | {against.get(way, '')} |")


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
        load("recall").function(target, members.blind(), known=known, rng=keyed("attacks"), **OPTIONS["recall"])
    return target.asked[0]


def compare(theirs, mine, right, texts):
    """Largest difference of each attack, as it is and, where that is no difference of arithmetic, put right."""
    tokens = np.array([len(text.split()) - 1 for text in texts])  # we divide a sum of log-probabilities, mimir a mean
    print("\n| attack | largest difference | by our conventions |\n|---|---|---|")
    for name, values in theirs.items():
        values = np.array(values) * (tokens if name == "zlib_entropy" else 1)
        again = f"{np.abs(np.array(right[name]) - mine[name]).max():.1e}" if name in right else ""
        print(f"| {name} | {np.abs(values - mine[name]).max():.1e} | {again} |")


if __name__ == "__main__":
    main()
