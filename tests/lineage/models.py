"""Small models of random weights in the layout of Llama, and what may be done to one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

Tensors = dict[str, np.ndarray]


def llama(seed, *, layers=3, width=24, hidden=64, tokens=96, prefix="model.") -> Tensors:
    """Weights as they are drawn at the start of a training, with structure of their own (a few strong directions)."""
    rng = np.random.default_rng(seed)

    def matrix(rows, columns):
        strong = rng.normal(size=(rows, 3)) @ rng.normal(size=(3, columns))
        return (0.02 * (rng.normal(size=(rows, columns)) + 0.3 * strong)).astype(np.float32)

    out = {prefix + "embed_tokens.weight": matrix(tokens, width)}
    for i in range(layers):
        p = f"{prefix}layers.{i}."
        out |= {p + f"self_attn.{x}_proj.weight": matrix(width, width) for x in "qkvo"}
        out |= {p + f"mlp.{x}_proj.weight": matrix(hidden, width) for x in ("gate", "up")}
        out |= {p + "mlp.down_proj.weight": matrix(width, hidden)}
        out |= {p + "input_layernorm.weight": np.ones(width, np.float32)}
    return out


def write(folder: Path, tensors: Tensors, *, shards: int = 1, **config) -> Path:
    """A model directory."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {n: np.ascontiguousarray(t) for n, t in tensors.items()}
    if shards == 1:
        save_file(tensors, folder / "model.safetensors")
    else:
        names, where = list(tensors), {}
        for k in range(shards):
            part = {n: tensors[n] for n in names[k::shards]}
            save_file(part, folder / f"model-{k}.safetensors")
            where |= dict.fromkeys(part, f"model-{k}.safetensors")
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "hidden_size": 24} | config))
    return folder


def matrices(change, tensors: Tensors, only: str = "") -> Tensors:
    """Change every matrix, or those with a word in their name."""
    return {n: change(t).astype(t.dtype) if t.ndim == 2 and only in n else t for n, t in tensors.items()}


def tuned(tensors: Tensors, seed=7, size=0.2) -> Tensors:
    rng = np.random.default_rng(seed)
    return matrices(lambda w: w + size * w.std() * rng.normal(size=w.shape), tensors)


def with_lora(tensors: Tensors, rank=3, only="q_proj", seed=7) -> Tensors:
    rng = np.random.default_rng(seed)
    return matrices(
        lambda w: w + 0.01 * rng.normal(size=(w.shape[0], rank)) @ rng.normal(size=(rank, w.shape[1])), tensors, only
    )


def by_rows(bits):
    """Rounding to whole multiples of a step for each row, and back."""

    def change(w):
        step = np.abs(w).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
        return np.round(w / step) * step

    return change


def pruned(w):
    return np.where(np.abs(w) < np.median(np.abs(w)), 0, w)


def reordered(tensors: Tensors, seed=5, scale=False) -> Tensors:
    """Hidden units of every MLP in another order, each scaled (gate stays: SiLU does not scale)."""
    rng, out = np.random.default_rng(seed), dict(tensors)
    for name in tensors:
        if name.endswith("gate_proj.weight"):
            stem = name.removesuffix("gate_proj.weight")
            order = rng.permutation(len(tensors[name]))
            factor = (np.exp(rng.normal(size=len(order))) if scale else np.ones(len(order))).astype(np.float32)
            out[name] = tensors[name][order]
            out[stem + "up_proj.weight"] = (factor[:, None] * tensors[stem + "up_proj.weight"])[order]
            out[stem + "down_proj.weight"] = (tensors[stem + "down_proj.weight"] / factor)[:, order]
    return out


def turned(tensors: Tensors, turn: np.ndarray) -> Tensors:
    """The residual stream in another orthogonal basis, which no output shows."""
    out = {}
    for name, w in tensors.items():
        if w.ndim < 2:
            out[name] = w
        elif name.endswith(("o_proj.weight", "down_proj.weight")):
            out[name] = (turn.T @ w).astype(np.float32)
        else:
            out[name] = (w @ turn).astype(np.float32)
    return out


def orthogonal(n, seed=11) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


def permutation(n, seed=11) -> np.ndarray:
    return np.eye(n)[np.random.default_rng(seed).permutation(n)]
