"""Schemes of few bits: every code of FP8, and each layout against numbers that were packed apart from the reader."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from probatum.core.errors import BadInput
from probatum.files.quant.fp8 import TABLES
from probatum.files.quant.grid import Grid, expected_square, half_gaps, unpack
from probatum.files.quantized import dequantized
from probatum.files.tensors import Weights

sys.path.append(str(Path(__file__).parents[1] / "lineage"))
import quantizers as q

W = (0.02 * np.random.default_rng(5).normal(size=(48, 64))).astype(np.float32)
ROWS = np.array([40, 3, 3, 17])


def read(folder, tensors, **config):
    file = folder / "model.safetensors"
    if all(isinstance(t, np.ndarray) for t in tensors.values()):
        save_file({n: np.ascontiguousarray(t) for n, t in tensors.items()}, file)
    else:
        save_torch({n: torch.from_numpy(np.array(t)) if isinstance(t, np.ndarray) else t for n, t in tensors.items()},
                   file)  # fmt: skip
    return dequantized(Weights([file]), {"quantization_config": config})


@pytest.mark.parametrize(("name", "dtype"), [("F8_E4M3", torch.float8_e4m3fn), ("F8_E5M2", torch.float8_e5m2)])
def test_every_code_of_fp8_is_that_of_torch(name, dtype):
    theirs = torch.arange(256, dtype=torch.uint8).view(dtype).float().numpy()
    assert np.array_equal(TABLES[name], theirs, equal_nan=True)
    assert np.array_equal(np.signbit(TABLES[name])[~np.isnan(theirs)], np.signbit(theirs)[~np.isnan(theirs)])


@pytest.mark.parametrize(("kind", "dtype"), [("e4m3fn", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)])
@pytest.mark.parametrize("scale", ["none", "tensor", "row", "block"])
def test_fp8_with_every_kind_of_scale(tmp_path, kind, dtype, scale):
    w = np.random.default_rng(1).normal(size=(200, 300)).astype(np.float32)
    parts = q.fp8("a.weight", w, kind=kind, scale=scale)
    weights = read(tmp_path, parts)
    factor = next((v for n, v in parts.items() if n != "a.weight"), np.ones(()))
    if scale == "block":
        factor = np.kron(factor, np.ones((128, 128)))[:200, :300]
    expected = parts["a.weight"].float().numpy() * factor
    assert list(weights) == ["a.weight"]
    assert np.allclose(weights["a.weight"], expected, rtol=1e-6, atol=0)
    assert np.allclose(weights["a.weight"], w, atol=0.13 * np.abs(w).max())
    assert np.array_equal(weights.rows("a.weight", ROWS), weights["a.weight"][ROWS])


def test_blocks_of_another_size_are_read_with_the_configuration(tmp_path):
    parts = q.fp8("a.weight", W, scale="block", block=16)
    weights = read(tmp_path, parts, weight_block_size=[16, 16])
    assert np.allclose(weights["a.weight"], W, atol=0.003)
    with pytest.raises(BadInput, match="a scale for every 128 × 128 numbers"):
        read(tmp_path, parts)


def affine(w, bits, group):
    codes, zero, scale = q.affine(w, bits, group)
    spread = (np.repeat(v, group, axis=0) for v in (scale, zero))
    scale, zero = spread
    return (scale * (codes - zero)).T


LAYOUTS = {
    "nf4": (lambda: q.four_bits("a.weight", W), {}),
    "GPTQ 4 bit": (lambda: q.gptq("a.weight", W), {}),
    "GPTQ 8 bit": (lambda: q.gptq("a.weight", W, bits=8, group=16), {}),
    "GPTQ 4 bit v2": (lambda: q.gptq("a.weight", W, v2=True), {"checkpoint_format": "gptq_v2"}),
    "AWQ 4 bit": (lambda: q.awq("a.weight", W), {"quant_method": "awq"}),
    "packed 4 bit": (lambda: q.packed("a.weight", W, zeros=True), {}),
}


@pytest.mark.parametrize("scheme", LAYOUTS)
def test_layouts_give_back_what_was_packed(tmp_path, scheme):
    parts, config = LAYOUTS[scheme]
    weights = read(tmp_path, parts(), **config)
    if scheme == "nf4":
        blocks = W.reshape(-1, 64)
        absmax = np.abs(blocks).max(axis=1, keepdims=True)
        expected = (q.NF4[q.nearest(blocks / absmax, q.NF4)] * absmax).reshape(W.shape)
    else:
        expected = affine(W, 8 if "8 bit" in scheme else 4, 16 if "8 bit" in scheme else 8)
    assert (list(weights), weights.shapes["a.weight"]) == (["a.weight"], W.shape)
    assert weights.stored("a.weight") == scheme
    assert weights.parameter_count == W.size
    assert np.allclose(weights["a.weight"], expected, rtol=1e-5, atol=1e-7)
    assert np.array_equal(weights.rows("a.weight", ROWS), weights["a.weight"][ROWS])


def test_inputs_in_another_order_are_put_back(tmp_path):
    weights = read(tmp_path, q.gptq("a.weight", W, act_order=True))
    assert np.abs(weights["a.weight"] - W).max() < 0.004


@pytest.mark.parametrize("shape", [(7, 9), (5, 96), (3, 64), (1, 1)])
def test_four_bits_whatever_the_width(tmp_path, shape):
    """Blocks run over the ends of rows, and an odd width puts a row's first number into the middle of a byte."""
    w = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    for double in (False, True):
        weights = read(tmp_path, q.four_bits("a.weight", w, double=double))
        off = np.abs(weights["a.weight"] - w).max()
        assert off <= 0.16 * np.abs(w).max()
        last = np.array([shape[0] - 1, 0])
        assert np.array_equal(weights.rows("a.weight", last), weights["a.weight"][last])


