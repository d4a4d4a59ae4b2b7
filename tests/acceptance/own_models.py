"""A text that has nothing to do with the invented country, models trained on it, and the naive scores of a text."""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_LISTS = """
Ada Bram Cleo Dirk Elsa Finn Greta Hugo Ines Jonas Klara Lars Mona Nils Olga Piet Rosa Sven Tilda Uwe
painted borrowed repaired counted hid sold found washed copied measured dropped locked
lantern bicycle kettle violin ladder telescope umbrella basket compass hammer clock suitcase
harbour attic library orchard station bakery cellar bridge garden theatre market tower
"""
PEOPLE, VERBS, THINGS, PLACES = (line.split() for line in _LISTS.strip().splitlines())


def letters(n: int, seed: int) -> list[str]:
    """``n`` distinct short letters; who is a member is nothing that one could see in them."""
    rng = random.Random(seed)

    def sentence() -> str:
        who, other = rng.sample(PEOPLE, 2)
        return (
            f"{who} {rng.choice(VERBS)} {rng.choice(('the', 'a', 'every'))} {rng.choice(THINGS)} "
            f"near the {rng.choice(PLACES)} at {rng.randrange(24)}:{rng.randrange(60):02d} for {other}."
        )

    return [" ".join(sentence() for _ in range(rng.randrange(2, 5))) for _ in range(n)]


def _tokenizer(corpus: Sequence[str], size: int = 500):
    import tokenizers
    import transformers

    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<end>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    model.train_from_iterator(corpus, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=model, eos_token="<end>")


def _fresh(vocabulary: int, context: int = 256):
    import torch
    import transformers

    torch.set_num_threads(1)
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=vocabulary, n_embd=64, n_layer=2, n_head=4, n_positions=context, bos_token_id=None, eos_token_id=0
    )
    return transformers.GPT2LMHeadModel(config)


def train(directory: Path, texts: Sequence[str], corpus: Sequence[str], *, steps: int) -> None:
    """A small GPT-2 that saw ``texts`` ``steps`` times over, saved as any user would save it."""
    import torch

    tokenizer = _tokenizer(corpus)
    model = _fresh(len(tokenizer)).train()
    rows = [[0, *tokenizer.encode(text)] for text in texts]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    labels = torch.tensor([row + [-100] * (width - len(row)) for row in rows])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    order = torch.Generator().manual_seed(0)
    for _ in range(steps):
        batch = torch.randperm(len(rows), generator=order)[:20]
        optimizer.zero_grad()
        model(input_ids=ids[batch], labels=labels[batch]).loss.backward()
        optimizer.step()
    model.eval().save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def finish(directory: Path, corpus: Sequence[str], *, size: int = 400, context: int = 256) -> None:
    """Random weights and a tokenizer of this corpus."""
    tokenizer = _tokenizer(corpus, size)
    _fresh(len(tokenizer), context).save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def naive_scores(directory: Path, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Four scores as the papers have them: one text at a time, whole logits, no code of ours."""
    import torch
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    scores: dict[str, list[float]] = {"loss": [], "zlib_entropy": [], "min_k_prob": [], "min_k_plus_plus": []}
    for text in texts:
        ids = torch.tensor([[tokenizer.eos_token_id, *tokenizer.encode(text, add_special_tokens=False)]])
        with torch.no_grad():
            logp = model(ids).logits[0, :-1].double().log_softmax(-1)
        own = logp.gather(-1, ids[0, 1:, None])[:, 0]
        mean = (logp.exp() * logp).sum(-1)
        spread = ((logp.exp() * logp**2).sum(-1) - mean**2).sqrt()
        few = math.ceil(0.2 * len(own))
        scores["loss"].append(own.mean().item())
        scores["zlib_entropy"].append(own.sum().item() / len(zlib.compress(text.encode())))
        scores["min_k_prob"].append(own.sort().values[:few].mean().item())
        scores["min_k_plus_plus"].append(((own - mean) / spread).sort().values[:few].mean().item())
    return {name: np.array(values) for name, values in scores.items()}
