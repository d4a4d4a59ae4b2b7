"""Models stored in few bits: whatever the scheme, descent, scheme and error are told; strangers stay strangers."""

import json

import numpy as np
import pytest
import quantizers as q
from models import llama, tuned, write
from safetensors.numpy import load_file, save_file
from scipy import stats

from probatum.core.errors import BadInput
from probatum.lineage.atlas import chart
from probatum.lineage.collection import distances, read_collection
from probatum.lineage.compare import compare_directories
from probatum.lineage.descent import descent
from probatum.lineage.model import open_model
from probatum.lineage.relation import relate

WIDE = {"width": 64, "hidden": 128, "tokens": 128}
BASE = llama(1, **WIDE)
DEEP = {"width": 256, "hidden": 512, "tokens": 64, "layers": 2}  # K blocks have 256 numbers

SAFETENSORS = {
    "nf4": q.four_bits,
    "fp4": lambda n, w: q.four_bits(n, w, kind="fp4"),
    "nf4 double": lambda n, w: q.four_bits(n, w, double=True),
    "LLM.int8()": q.eight_bits,
    "GPTQ 4 bit": q.gptq,
    "GPTQ 8 bit": lambda n, w: q.gptq(n, w, bits=8, group=32, act_order=True),
    "GPTQ 4 bit v2": lambda n, w: q.gptq(n, w, v2=True),
    "AWQ 4 bit": q.awq,
    "packed 4 bit": lambda n, w: q.packed(n, w, group=32),
    "packed 8 bit": lambda n, w: q.packed(n, w, bits=8, group=32, zeros=True),
    "int8": q.int8,
    "F8_E4M3": q.fp8,
    "F8_E5M2": lambda n, w: q.fp8(n, w, kind="e5m2", scale="block"),
}
GGUF = {"Q8_0": WIDE, "Q4_0": WIDE, "Q4_K": DEEP, "Q6_K": DEEP}


def stored(folder, tensors, scheme, **config):
    """A model directory whose matrices, all but the embedding, are stored in a scheme."""
    if scheme in GGUF:
        folder.mkdir(parents=True, exist_ok=True)
        q.llama_gguf(folder / "model.gguf", tensors, scheme, heads=4, kv_heads=4)
        return folder
    out = {}
    for name, w in tensors.items():
        out |= SAFETENSORS[scheme](name, w) if w.ndim == 2 and "embed" not in name else {name: w}
    if scheme.endswith("v2"):
        config["quantization_config"] = {"quant_method": "gptq", "bits": 4, "checkpoint_format": "gptq_v2"}
    return save(folder, out, **config)


