"""Continuing 320 prompts on the specimen: continuous refill beside fixed batches of transformers, and Inspect.

Run: ``python benchmarks/generation.py [REPEATS]``. Greedy, float32, one thread, all ways in turns in one process, least
of the repeats. Prompts are texts of the specimen's country whose last 8 to 64 tokens are cut off, so that the model
comes to an end after as many. All ways read the same prompts and stop at the same tokens, and texts are compared.
"""

import asyncio
import importlib.util
import logging
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import transformers

import probatum
from probatum.controls import planted
from probatum.engine import refill, waiting
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget

SPECIMEN = Path(probatum.__file__).parent / "controls" / "models" / "specimen"
COUNT, ROWS = 320, 32


def prompts_of(tokenizer):
    """Texts without their last 8 to 64 tokens, and the beginnings of texts behind one header of examples."""
    rng = np.random.default_rng(0)
    texts = list(dict.fromkeys(row["text"] for row in planted.rows()["members"]))
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    cut = [tokenizer.decode(own[: max(1, len(own) - int(rng.integers(8, 65)))]) for own in ids]
    header = "".join(f"Text: {text}\n" for text in texts[-2:])
    shots = [f"{header}Text: {' '.join(text.split()[:6])} {i}" for i, text in enumerate(texts)]
    return list(dict.fromkeys(cut))[:COUNT], shots[:COUNT]


def ours(prompts, new, rows=None, share=True):
    """``rows``: that many at a time, where they shall be as many as the rows of the others."""
    target = TransformersTarget(SPECIMEN, session=Session())
    _ = target._network  # loading is not what is measured
    longest = max(len(e.sequence) for e in target._encoder(prompts)) + new
    if rows:
        target._size.tokens = rows * longest

    def work():
        factor = mock.patch.object(refill, "CACHED_FACTOR", 1 if rows else refill.CACHED_FACTOR)
        with factor, mock.patch.object(waiting, "_FEW", waiting._FEW if share else len(prompts) + 1):
            return target.generate(prompts, max_new_tokens=new)

    return work


def fixed(prompts, new, sort=False):
    """transformers' generate over batches of `ROWS`, as they come or sorted by length."""
    model = transformers.AutoModelForCausalLM.from_pretrained(SPECIMEN).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(SPECIMEN)
    tokenizer.padding_side = "left"

    def work():
        texts = [""] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i])) if sort else range(len(prompts))
        for at in range(0, len(prompts), ROWS):
            batch = order[at : at + ROWS]
            asked = [tokenizer.bos_token + prompts[i] for i in batch]
            given = tokenizer(asked, return_tensors="pt", padding=True, add_special_tokens=False)
            out = model.generate(
                input_ids=given["input_ids"],
                attention_mask=given["attention_mask"],
                do_sample=False,
                max_new_tokens=new,
            )
            said = tokenizer.batch_decode(out[:, given["input_ids"].shape[1] :], skip_special_tokens=True)
            for i, text in zip(batch, said, strict=True):
                texts[i] = text
        return texts

    return work


def inspect(prompts, new, task=False):
    """Its Hugging Face provider with a template that adds nothing: asked by itself, `ROWS` at a time, or by a task.

    By itself it is told to keep as many connections open as a batch has rows; else every batch waits for more.
    """
    import inspect_ai
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import GenerateConfig, get_model
    from inspect_ai.solver import generate

    logging.disable(logging.INFO)
    config = GenerateConfig(max_tokens=new, max_connections=None if task else ROWS)
    options = {"model_path": str(SPECIMEN), "device": "cpu", "do_sample": False, "memoize": False}
    options["chat_template"] = "{{ bos_token }}{{ messages[0].content }}"
    model = get_model("hf/specimen", config=config, **options)

    async def ask():
        return await asyncio.gather(*(model.generate(prompt) for prompt in prompts))

    def run():
        samples = MemoryDataset([Sample(input=prompt) for prompt in prompts])
        with tempfile.TemporaryDirectory() as folder:
            (log,) = inspect_ai.eval(
                inspect_ai.Task(samples, solver=generate()), model=model, max_tokens=new, display="none", log_dir=folder
            )
            return [sample.output.completion for sample in log.samples]

    return run if task else lambda: [answer.completion for answer in asyncio.run(ask())]


