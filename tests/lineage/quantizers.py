"""Quantizers for tests: a matrix to the tensors that each scheme stores it as, by the schemes' own rules.

Written from the papers and formats, apart from the readers; all round to the nearest value of their grid.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

Tensors = dict[str, np.ndarray]
NF4 = np.array(
    [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
     -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
     0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0], np.float32)  # fmt: skip
FP4 = np.array([0, 0.0625, 8, 12, 4, 6, 2, 3, -0.0, -0.0625, -8, -12, -4, -6, -2, -3], np.float32) / 12


def nearest(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The place in ``table`` of the value next to each number."""
    order = np.argsort(table, kind="stable")
    middles = (table[order][1:] + table[order][:-1]) / 2
    return order[np.searchsorted(middles, values)].astype(np.uint8)


def four_bits(name: str, w: np.ndarray, *, kind="nf4", double=False, block=64) -> Tensors:
    """bitsandbytes: blocks along the flattened matrix."""
    table = NF4 if kind == "nf4" else FP4
    flat = np.pad(w.ravel(), (0, -w.size % block)).reshape(-1, block)
    absmax = np.maximum(np.abs(flat).max(axis=1), 1e-12).astype(np.float32)
    codes = nearest(flat / absmax[:, None], table).ravel()[: w.size]
    codes = np.pad(codes, (0, w.size % 2))
    state = {"quant_type": kind, "blocksize": block, "dtype": "float32", "shape": list(w.shape)}
    out = {name: (codes[::2] << 4 | codes[1::2])[:, None], name + ".quant_map": table}
    if double:
        mean = float(absmax.mean())
        rest = np.pad(absmax - mean, (0, -len(absmax) % 256)).reshape(-1, 256)
        largest = np.maximum(np.abs(rest).max(axis=1), 1e-12).astype(np.float32)
        dynamic = np.sort(
            np.concatenate(
                [s * 10.0 ** (-k) * np.linspace(0.1, 1, 2 ** (6 - k) + 1)[1:] for k in range(7) for s in (-1, 1)]
                + [[0.0, 1.0]]
            )
        ).astype(np.float32)
        dynamic = np.pad(dynamic, (0, 256 - len(dynamic)), constant_values=1.0)
        out[name + ".absmax"] = nearest(rest / largest[:, None], dynamic).ravel()[: len(absmax)]
        out[name + ".nested_absmax"], out[name + ".nested_quant_map"] = largest, dynamic
        state |= {"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": mean}
    else:
        out[name + ".absmax"] = absmax
    out[f"{name}.quant_state.bitsandbytes__{kind}"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    return out


def eight_bits(name: str, w: np.ndarray) -> Tensors:
    """LLM.int8()."""
    largest = np.abs(w).max(axis=1).astype(np.float32)
    codes = np.round(127 * w / largest[:, None]).astype(np.int8)
    stem = name.removesuffix("weight")
    return {name: codes, stem + "SCB": largest, stem + "weight_format": np.zeros((), np.uint8)}


def pack(codes: np.ndarray, bits: int, axis: int) -> np.ndarray:
    """int32 words, the first code in the lowest bits."""
    count = 32 // bits
    wide = [(0, 0), (0, 0)]
    wide[axis] = (0, -codes.shape[axis] % count)
    parts = np.moveaxis(np.pad(codes.astype(np.uint32), wide), axis, -1)
    parts = parts.reshape(*parts.shape[:-1], -1, count)
    words = np.zeros(parts.shape[:-1], np.uint32)
    for k in range(count):
        words |= parts[..., k] << np.uint32(bits * k)
    return np.ascontiguousarray(np.moveaxis(words, -1, axis)).view(np.int32)


def affine(w: np.ndarray, bits: int, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(codes [in, out], zero points [groups, out], scales [groups, out]) of a matrix [out, in]."""
    parts = w.T.reshape(-1, group, len(w))
    low, high = np.minimum(parts.min(axis=1), 0), np.maximum(parts.max(axis=1), 0)
    scale = ((high - low) / (2**bits - 1)).astype(np.float16).astype(np.float32)
    zero = np.clip(np.round(-low / scale), 1, 2**bits - 1)
    codes = np.clip(np.round(parts / scale[:, None]) + zero[:, None], 0, 2**bits - 1)
    return codes.reshape(w.T.shape), zero, scale


def gptq(name: str, w: np.ndarray, *, bits=4, group=8, v2=False, act_order=False) -> Tensors:
    """Rounded to nearest, with or without inputs in another order."""
    stem = name.removesuffix("weight")
    order = np.random.default_rng(3).permutation(w.shape[1]) if act_order else np.arange(w.shape[1])
    codes, zero, scale = affine(w[:, order], bits, group)
    back = np.argsort(order)
    return {
        stem + "qweight": pack(codes[back], bits, 0), stem + "qzeros": pack(zero - (0 if v2 else 1), bits, 1),
        stem + "scales": scale.astype(np.float16), stem + "g_idx": (back // group).astype(np.int32),
    }  # fmt: skip


def awq(name: str, w: np.ndarray, *, group=8) -> Tensors:
    stem, order = name.removesuffix("weight"), [0, 2, 4, 6, 1, 3, 5, 7]
    codes, zero, scale = affine(w, 4, group)

    def words(values):
        return pack(values.reshape(len(values), -1, 8)[:, :, order].reshape(values.shape), 4, 1)

    return {stem + "qweight": words(codes), stem + "qzeros": words(zero), stem + "scales": scale.astype(np.float16)}


def packed(name: str, w: np.ndarray, *, bits=4, group=8, zeros=False) -> Tensors:
    """compressed-tensors, pack-quantized."""
    half = 2 ** (bits - 1)
    shape = np.array(w.shape, np.int64)
    if zeros:
        codes, zero, scale = affine(w, bits, group)
        return {
            name + "_packed": pack(codes.T, bits, 1), name + "_shape": shape,
            name + "_scale": np.ascontiguousarray(scale.T), name + "_zero_point": pack(zero.T, bits, 0),
        }  # fmt: skip
    parts = w.reshape(len(w), -1, group)
    scale = (np.abs(parts).max(axis=2) / (half - 0.5)).astype(np.float32)
    codes = np.clip(np.round(parts / scale[:, :, None]), -half, half - 1) + half
    return {name + "_packed": pack(codes.reshape(w.shape), bits, 1), name + "_shape": shape, name + "_scale": scale}


def int8(name: str, w: np.ndarray) -> Tensors:
    scale = (np.abs(w).max(axis=1, keepdims=True) / 127).astype(np.float32)
    return {name: np.round(w / scale).astype(np.int8), name + "_scale": scale}


def fp8(name: str, w: np.ndarray, *, kind="e4m3fn", scale="row", block=128) -> Tensors:
    """``scale``: none, tensor, row or block; the rounding is torch's."""
    import torch

    dtype = {"e4m3fn": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2}[kind]
    most, last = float(torch.finfo(dtype).max), "_scale"
    if scale == "none":
        factor = own = np.ones((1, 1), np.float32)
    elif scale == "tensor":
        own = np.array(np.abs(w).max() / most, np.float32)
        factor = own.reshape(1, 1)
    elif scale == "row":
        factor = own = (np.abs(w).max(axis=1, keepdims=True) / most).astype(np.float32)
    else:
        last = "_scale_inv"
        rows, columns = -(-w.shape[0] // block), -(-w.shape[1] // block)
        own = np.array([[np.abs(w[i * block : (i + 1) * block, j * block : (j + 1) * block]).max() / most
                         for j in range(columns)] for i in range(rows)], np.float32)  # fmt: skip
        factor = np.repeat(np.repeat(own, block, 0)[: len(w)], block, 1)[:, : w.shape[1]]
    codes = torch.from_numpy((w / factor).astype(np.float32)).to(dtype)
    return {name: codes} | ({} if scale == "none" else {name + last: own})


def q8_0(w: np.ndarray) -> np.ndarray:
    parts = w.reshape(-1, 32)
    d = (np.abs(parts).max(axis=1, keepdims=True) / 127).astype(np.float16)
    codes = np.round(parts / np.maximum(d.astype(np.float32), 1e-12)).clip(-127, 127).astype(np.int8)
    return np.concatenate((d.view(np.uint8), codes.view(np.uint8)), axis=1)


def q4_0(w: np.ndarray) -> np.ndarray:
    parts = w.reshape(-1, 32)
    far = np.take_along_axis(parts, np.abs(parts).argmax(axis=1)[:, None], axis=1)
    d = (far / -8).astype(np.float16)
    codes = np.round(parts / np.where(d == 0, 1, d).astype(np.float32) + 8).clip(0, 15).astype(np.uint8)
    return np.concatenate((d.view(np.uint8), codes[:, :16] | codes[:, 16:] << 4), axis=1)


def q4_k(w: np.ndarray) -> np.ndarray:
    """Groups of 32 with a scale and an offset of 6 bits each."""
    parts = w.reshape(-1, 8, 32)
    low, high = np.minimum(parts.min(axis=2), 0), parts.max(axis=2)
    scale, offset = np.maximum((high - low) / 15, 1e-9), -low
    d, dmin = ((v.max(axis=1, keepdims=True) / 63).astype(np.float16) for v in (scale, offset))
    sc = np.round(scale / d.astype(np.float32)).clip(1, 63).astype(np.uint8)
    mn = np.round(offset / np.maximum(dmin.astype(np.float32), 1e-12)).clip(0, 63).astype(np.uint8)
    step, base = d.astype(np.float32) * sc, dmin.astype(np.float32) * mn
    codes = np.round((parts + base[:, :, None]) / step[:, :, None]).clip(0, 15).astype(np.uint8)
    twelve = np.concatenate((sc[:, :4] | (sc[:, 4:] >> 4) << 6, mn[:, :4] | (mn[:, 4:] >> 4) << 6,
                             sc[:, 4:] & 15 | (mn[:, 4:] & 15) << 4), axis=1)  # fmt: skip
    nibbles = (codes[:, ::2] | codes[:, 1::2] << 4).reshape(len(codes), 128)
    return np.concatenate((d.view(np.uint8), dmin.view(np.uint8), twelve, nibbles), axis=1)


def q6_k(w: np.ndarray) -> np.ndarray:
    """Groups of 16 with a scale of 8 bits."""
    parts = w.reshape(-1, 16, 16)
    scale = np.abs(parts).max(axis=2) / 31
    d = (scale.max(axis=1, keepdims=True) / 127).astype(np.float16)
    sc = np.round(scale / d.astype(np.float32)).clip(1, 127).astype(np.int8)
    step = d.astype(np.float32) * sc
    codes = (np.round(parts / step[:, :, None]).clip(-32, 31) + 32).astype(np.uint8).reshape(-1, 2, 4, 32)
    low = (codes[:, :, :2] & 15 | (codes[:, :, 2:] & 15) << 4).reshape(len(codes), 128)
    high = codes[:, :, 0] >> 4 | codes[:, :, 1] >> 4 << 2 | codes[:, :, 2] >> 4 << 4 | codes[:, :, 3] >> 4 << 6
    return np.concatenate((low, high.reshape(len(codes), 64), sc.view(np.uint8), d.view(np.uint8)), axis=1)


KINDS = {"F32": (0, 1, None), "F16": (1, 1, None), "Q4_0": (2, 32, q4_0), "Q8_0": (8, 32, q8_0),
         "Q4_K": (12, 256, q4_k), "Q6_K": (14, 256, q6_k)}  # fmt: skip
_TEXT, _U32 = 8, 4


def write_gguf(file: Path, tensors: dict[str, tuple[np.ndarray, str]], architecture="llama", **numbers: int) -> Path:
    """A GGUF file of version 3; ``tensors``: (matrix, type) by name, ``numbers``: keys of the architecture."""

    def text(t):
        return struct.pack("<Q", len(t.encode())) + t.encode()

    keys = [text("general.architecture") + struct.pack("<I", _TEXT) + text(architecture)]
    keys += [text(f"{architecture}.{k}") + struct.pack("<II", _U32, n) for k, n in numbers.items()]
    keys += [text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, _TEXT, 3) + text("a") + text("bc") + text("")]
    infos, blob = [], b""
    for name, (w, kind) in tensors.items():
        number, _, encode = KINDS[kind]
        raw = encode(w).tobytes() if encode else w.astype({"F32": "<f4", "F16": "<f2"}[kind]).tobytes()
        blob += bytes(-len(blob) % 32)
        infos.append(text(name) + struct.pack(f"<I{w.ndim}QIQ", w.ndim, *w.shape[::-1], number, len(blob)))
        blob += raw
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys) + b"".join(infos)
    file.write_bytes(head + bytes(-len(head) % 32) + blob)
    return file


def interleaved(w: np.ndarray, heads: int) -> np.ndarray:
    """Rows of each head in pairs, as the converter puts a query or key matrix of Llama."""
    half = len(w) // heads // 2
    return np.stack([w[h * 2 * half + part * half + j] for h in range(heads) for j in range(half) for part in (0, 1)])


def llama_gguf(file: Path, tensors: Tensors, kind: str, *, heads=2, kv_heads=2) -> Path:
    """A model of `models.llama` as llama.cpp would store it."""
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
             "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
             "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm"}  # fmt: skip
    out = {}
    for name, w in tensors.items():
        stem = name.removeprefix("model.").removesuffix(".weight")
        if stem == "embed_tokens":
            out["token_embd.weight"] = (w, "F16")
            continue
        _, layer, inside = stem.split(".", 2)
        if inside.endswith(("q_proj", "k_proj")):
            w = interleaved(w, heads if inside.endswith("q_proj") else kv_heads)
        out[f"blk.{layer}.{names[inside]}.weight"] = (w, kind if w.ndim == 2 else "F32")
    out["rope_freqs.weight"] = (np.ones(4, np.float32), "F32")
    return write_gguf(file, out, **{"attention.head_count": heads, "attention.head_count_kv": kv_heads})