def save(folder, tensors, **config):
    folder.mkdir(parents=True, exist_ok=True)
    if scheme_of_torch := [n for n, t in tensors.items() if not isinstance(t, np.ndarray)]:
        import torch
        from safetensors.torch import save_file as save_torch

        save_torch({n: t if n in scheme_of_torch else torch.from_numpy(np.array(t)) for n, t in tensors.items()},
                   folder / "model.safetensors")  # fmt: skip
    else:
        save_file({n: np.ascontiguousarray(t) for n, t in tensors.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"} | config))
    return folder


@pytest.fixture
def pair(tmp_path):
    def run(scheme, change=lambda t: t, swap=False):
        base = llama(1, **GGUF.get(scheme, WIDE))
        child = stored(tmp_path / "child", change(base), scheme)
        parent = write(tmp_path / "base", base)
        return relate(parent, child) if swap else relate(child, parent)

    return run


@pytest.mark.parametrize("scheme", [*SAFETENSORS, *GGUF])
def test_a_quantized_child_its_scheme_and_its_error_are_told(pair, scheme):
    found = pair(scheme)
    assert (found.kind, found.child) == ("quantized", "a"), found.sentence
    assert f"({scheme})" in found.sentence
    assert found.p_value < 1e-6
    assert found.numbers["share outside"] <= 0.02
    assert found.numbers["error"] == pytest.approx(found.numbers["error of rounding"], rel=0.1)
    assert (found.only_a, found.only_b, found.reshaped) == ((), (), ())


@pytest.mark.parametrize("scheme", ["nf4", "GPTQ 4 bit", "F8_E4M3", "Q8_0"])
def test_it_does_not_matter_which_is_named_first(pair, scheme):
    assert (found := pair(scheme, swap=True)).kind == "quantized"
    assert found.child == "b"


@pytest.mark.parametrize("scheme", [*SAFETENSORS, *GGUF])
def test_tuned_and_then_quantized_is_related_and_not_called_quantized(pair, scheme):
    found = pair(scheme, tuned)  # by a fifth of the spread of the weights
    assert found.related
    assert found.p_value < 1e-6
    assert found.kind == "fine-tuned", found.sentence
    assert any(f"child ({scheme}) is quantized" in note for note in found.notes)


@pytest.mark.parametrize("scheme", ["nf4", "LLM.int8()", "F8_E4M3", "Q8_0"])
def test_a_light_tuning_before_rounding_shows_where_the_tool_is_exact(pair, scheme):
    """The error hardly grows, but numbers lie outside of the cells that rounding would have put them in."""
    found = pair(scheme, lambda t: tuned(t, size=0.05))
    assert found.kind == "fine-tuned", found.sentence


def test_columns_that_were_scaled_before_rounding_are_told(pair):
    """AWQ: a column is multiplied before rounding, and what feeds it divided."""

    def scaled(tensors):
        rng = np.random.default_rng(4)
        return {n: (w * np.exp(0.7 * rng.normal(size=w.shape[1]))).astype(np.float32)
                if w.ndim == 2 and "embed" not in n else w for n, w in tensors.items()}  # fmt: skip

    found = pair("AWQ 4 bit", scaled)
    assert found.kind == "quantized", found.sentence
    assert "once rows and columns are scaled" in found.sentence
    assert found.numbers["error once scaled"] < 2 * found.numbers["error of rounding"] < found.numbers["error"]


@pytest.mark.parametrize(("one", "other"), [("nf4", "Q8_0"), ("GPTQ 4 bit", "nf4"), ("F8_E4M3", "Q4_0")])
def test_one_model_quantized_twice(tmp_path, one, other):
    found = relate(stored(tmp_path / "a", BASE, one), stored(tmp_path / "b", BASE, other))
    assert (found.kind, found.child) == ("quantized", ""), found.sentence
    assert f"a ({one}) and b ({other})" in found.sentence


@pytest.mark.parametrize("scheme", ["nf4 double", "GPTQ 4 bit", "Q4_0"])
def test_a_copy_of_a_quantized_model_is_a_copy(tmp_path, scheme):
    a, b = stored(tmp_path / "a", BASE, scheme), stored(tmp_path / "b", BASE, scheme)
    assert relate(a, b).kind == "exact copy"
    if scheme == "GPTQ 4 bit":  # one scale elsewhere, beyond what is sampled or not
        tensors = load_file(a / "model.safetensors")
        name = next(n for n in tensors if n.endswith("scales"))
        tensors[name] = tensors[name].copy()
        tensors[name][0, 0] *= 1.01
        assert relate(save(a, tensors), b).kind != "exact copy"


@pytest.fixture(scope="module", params=["nf4 double", "GPTQ 4 bit", "F8_E4M3", "Q4_0"])
def strangers(request, tmp_path_factory):
    """p-values of independence of 210 pairs of strangers in one scheme."""
    folder = tmp_path_factory.mktemp("strangers")
    models = [open_model(stored(folder / str(i), llama(100 + i, layers=2, width=32, hidden=64), request.param))
              for i in range(21)]  # fmt: skip
    return [descent(models[i], models[j], level=1e-9).p_value for i in range(21) for j in range(i)]


@pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
def test_strangers_in_one_scheme_are_called_related_no_more_often_than_is_allowed(strangers, level):
    assert len(strangers) >= 200
    wrong = sum(p <= level for p in strangers)
    assert wrong == 0 or stats.binom.sf(wrong - 1, len(strangers), level) > 1e-3


@pytest.mark.parametrize("scheme", [*SAFETENSORS, *GGUF])
def test_strangers_stay_strangers(tmp_path, scheme):
    shape = GGUF.get(scheme, WIDE)
    found = relate(*(stored(tmp_path / str(k), llama(k, **shape), scheme) for k in (1, 2)))
    assert found.kind == "independent"


def test_parameters_are_counted_not_bytes(tmp_path):
    count = sum(t.size for t in BASE.values())
    for scheme in ("nf4 double", "GPTQ 4 bit", "AWQ 4 bit", "packed 8 bit", "LLM.int8()", "Q4_0"):
        folder = stored(tmp_path / scheme, BASE, scheme)
        assert open_model(folder).weights.parameter_count == count, scheme  # rope_freqs is none


MISSING = {
    "nf4": ".weight.absmax", "fp4": ".quant_state.bitsandbytes__fp4", "nf4 double": ".nested_quant_map",
    "GPTQ 4 bit": ".scales", "AWQ 4 bit": ".qzeros", "packed 4 bit": ".weight_scale", "F8_E4M3": "q_proj.weight_scale",
}  # fmt: skip


@pytest.mark.parametrize("scheme", MISSING)
def test_a_part_that_is_missing_is_one_sentence(tmp_path, scheme):
    from safetensors import safe_open

    folder = stored(tmp_path / "a", BASE, scheme)
    with safe_open(folder / "model.safetensors", "pt") as file:
        tensors = {n: file.get_tensor(n) for n in file.keys()}  # noqa: SIM118
    name = next(n for n in sorted(tensors) if n.endswith(MISSING[scheme]))
    from safetensors.torch import save_file as save_torch

    save_torch({n: t for n, t in tensors.items() if n != name}, folder / "model.safetensors")
    with pytest.raises(BadInput, match="missing") as raised:
        open_model(folder)
    assert "\n" not in str(raised.value)


def test_a_scheme_that_is_not_known_is_named_with_its_tensors(tmp_path):
    a = {n: t for n, t in BASE.items() if "proj" not in n}
    for n, t in BASE.items():
        if "proj" in n:
            a[n.removesuffix("weight") + "W_q"] = np.zeros((len(t), t.shape[1] // 2), np.uint8)
    child = save(tmp_path / "a", a, quantization_config={"quant_method": "hqq"})
    found = relate(child, write(tmp_path / "b", BASE))
    said = [n for n in found.notes if "cannot be read as numbers" in n]
    assert said == ["21 tensors of a (U8; its configuration says hqq) cannot be read as numbers, such as "
                    "model.layers.0.mlp.down_proj.W_q."]  # fmt: skip
    only = {n: t for n, t in a.items() if n.endswith("W_q")}
    with pytest.raises(BadInput, match="says hqq, which is not read"):
        open_model(save(tmp_path / "c", only, quantization_config={"quant_method": "hqq"}))


def test_several_gguf_models_in_one_directory_are_one_sentence(tmp_path):
    for kind in ("Q4_0", "Q8_0"):
        q.llama_gguf(tmp_path / f"{kind}.gguf", BASE, kind)
    with pytest.raises(BadInput, match=r"holds 2 GGUF models \(Q4_0.gguf, Q8_0.gguf\)"):
        open_model(tmp_path)
    assert open_model(tmp_path / "Q4_0.gguf").scheme == "Q4_0"


def test_gguf_files_of_one_directory_are_compared_by_their_names(tmp_path):
    base = write(tmp_path / "base", BASE)
    (base / "tokenizer_config.json").write_text('{"bos_token": "<s>"}')
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "README.md").write_text("---\nlicense: mit\n---\n# Tiny\n")
    files = [
        q.llama_gguf(tmp_path / "all" / f"tiny-7b-{k}.gguf", BASE, k, heads=4, kv_heads=4) for k in ("Q4_0", "Q8_0")
    ]
    found = compare_directories(files[0], base)
    assert (found.relation.kind, found.relation.child, found.version.level) == ("quantized", "a", "MINOR")
    assert not {"tokenizer", "architecture"} & {c.area for c in found.changes}
    assert len(found.naming.false) == 1
    assert "says 7b" in found.naming.false[0]
    found = compare_directories(*files)
    assert found.relation.related
    assert (found.changes, found.silent, found.naming.signaled) == ((), (), True)
    with pytest.raises(BadInput, match="a model directory or a GGUF file"):
        compare_directories(tmp_path / "all" / "README.md", base)


def test_only_some_matrices_are_read_where_the_heads_are_grouped(tmp_path):
    """Keys have fewer heads than queries: each is put back in its own order, bit by bit."""
    base = llama(1, **WIDE)
    for name in base:
        if name.endswith(("k_proj.weight", "v_proj.weight")):
            base[name] = base[name][:32]
    (tmp_path / "a").mkdir()
    q.llama_gguf(tmp_path / "a/model.gguf", base, "F32", heads=4, kv_heads=2)
    found = relate(tmp_path / "a", write(tmp_path / "b", base))
    weights = open_model(tmp_path / "a").weights
    for name, w in base.items():
        if "embed" not in name:
            assert np.array_equal(weights[name], w), name
    assert found.kind == "cast"  # the embedding is F16


def test_errors_that_were_compensated_as_gptq_does_are_quantized_and_said(tmp_path):
    """The rest of every column is changed so that outputs stay: errors grow, and numbers leave their cells."""
    rng = np.random.default_rng(9)
    out = {}
    for name, w in BASE.items():
        if w.ndim < 2 or "embed" in name:
            out[name] = w
            continue
        mixed = rng.normal(size=(w.shape[1], w.shape[1])) @ np.diag(np.linspace(0.2, 1, w.shape[1]))
        hessian = mixed @ mixed.T + 0.3 * len(mixed) * np.eye(len(mixed))
        upper = np.linalg.cholesky(np.linalg.inv(hessian)).T
        left, rounded = w.astype(np.float64).copy(), np.zeros_like(w)
        step = np.abs(w).max(axis=1) / 7.5
        for j in range(w.shape[1]):
            rounded[:, j] = np.clip(np.round(left[:, j] / step), -8, 7) * step
            left[:, j + 1 :] -= np.outer((left[:, j] - rounded[:, j]) / upper[j, j], upper[j, j + 1 :])
        half = 8
        out |= {
            name + "_packed": q.pack(np.round(rounded / step[:, None]).astype(int) + half, 4, 1),
            name + "_shape": np.array(w.shape), name + "_scale": step[:, None].astype(np.float32),
        }  # fmt: skip
    found = relate(save(tmp_path / "a", out), write(tmp_path / "b", BASE))
    assert (found.kind, found.child) == ("quantized", "a"), found.sentence
    assert found.numbers["share outside"] > 0.05
    assert found.numbers["error"] > found.numbers["error of rounding"]
    assert any("compensated" in note for note in found.notes)


def test_the_atlas_puts_quantized_models_below_their_base_and_strangers_apart(tmp_path):
    roots = {k: llama(k, **WIDE) for k in (1, 2)}
    times = {}
    for k, base in roots.items():
        write(tmp_path / f"base-{k}", base)
        times[f"base-{k}"] = 1e9
        for scheme in ("nf4 double", "GPTQ 4 bit", "LLM.int8()", "F8_E4M3", "Q4_0"):
            name = f"{scheme.split()[0]}-{k}"  # AWQ on the grid of GPTQ would be a copy
            stored(tmp_path / name, base, scheme)
            times[name] = 1.1e9
    entries = read_collection(tmp_path, times=times)
    edges, family = chart(entries, distances(entries))
    assert len(entries) == 12
    assert {entries[e.parent].name[-1] + entries[e.child].name[-1] for e in edges} == {"11", "22"}
    assert all(entries[e.parent].name.startswith("base") for e in edges)
    assert len(edges) == 10
    assert len(set(family)) == 2
    assert sum(e.quantized for e in entries) == 10