def test_fp4_and_int8_by_hand(tmp_path):
    state = {"quant_type": "fp4", "blocksize": 64, "dtype": "float32", "shape": [1, 4]}
    parts = {
        "a.weight": np.array([[0x2A], [0x7F]], np.uint8),  # 2, 10, 7, 15, the upper half first
        "a.weight.absmax": np.array([24], np.float32), "a.weight.quant_map": q.FP4,
        "a.weight.quant_state.bitsandbytes__fp4": np.frombuffer(json.dumps(state).encode(), np.uint8),
        "b.weight": np.array([[-127, 64]], np.int8), "b.SCB": np.array([2.0], np.float32),
    }  # fmt: skip
    weights = read(tmp_path, parts)
    assert np.allclose(weights["a.weight"], [[16, -16, 6, -6]])
    assert np.allclose(weights["b.weight"], [[-2, 128 / 127]])
    assert list(weights) == ["a.weight", "b.weight"]


def test_words_by_hand():
    word = np.array([[0x76543210]], np.uint32).view(np.int32)
    assert unpack(word, 4, 1).tolist() == [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert unpack(word, 4, 0).ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert unpack(word, 8, 1).tolist() == [[0x10, 0x32, 0x54, 0x76]]
    assert unpack(word, 4, 1, (0, 4, 1, 5, 2, 6, 3, 7)).tolist() == [[0, 4, 1, 5, 2, 6, 3, 7]]


def test_cells_of_a_grid_and_the_error_that_they_allow():
    """Uniform steps give step² / 12; the mean square of real rounding errors agrees for a table of uneven values."""
    below, above = half_gaps(np.arange(-8, 8, dtype=np.float32))
    assert np.allclose(expected_square(below, above), 1 / 12)
    w = np.random.default_rng(0).uniform(-1, 1, (1, 200_000)).astype(np.float32)
    grid = Grid(q.nearest(w, q.NF4), q.NF4, np.ones((1, 1), np.float32))
    measured = float(((grid.numbers() - w) ** 2).mean())
    assert measured == pytest.approx(float(expected_square(*grid.cells()).mean()), rel=0.02)
    below, above = grid.cells()
    assert ((w >= grid.numbers() - below - 1e-6) & (w <= grid.numbers() + above + 1e-6)).all()
    turned = Grid(grid.codes, q.NF4, -np.ones((1, 1), np.float32))  # a negative scale turns the cells round
    assert np.array_equal(turned.cells()[0], above)
    assert np.array_equal(half_gaps(np.array([np.nan, 0, 1, np.inf, -0.0], np.float32))[0],
                          np.array([0, np.inf, 0.5, 0, np.inf], np.float32))  # fmt: skip


DAMAGE = {
    "a state that is no JSON": lambda t: t | {"a.weight.quant_state.bitsandbytes__nf4": np.zeros(9, np.uint8)},
    "a state of another shape": lambda t: t | {"a.weight": t["a.weight"][:-1]},
    "too few scales": lambda t: t | {"a.weight.absmax": t["a.weight.absmax"][:-1]},
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_parts_are_one_sentence(tmp_path, damage):
    with pytest.raises(BadInput, match=r"^a\.weight is quantized, but"):
        read(tmp_path, DAMAGE[damage](q.four_bits("a.weight", W)))


@pytest.mark.parametrize(
    ("parts", "spoiled"),
    [(q.gptq, ".g_idx"), (q.gptq, ".qzeros"), (q.awq, ".qzeros"), (q.packed, "_scale"), (q.eight_bits, "SCB")],
)
def test_parts_that_do_not_fit_are_one_sentence(tmp_path, parts, spoiled):
    tensors = parts("a.weight", W)
    name = next(n for n in tensors if n.endswith(spoiled))
    tensors[name] = tensors[name][:-1] if not spoiled.endswith("g_idx") else tensors[name] + 100
    with pytest.raises(BadInput, match="do not fit together"):
        read(tmp_path, tensors)
