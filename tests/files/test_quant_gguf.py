"""GGUF: headers, blocks by hand and against the package of llama.cpp, names and orders put back."""

import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from probatum.core.errors import BadInput
from probatum.files.gguf import Gguf, gguf
from probatum.files.gguf_names import hugging_face_name
from probatum.files.quant.gguf_blocks import DECODERS, TYPES, gguf_blocks
from probatum.scan.gguf_values import BLOCKS

sys.path.append(str(Path(__file__).parents[1] / "lineage"))
import quantizers as q


def block(kind, raw):
    return gguf_blocks(kind, np.asarray(raw, np.uint8).reshape(1, 1, -1)).numbers()[0]


def half(value):
    return list(np.array([value], "<f2").tobytes())


def test_q8_0_and_q4_0_by_hand():
    codes = np.arange(-16, 16, dtype=np.int8)
    assert np.array_equal(block("Q8_0", half(0.5) + list(codes.view(np.uint8))), 0.5 * codes)
    low, high = np.arange(16), np.arange(16)[::-1]  # numbers 0 to 15, then 16 to 31
    assert np.array_equal(block("Q4_0", half(-2) + list(low | high << 4)), -2.0 * (np.r_[low, high] - 8))


def test_q4_k_by_hand():
    """The eight scales and offsets of 6 bits lie in 12 bytes: four low ones plainly, four high ones in pieces."""
    scale, offset = [1, 2, 33, 63, 5, 17, 46, 63], [0, 9, 63, 1, 50, 3, 31, 62]
    twelve = [scale[k] | (scale[k + 4] >> 4) << 6 for k in range(4)]
    twelve += [offset[k] | (offset[k + 4] >> 4) << 6 for k in range(4)]
    twelve += [scale[k + 4] & 15 | (offset[k + 4] & 15) << 4 for k in range(4)]
    codes = np.random.default_rng(0).integers(0, 16, (8, 32))
    nibbles = [codes[2 * k] | codes[2 * k + 1] << 4 for k in range(4)]
    expected = 0.25 * np.array(scale)[:, None] * codes - 0.5 * np.array(offset)[:, None]
    assert np.array_equal(block("Q4_K", half(0.25) + half(0.5) + twelve + list(np.ravel(nibbles))), expected.ravel())


