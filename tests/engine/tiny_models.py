"""Tiny random models on disk, with tokenizers trained on the spot, and the naive computation to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
import transformers

TEXTS = [
    "The quick brown fox jumps over the lazy dog, and then it sleeps.",
    "Call 555-0101 now!",
    "naïve café – übergroß 東京 🙂 end",
    "a",
    "Numbers 1 2 3 4 5 6 7 8 9 10 and some more words to make this one rather longer than the others are.",
    "  two spaces,\n\na new line\tand a tab ",
]


def tokenizer(size: int, bos: str | None = None, eos: str | None = None) -> transformers.PreTrainedTokenizerFast:
    """A byte-level BPE of exactly ``size`` tokens (257 or more with a special token)."""
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = tokenizers.decoders.ByteLevel()
    special = [t for t in dict.fromkeys((bos, eos)) if t]
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=special,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = [f"{a}{b} " for a in ("the", "qu", "st", "lo", "num") for b in ("ick", "own", "ng", "ber", "er", "101")]
    model.train_from_iterator(TEXTS * 3 + [" ".join(words)] * 3, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=model, bos_token=bos, eos_token=eos)


def build(kind: str, directory: Path, *, vocab: int, tied: bool = False, bos: str | None = None,
          eos: str | None = None, context: int = 128, seed: int = 0, scale: float = 10.0, tokens: int | None = None,
          **extra: Any) -> Path:  # fmt: skip
    """Save a random model and its tokenizer; ``scale`` sharpens the logits so that they are worth comparing."""
    common = {"vocab_size": vocab, "tie_word_embeddings": tied}
    common |= {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    wide = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    wide["max_position_embeddings"] = context
    config: Any
    if kind == "llama":
        config = transformers.LlamaConfig(**common, **wide, num_key_value_heads=2, **extra)
    elif kind == "qwen2":
        config = transformers.Qwen2Config(**common, **wide, num_key_value_heads=2, **extra)
    elif kind == "neox":
        config = transformers.GPTNeoXConfig(**common, **wide, **extra)
    elif kind == "gemma2":
        config = transformers.Gemma2Config(**common, **wide, num_key_value_heads=2, head_dim=8, **extra)
    elif kind == "gpt2":
        config = transformers.GPT2Config(**common, n_embd=32, n_layer=2, n_head=4, n_positions=context, **extra)
    else:
        raise ValueError(kind)
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(scale)
    made = tokenizer(tokens or vocab, bos, eos)
    if eos is not None:
        model.generation_config.eos_token_id = made.eos_token_id
    model.save_pretrained(directory)
    made.save_pretrained(directory)
    return directory


def naive(path: Path, texts: list[str], dtype: Any = torch.float64) -> list[dict[str, np.ndarray]]:
    """The record of every text by full logits in double precision, one text at a time; no code shared with ours."""
    model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype, attn_implementation="eager").eval()
    made = transformers.AutoTokenizer.from_pretrained(path)
    start = made.bos_token_id if made.bos_token_id is not None else made.eos_token_id
    out = []
    for text in texts:
        ids = ([] if start is None else [start]) + made.encode(text, add_special_tokens=False)
        with torch.no_grad():
            logp = model(torch.tensor([ids])).logits[0].log_softmax(-1)[:-1].double()
        target = torch.tensor(ids[1:], dtype=torch.long)
        own = logp.gather(-1, target[:, None])
        mean = (logp.exp() * logp).sum(-1)
        out.append(
            {
                "id": target.numpy(),
                "logprob": own[:, 0].numpy(),
                "mean": mean.numpy(),
                "std": ((logp.exp() * (logp - mean[:, None]) ** 2).sum(-1)).sqrt().numpy(),
                "rank": (logp > own).sum(-1).numpy(),
                "argmax": logp.argmax(-1).numpy(),
                "argmax_logprob": logp.max(-1).values.numpy(),
            }
        )
    return out
