"""Gradient norms of every text apart, beside what one plain backward pass of the same batches costs.

Run: ``python benchmarks/ghost_norms.py [TEXTS REPEATS]``. A random GPT-NeoX of 26.8 million parameters, vocabulary
16,384, on one thread. The plain pass makes the gradients of all parameters, summed over a batch, and tells no text from
another. CPU seconds are the number to read on a shared machine; below 1 we are cheaper.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers

from probatum.engine.batches import BatchSize, in_batches, padded
from probatum.engine.session import Session
from probatum.targets.transformers import TransformersTarget

CHECKED = 6  # texts that are differentiated one by one


def build(path):
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel({f"w{i}": i for i in range(16384)}, unk_token="w0"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    transformers.PreTrainedTokenizerFast(tokenizer_object=model, bos_token="w1", eos_token="w2").save_pretrained(path)
    sizes = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 8, "num_attention_heads": 6}
    config = transformers.GPTNeoXConfig(vocab_size=16384, max_position_embeddings=2048, **sizes)
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(path)


def mixed_texts(n):
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(4.6, 0.8, n), 8, 600).astype(int)
    return [" ".join(f"w{i}" for i in rng.integers(3, 16384, length)) for length in lengths]


def loss_of(model, sequences):
    """Sum over the texts of their mean losses."""
    ids, _ = padded(sequences)
    ids = torch.from_numpy(ids)
    logits = model(input_ids=ids[:, :-1], use_cache=False).logits
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    losses = losses.view(len(ids), -1)
    counts = torch.tensor([len(s) - 1 for s in sequences])
    return ((torch.arange(losses.shape[1]) < counts[:, None]) * losses / counts[:, None]).sum()


def plain(model, sequences, tokens):
    """Forward and backward with gradients of all parameters, over the batches that the engine makes."""

    def run(batch):
        loss_of(model, [sequences[i] for i in batch]).backward()
        model.zero_grad(set_to_none=True)
        return True

    for _ in in_batches([len(s) - 1 for s in sequences], BatchSize(tokens), run, lambda tokens: None):
        pass


def apart(model, sequence):
    """The squared norm by plain automatic differentiation of one text."""
    loss_of(model, [sequence]).backward()
    total = sum(float(p.grad.double().square().sum()) for p in model.parameters())
    model.zero_grad(set_to_none=True)
    return total


def measure(work):
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def main():
    count, repeats = (int(n) for n in (sys.argv[1:] or ["24", "2"]))
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        build(path)
        texts = mixed_texts(count)
        model = transformers.AutoModelForCausalLM.from_pretrained(path).eval()
        target = TransformersTarget(path, session=Session())
        collector, encoded = target._gradients, target._encoder(texts)
        sequences = [e.sequence for e in encoded]

        def norms():
            found = np.zeros(len(encoded))
            for indices, rows in collector.norms(encoded, lambda tokens: None, lambda: None):
                found[indices] = [row.sum() for row in rows]
            return found

        few = np.linspace(0, len(texts) - 1, CHECKED).astype(int)
        got = norms()[few]  # also loads, and checks itself once
        expected = np.array([apart(model, sequences[i]) for i in few])
        parameters = sum(p.numel() for p in model.parameters())
        print(f"{parameters / 1e6:.1f} M parameters, {count} texts, {sum(len(s) - 1 for s in sequences)} tokens")
        print(f"largest relative difference to {CHECKED} texts one by one: {np.abs(got / expected - 1).max():.1e}\n")
        ways = {
            "forward and backward, one sum for a batch": lambda: plain(model, sequences, collector.size.tokens),
            "norms of every text": norms,
            "forward and backward, text by text": lambda: [apart(model, s) for s in sequences],
        }
        seen = {way: [] for way in ways}
        for _ in range(repeats):  # in turns, so that a busy minute does not fall on one way alone
            for way, work in ways.items():
                seen[way].append(measure(work))
        best = {way: np.min(times, axis=0) for way, times in seen.items()}
        mine = best["norms of every text"]
        print("| way | CPU s | wall s | norms of every text / this, CPU | wall |\n|---|---|---|---|---|")
        for way, (cpu, wall) in best.items():
            print(f"| {way} | {cpu:.2f} | {wall:.2f} | {mine[0] / cpu:.2f} | {mine[1] / wall:.2f} |")


if __name__ == "__main__":
    main()
