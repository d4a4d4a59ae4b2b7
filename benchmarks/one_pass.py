"""One pass for six membership probes, beside a bare forward pass, research-code style, and lm-evaluation-harness.

Run: ``python benchmarks/one_pass.py [TEXTS REPEATS]``. A random Llama of 27 million parameters, vocabulary 16,384; all
ways in turns in one process. CPU seconds are the number to read on a shared machine; below 1 we are cheaper.
"""

import importlib.util
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers

from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget


def build(path):
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel({f"w{i}": i for i in range(16384)}, unk_token="w0"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    transformers.PreTrainedTokenizerFast(tokenizer_object=model, bos_token="w1", eos_token="w2").save_pretrained(path)
    sizes = {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 8, "num_attention_heads": 6}
    config = transformers.LlamaConfig(vocab_size=16384, **sizes)
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(path)


def mixed_texts(n):
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(3.9, 0.8, n), 8, 400).astype(int)
    return [" ".join(f"w{i}" for i in rng.integers(3, 16384, length)) for length in lengths]


def six_probes(tokens, texts):
    """LOSS, zlib, Min-K%, Max-K%, Min-K%++ and SURP from one record."""
    own, z = tokens.logprob, (tokens.logprob - tokens.mean) / np.maximum(tokens.std, 1e-6)
    sizes = [len(zlib.compress(text.encode())) for text in texts]
    share = own.lowest(0.2).mean(), own.highest(0.2).mean(), z.lowest(0.2).mean()
    return np.stack([own.mean(), own.sum() / sizes, *share, own.where(tokens.mean > -2).mean()])


def ours(path, texts, store=None):
    target = TransformersTarget(path, session=Session(store))
    _ = target._network  # loading is not what is measured
    return lambda: six_probes(target.token_statistics(texts), texts)


def plain(path):
    model = transformers.AutoModelForCausalLM.from_pretrained(path).eval()
    return model, transformers.AutoTokenizer.from_pretrained(path)


def bare(path, texts):
    """Sorted, padded, batched: forward and head over the same texts, and the logits thrown away."""
    model, tokenizer = plain(path)

    def work():
        ids = sorted(([1, *i] for i in tokenizer(texts)["input_ids"]), key=len, reverse=True)
        while ids:
            width = len(ids[0])
            batch, ids = ids[: 4096 // width], ids[4096 // width :]
            padded = torch.tensor([row + [-1] * (width - len(row)) for row in batch])
            with torch.no_grad():
                model(input_ids=padded.clamp(min=0), attention_mask=(padded >= 0).long(), use_cache=False).logits.sum()

    return work


def research(path, texts):
    """One document at a time, whole logits, one number per token taken out one by one: re-created by us."""
    model, tokenizer = plain(path)

    def work():
        for text in texts:
            ids = torch.tensor([[1, *tokenizer(text)["input_ids"]]])
            with torch.no_grad():
                logits = model(ids).logits[0, :-1]
            p, logp = logits.softmax(-1), logits.log_softmax(-1)
            own = [logp[i, token].item() for i, token in enumerate(ids[0, 1:])]
            mean = (p * logp).sum(-1)
            spread = ((p * logp.square()).sum(-1) - mean.square()).sqrt()
            sorted(own), [(o - m.item()) / s.item() for o, m, s in zip(own, mean, spread, strict=True)]

    return work


def per_attack(path, texts):
    """The same, with a forward pass of its own for each of the six attacks, as suites of separate scripts do."""
    work = research(path, texts)
    return lambda: [work() for _ in range(6)]


def harness(path, texts):
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=str(path), device="cpu", batch_size=16, dtype="float32")
    asked = [Instance("loglikelihood_rolling", {}, (text,), i) for i, text in enumerate(texts)]
    return lambda: model.loglikelihood_rolling(asked, disable_tqdm=True)


def measure(work):
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def peak(path, count):
    """Megabytes that reading the texts takes above the loaded model, in a process of its own (Linux)."""
    code = """import sys; sys.path.insert(0, sys.argv[1]); import one_pass, torch; torch.set_num_threads(1)
work = one_pass.ours(sys.argv[2], one_pass.mixed_texts(int(sys.argv[3])))
read = lambda name: int(dict(line.split(":") for line in open("/proc/self/status"))[name].split()[0]) / 1024
open("/proc/self/clear_refs", "w").write("5"); before = read("VmRSS"); work(); print(read("VmHWM") - before)"""
    command = [sys.executable, "-c", code, Path(__file__).parent, path, str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main():
    count, repeats = (int(n) for n in (sys.argv[1:] or ["256", "2"]))
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        build(path)
        texts = mixed_texts(count)
        print(f"{len(texts)} texts, {sum(len(t.split()) for t in texts)} tokens, {torch.__version__=}\n")
        print("| threads | way | CPU s | wall s | ours / this, CPU | wall |\n|---|---|---|---|---|---|")
        for threads in (1, 2):
            torch.set_num_threads(threads)
            ways = {"bare batched forward": bare, "one document at a time": research, "ours, six probes": ours}
            if threads == 1:
                ways["one document at a time, a pass per attack"] = per_attack
            if importlib.util.find_spec("lm_eval"):
                ways["lm-evaluation-harness, loglikelihood_rolling"] = harness
            seen = {way: [] for way in ways}
            for _ in range(repeats):  # in turns, so that a busy minute does not fall on one way alone
                for way, make in ways.items():
                    seen[way].append(measure(make(path, texts)))
            best = {way: np.min(times, axis=0) for way, times in seen.items()}
            mine = best["ours, six probes"]
            for way, (cpu, wall) in best.items():
                print(f"| {threads} | {way} | {cpu:.2f} | {wall:.2f} | {mine[0] / cpu:.2f} | {mine[1] / wall:.2f} |")
        store = EvidenceStore(Path(folder) / "store")
        first, again = (measure(ours(path, texts, store))[0] for _ in range(2))
        print(f"\nSecond audit, from the store: {again:.2f} CPU s, {again / first:.1%} of the first")
        if not importlib.util.find_spec("lm_eval"):
            print("\nlm-evaluation-harness is not installed: pip install lm-eval")
        print(f"\nPeak memory above the loaded model, one thread: {peak(path, count):.0f} MB")


if __name__ == "__main__":
    main()