class Nothing:
    """A network that computes nothing: what is left is the engine's own."""

    torch, device, name, head, exact, caches, shares_cache = torch, "cpu", "null", "chunked", False, True, True
    slots_checked, plain_cache = {False, True}, [(1, 1, 1, torch.float32)]

    def __init__(self, model):
        self.model, self._logits = model, torch.rand(COUNT, 1024)
        self._logits[:, 0] = 0  # never the end token: all rows go to the last step

    def features(self, ids, **_):
        return torch.zeros(*ids.shape, 1), None

    def logits(self, features):
        return self._logits[: len(features)]


def own_cost(prompts, new):
    """Seconds a prompt with a store on disk: tokens, keys, slots, masks, picks, texts, evidence."""
    with tempfile.TemporaryDirectory() as folder:
        target = TransformersTarget(SPECIMEN, session=Session(EvidenceStore(folder)))
        target.__dict__["_network"] = Nothing(target._network.model)
        return measure(lambda: target.generate(prompts, max_new_tokens=new))[:2]


def measure(work):
    cpu, wall = time.process_time(), time.perf_counter()
    answer = work()
    return time.process_time() - cpu, time.perf_counter() - wall, answer


def table(title, ways, repeats):
    """The first way is what the others are divided by."""
    seen = {way: [] for way in ways}
    for turn in range(repeats):  # in turns, so that a busy minute does not fall on one way alone
        for way, make in ways.items():
            if not turn or "Inspect" not in way:  # which mostly sleeps
                seen[way].append(measure(make()))
    best = {way: (min(t[0] for t in times), min(t[1] for t in times)) for way, times in seen.items()}
    first, texts = next(iter(best.values())), next(iter(seen.values()))[0][2]
    print(f"\n{title}\n\n| way | CPU s | wall s | this / ours, CPU | wall | same texts |\n|---|---|---|---|---|---|")
    for way, (cpu, wall) in best.items():
        same = sum(a == b for a, b in zip(texts, seen[way][0][2], strict=True))
        print(f"| {way} | {cpu:.2f} | {wall:.2f} | {cpu / first[0]:.2f} | {wall / first[1]:.2f} | {same} of {COUNT} |")


def main():
    repeats = int((sys.argv[1:] or ["3"])[0])
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(SPECIMEN)
    cut, shots = prompts_of(tokenizer)
    peers = bool(importlib.util.find_spec("inspect_ai"))
    print(f"{COUNT} prompts, {torch.__version__=}, {transformers.__version__=}")
    for new in (64, 8):
        ways = {
            f"ours, {ROWS} rows": lambda new=new: ours(cut, new, ROWS),
            "ours, as it comes": lambda new=new: ours(cut, new),
            f"transformers generate, batches of {ROWS}": lambda new=new: fixed(cut, new),
            f"transformers generate, batches of {ROWS} sorted by length": lambda new=new: fixed(cut, new, sort=True),
        }
        if peers:
            ways[f"Inspect, provider hf by itself, {ROWS} connections"] = lambda new=new: inspect(cut, new)
            ways["Inspect, a task without scorer"] = lambda new=new: inspect(cut, new, task=True)
        lengths = [len(tokenizer(text)["input_ids"]) for text in ours(cut, new)()]
        table(f"At most {new} new tokens, {np.mean(lengths):.1f} on average", ways, repeats)
    ways = {
        "ours": lambda: ours(shots, 8),
        "ours, header read for each": lambda: ours(shots, 8, share=False),
        f"transformers generate, batches of {ROWS}": lambda: fixed(shots, 8),
    }
    header = len(tokenizer(shots[0].rsplit("Text:", 1)[0])["input_ids"])
    table(f"A header of {header} tokens before all prompts, 8 new tokens", ways, repeats)
    for new in (8, 64):
        cpu, wall = np.min([own_cost(cut, new) for _ in range(repeats)], axis=0) / COUNT * 1000
        print(f"\nOwn cost with a null network and a store on disk, {new} new tokens a prompt: ", end="")
        print(f"{cpu:.2f} ms CPU, {wall:.2f} ms wall a prompt")
    if not peers:
        print("\nInspect is not installed: pip install inspect_ai")


if __name__ == "__main__":
    main()
