"""Tiny random models, and clipped sums by a loop over units with plain automatic differentiation; no code is ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import transformers

CONTEXT = 64
VOCABULARY = 99
KINDS = ["llama", "llama tied", "gpt2", "gpt2 tied", "neox", "neox tied", "qwen2", "qwen2 tied"]


def model(name: str, dtype: Any = torch.float64, **more: Any) -> Any:
    """``model("llama tied")``: no parameter of it 0 or 1."""
    kind, _, tied = name.partition(" ")
    common: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    common |= {"vocab_size": VOCABULARY, "tie_word_embeddings": bool(tied)}
    sizes: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 4, "max_position_embeddings": CONTEXT}
    config: Any
    if kind == "gpt2":
        config = transformers.GPT2Config(**common, n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT, **more)
    elif kind == "neox":
        config = transformers.GPTNeoXConfig(**common, **sizes, **more)
    elif kind == "phi":
        config = transformers.PhiConfig(**common, **sizes, **more)
    else:
        made = {"llama": transformers.LlamaConfig, "qwen2": transformers.Qwen2Config}[kind]
        config = made(**common, **sizes, num_key_value_heads=2, **more)
    torch.manual_seed(0)
    found = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in found.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) / 3)
            else:
                parameter.mul_(4)
    return found.to(dtype).eval()


def records(*lengths: int, seed: int = 0) -> list[list[np.ndarray]]:
    """Units of one row with so many scored tokens, some tokens more than once."""
    rng = np.random.default_rng(seed)
    return [[rng.integers(0, 60, n + 1).astype(np.int32)] for n in lengths]


def users(*lengths: tuple[int, ...], seed: int = 0) -> list[list[np.ndarray]]:
    """Units of several rows."""
    return [[row for n in rows for row in records(n, seed=seed + 31 * n + i)[0]] for i, rows in enumerate(lengths)]


def gradient(model: Any, unit: list[np.ndarray], row_loss: Any = torch.mean) -> dict[str, Any]:
    """{name: gradient} of one unit's loss, Σ over its rows of ``row_loss`` of −log p of their tokens."""
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    total: Any = 0.0
    for row in unit:
        if len(row) < 2:
            continue
        ids = torch.tensor(row.astype(np.int64))
        logprob = model(input_ids=ids[None]).logits[0, :-1].log_softmax(-1)
        total = total + row_loss(-logprob.gather(-1, ids[1:, None])[:, 0])
    if isinstance(total, float):
        return {name: torch.zeros_like(p) for name, p in trained.items()}
    found = torch.autograd.grad(total, list(trained.values()), allow_unused=True)
    return {n: torch.zeros_like(p) if g is None else g for (n, p), g in zip(trained.items(), found, strict=True)}


def norm(gradients: dict[str, Any]) -> float:
    """Over all parameters."""
    return float(sum(float(g.double().square().sum()) for g in gradients.values()) ** 0.5)


def loop(
    model: Any, units: list[list[np.ndarray]], limit: float, row_loss: Any = torch.mean
) -> tuple[dict[str, Any], np.ndarray]:
    """(Σ_i g_i min(1, C / ‖g_i‖), norms)."""
    norms = []
    total = {name: torch.zeros_like(p) for name, p in model.named_parameters() if p.requires_grad}
    for unit in units:
        found = gradient(model, unit, row_loss)
        norms.append(norm(found))
        for name, g in found.items():
            total[name] += g * min(1.0, limit / norms[-1] if norms[-1] else 1.0)
    return total, np.array(norms)


def difference(got: dict[str, Any], expected: dict[str, Any]) -> float:
    """Largest relative difference of a parameter's sum."""
    assert got.keys() == expected.keys()
    return max(float((got[n] - e).norm() / e.norm().clamp(min=1e-12)) for n, e in expected.items())