def test_q6_k_by_hand():
    scale = np.arange(-8, 8, dtype=np.int8)
    codes = np.random.default_rng(1).integers(0, 64, 256)
    low, high = np.zeros(128, np.uint8), np.zeros(64, np.uint8)
    for i, code in enumerate(codes):
        part, k, place = i // 128, i % 128 // 32, i % 32
        low[part * 64 + place + 32 * (k % 2)] |= (code & 15) << 4 * (k // 2)
        high[part * 32 + place] |= (code >> 4) << 2 * k
    expected = 0.5 * np.repeat(scale, 16) * (codes - 32.0)
    assert np.array_equal(block("Q6_K", [*low, *high, *scale.view(np.uint8), *half(0.5)]), expected)


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q4_K", "Q6_K"])
def test_what_was_rounded_lies_within_half_a_step(kind):
    w = np.random.default_rng(3).normal(size=(4, 512)).astype(np.float32)
    number, _, encode = q.KINDS[kind]
    grid = gguf_blocks(kind, encode(w).reshape(4, -1, BLOCKS[number][1]))
    below, above = grid.cells()
    off = w - grid.numbers()
    slack = 0.02 * np.abs(w).max()
    assert (off <= above + slack).all()
    assert (-off <= below + slack).all()


@pytest.mark.parametrize("kind", DECODERS)
def test_blocks_of_random_bytes_are_what_the_package_of_llama_cpp_makes_of_them(kind):
    package = pytest.importorskip("gguf")
    number = next(n for n, name in TYPES.items() if name == kind)
    size = BLOCKS[number][1]
    raw = np.random.default_rng(number).integers(0, 256, (50, 4 * size), dtype=np.uint8)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = package.quants.dequantize(raw, package.GGMLQuantizationType(number))
        ours = gguf_blocks(kind, raw.reshape(50, 4, size)).numbers()
    whole = np.isfinite(theirs)
    assert whole.mean() > 0.5
    assert np.array_equal(np.isfinite(ours), whole)
    assert np.allclose(ours[whole], theirs[whole], rtol=1e-6, atol=0)


def test_types_are_those_of_the_package():
    package = pytest.importorskip("gguf")
    for number, name in TYPES.items():
        assert package.GGMLQuantizationType(number).name == name
        if name in DECODERS:
            assert package.GGML_QUANT_SIZES[package.GGMLQuantizationType(number)] == BLOCKS[number]


def test_a_file_that_the_package_wrote_is_read(tmp_path):
    package = pytest.importorskip("gguf")
    rng = np.random.default_rng(4)
    plain = {"token_embd.weight": rng.normal(size=(10, 64)), "blk.0.ffn_up.weight": rng.normal(size=(8, 64))}
    writer = package.GGUFWriter(tmp_path / "a.gguf", "qwen2")
    writer.add_token_list([f"token {k}" for k in range(5000)])
    writer.add_token_scores([0.5] * 5000)
    kinds = package.GGMLQuantizationType
    for (name, w), kind in zip(plain.items(), (kinds.F16, kinds.Q5_1), strict=True):
        w = w.astype(np.float32)
        writer.add_tensor(name, w.astype(np.float16) if kind == kinds.F16 else package.quants.quantize(w, kind),
                          raw_dtype=kind)  # fmt: skip
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    weights = gguf([tmp_path / "a.gguf"])
    names = ["model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"]
    assert list(weights) == names
    assert [weights.stored(n) for n in names] == ["F16", "Q5_1"]
    assert np.array_equal(weights[names[0]], plain["token_embd.weight"].astype(np.float16).astype(np.float32))
    assert np.abs(weights[names[1]] - plain["blk.0.ffn_up.weight"]).max() < 0.1


@pytest.mark.parametrize(
    ("architecture", "hub"),
    [("llama", "Llama"), ("qwen2", "Qwen2"), ("qwen3", "Qwen3"), ("gemma2", "Gemma2"), ("phi3", "Phi3"),
     ("gpt2", "GPT2LMHead")],
)  # fmt: skip
def test_names_are_those_that_transformers_gives(architecture, hub):
    """Every parameter of a small model of the library is named, by the package's own table, and named back."""
    package = pytest.importorskip("gguf")
    import torch
    import transformers

    kind = {v: k for k, v in package.MODEL_ARCH_NAMES.items()}[architecture]
    table = package.get_tensor_name_map(kind, 2)
    if architecture == "gpt2":
        config = transformers.GPT2Config(n_layer=2, n_embd=8, n_head=2, vocab_size=20, n_positions=8)
    else:
        config = getattr(transformers, hub + "Config")(
            num_hidden_layers=2, hidden_size=16, num_attention_heads=2, num_key_value_heads=2, intermediate_size=16,
            vocab_size=20, head_dim=8, pad_token_id=0,
        )  # fmt: skip
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    checked = 0
    for name, _ in model.named_parameters():
        theirs = table.get_name(name, try_suffixes=(".weight", ".bias"))
        assert theirs, name
        assert hugging_face_name(theirs, architecture) == name
        checked += 1
    assert checked >= 15


def test_gpt_2_is_turned_back(tmp_path):
    rng = np.random.default_rng(6)
    w = rng.normal(size=(96, 32)).astype(np.float32)  # on the hub [inputs, outputs]
    q.write_gguf(tmp_path / "a.gguf", {"blk.0.ffn_up.weight": (w.T.copy(), "Q8_0"), "blk.0.ffn_down.weight": (w, "F16"),
                                       "token_embd.weight": (w, "F32")}, "gpt2")  # fmt: skip
    weights = gguf([tmp_path / "a.gguf"])
    up, down = "transformer.h.0.mlp.c_fc.weight", "transformer.h.0.mlp.c_proj.weight"
    assert weights.shapes == {up: (96, 32), down: (32, 96), "transformer.wte.weight": (96, 32)}
    assert np.abs(weights[up] - w).max() < 0.02
    assert np.array_equal(weights[down], w.T.astype(np.float16).astype(np.float32))
    rows = np.array([90, 4])
    assert np.array_equal(weights.rows(up, rows), weights[up][rows])
    below, above = weights.cells(up, rows)
    off = w[rows] - weights[up][rows]
    assert ((off <= 1.01 * above) & (-off <= 1.01 * below)).all()
    assert weights.cells(down, rows[1:]) is None


def test_norms_of_gemma_are_those_of_the_hub(tmp_path):
    norm = np.linspace(-1, 1, 8, dtype=np.float32)
    q.write_gguf(tmp_path / "a.gguf", {"blk.0.attn_norm.weight": (norm + 1, "F32")}, "gemma2")
    assert np.allclose(gguf([tmp_path / "a.gguf"])["model.layers.0.input_layernorm.weight"], norm, atol=1e-6)


def test_shards_are_one_model_and_a_tensor_that_stands_twice_is_refused(tmp_path):
    w = np.ones((2, 32), np.float32)
    files = [q.write_gguf(tmp_path / f"a-0000{k}-of-00002.gguf", {f"blk.{k}.ffn_up.weight": (w, "Q8_0")}, "qwen2")
             for k in (1, 2)]  # fmt: skip
    assert len(Gguf(files)) == 2
    with pytest.raises(BadInput, match="stands twice"):
        Gguf([files[0], files[0]])


GOOD = {"blk.0.ffn_up.weight": (np.ones((4, 64), np.float32), "Q8_0")}


@pytest.mark.parametrize("cut", [0, 3, 10, 23, 30, 60, 120, -1])
def test_a_file_that_is_cut_off_is_one_sentence(tmp_path, cut):
    file = q.write_gguf(tmp_path / "a.gguf", GOOD)
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(BadInput, match=r"truncated|no GGUF") as raised:
        gguf([file])
    assert "\n" not in str(raised.value)


def test_lies_in_a_header_are_refused(tmp_path):
    file = q.write_gguf(tmp_path / "a.gguf", GOOD)
    whole = file.read_bytes()
    for at, value, said in ((4, 9, "no GGUF of version"), (8, 1 << 50, "do not go into"), (16, 1 << 50, "do not go")):
        size = "<I" if at == 4 else "<Q"
        file.write_bytes(whole[:at] + struct.pack(size, value) + whole[at + struct.calcsize(size) :])
        with pytest.raises(BadInput, match=said):
            gguf([file])


def test_every_damaged_header_ends_in_numbers_or_in_one_sentence(tmp_path):
    file = q.write_gguf(tmp_path / "a.gguf", GOOD, **{"attention.head_count": 2})
    whole, rng = file.read_bytes(), np.random.default_rng(8)
    refused = 0
    for _ in range(400):
        bad = bytearray(whole)
        for at in rng.integers(0, 250, rng.integers(1, 4)):
            bad[at] = rng.integers(256)
        file.write_bytes(bytes(bad))
        try:
            weights = gguf([file])
            for name in weights:
                if weights.stored(name) in (*DECODERS, "F32", "F16") and weights.shapes[name]:
                    weights.rows(name, np.arange(min(2, weights.shapes[name][0])))
        except BadInput:
            refused += 1
    assert refused > 50
