"""Two directories and what one has to do with the other: every kind of change is planted, strangers stay strangers."""

import json

import numpy as np
import pytest
from models import (
    by_rows,
    llama,
    matrices,
    orthogonal,
    permutation,
    pruned,
    reordered,
    tuned,
    turned,
    with_lora,
    write,
)  # fmt: skip
from scipy import stats

from probatum.core.errors import BadInput
from probatum.lineage.descent import descent
from probatum.lineage.model import open_model
from probatum.lineage.relation import relate

BASE = llama(1)


@pytest.fixture
def pair(tmp_path):
    """Write a model and its base, and relate the two."""

    def run(tensors, base=BASE, other=None, level=0.001, **how):
        a, b = write(tmp_path / "a", tensors, **how), write(tmp_path / "b", base)
        third = write(tmp_path / "c", other) if other is not None else None
        return relate(a, b, other=third, level=level)

    return run


CHANGES = {
    "exact copy": lambda: BASE,
    "cast": lambda: {n: t.astype(np.float16) for n, t in BASE.items()},
    "quantized": lambda: matrices(by_rows(8), BASE),
    "pruned": lambda: matrices(pruned, BASE),
    "scaled": lambda: matrices(lambda w: 1.7 * w, BASE),
    "LoRA-merged": lambda: with_lora(BASE),
    "fine-tuned": lambda: tuned(BASE),
    "permuted": lambda: reordered(BASE),
    "rotated": lambda: turned(BASE, orthogonal(24)),
    "independent": lambda: llama(2),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_was_done_is_told(pair, kind):
    found = pair(CHANGES[kind]())
    assert found.kind == kind
    assert found.sentence
    assert (found.p_value < 1e-6) is (kind != "independent")
    assert found.child == ("a" if kind in ("cast", "quantized", "pruned") else "")


@pytest.mark.parametrize("kind", ["cast", "quantized", "pruned"])
def test_it_does_not_matter_which_of_the_two_is_named_first(pair, kind):
    found = pair(BASE, base=CHANGES[kind]())
    assert (found.kind, found.child) == (kind, "b")


@pytest.mark.parametrize(("bits", "levels"), [(8, 255), (4, 15)])
def test_the_levels_of_a_quantized_model_are_counted(pair, bits, levels):
    assert pair(matrices(by_rows(bits), BASE)).numbers["levels"] <= levels


def test_four_bits_in_groups(pair):
    base = llama(1, width=64, hidden=128)

    def grouped(w):
        return by_rows(4)(w.reshape(-1, 32)).reshape(w.shape)

    numbers = pair(matrices(grouped, base), base=base).numbers
    assert (numbers["group"], numbers["bits"]) == (32, 4)


def test_codes_of_whole_numbers_are_a_quantized_model(pair):
    codes = {n: np.round(127 * w / np.abs(w).max(axis=1, keepdims=True)).astype(np.int8) if w.ndim == 2 else w
             for n, w in BASE.items()}  # fmt: skip
    assert pair(codes).kind == "quantized"


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_the_rank_of_a_merged_lora_is_stated(pair, rank):
    found = pair(with_lora(BASE, rank))
    assert found.numbers["rank"] == rank
    assert "3 of 21 matrices (q_proj)" in found.sentence


def test_a_lora_merged_in_half_precision_still_shows_its_rank(pair):
    base = {n: t.astype(np.float16) for n, t in llama(1, width=64, hidden=128).items()}
    merged = {n: t.astype(np.float16) for n, t in with_lora({n: t.astype(np.float32) for n, t in base.items()}).items()}
    assert pair(merged, base=base).numbers["rank"] == 3


def test_a_merge_of_two_gives_its_coefficients(pair):
    first, second = tuned(BASE, 3), tuned(BASE, 4)
    found = pair({n: 0.7 * first[n] + 0.3 * second[n] for n in BASE}, base=first, other=second)
    assert found.kind == "merged"
    assert "0.700 · b + 0.300 · c" in found.sentence
    assert found.numbers["p of the second parent"] <= 0.001


def test_a_sibling_is_no_second_parent(pair):
    found = pair(tuned(BASE, 3), other=tuned(BASE, 4))
    assert found.kind == "fine-tuned"
    assert any("no merge of b and c" in note for note in found.notes)


def test_a_stranger_is_no_second_parent(pair):
    assert pair(tuned(BASE, 3), other=llama(2)).kind == "fine-tuned"


@pytest.mark.parametrize(
    ("change", "also"),
    [
        (lambda t: reordered(t, scale=True), "scaled"),
        (lambda t: reordered(tuned(t)), "fine-tuned"),
        (lambda t: turned(t, permutation(24)), "exact copy"),
        (lambda t: reordered(turned(t, permutation(24))), "exact copy"),
    ],
)
def test_what_evades_the_test_in_place_is_found_by_reordering(pair, change, also):
    found = pair(change(BASE))
    assert found.kind == "permuted"
    assert found.numbers["also"] == also
    assert next(t.p_value for t in found.tests if t.name == "units") > 0.001


def test_reordered_and_rotated_evades_and_is_said_to_be_open(pair):
    """No unit is found again, so descent is not claimed; the geometry of the tokens keeps it from "independent"."""
    found = pair(reordered(turned(BASE, orthogonal(24))))
    assert found.kind == "not established"
    assert found.numbers["token geometry"] > 0.999
    assert not found.related


def test_an_embedding_that_was_replaced_as_well_evades_everything(pair):
    hidden = reordered(turned(BASE, orthogonal(24))) | {
        "model.embed_tokens.weight": llama(9)["model.embed_tokens.weight"]
    }
    found = pair(hidden)
    assert found.kind == "independent"
    assert any("evades" in note for note in found.notes)


def test_names_shards_types_and_vocabulary_may_differ(pair):
    grown = tuned(BASE)
    rows = np.zeros((5, 24), np.float32) + 0.1
    grown["model.embed_tokens.weight"] = np.vstack([grown["model.embed_tokens.weight"], rows])
    renamed = {"base_model.model." + n: t.astype(np.float16) for n, t in grown.items()}
    found = pair(renamed, shards=3)
    assert found.kind == "fine-tuned"
    assert any("has 101 rows in a and 96 in b" in note for note in found.notes)
    assert (found.only_a, found.only_b, found.reshaped) == ((), (), ())


@pytest.mark.parametrize(
    ("layers", "said"),
    [((0, 2, 3), "are layers 0, 2–3 of b; 1 dropped"), ((0, 1, 1, 2, 3), "are layers 0–1, 1–3 of b; 1 repeated")],
)
def test_layers_are_found_by_content_where_the_depth_differs(pair, layers, said):
    base = llama(1, layers=4)
    child = {n: t for n, t in tuned(base, size=0.1).items() if "layers" not in n}
    for new, old in enumerate(layers):
        child |= {n.replace(f"layers.{old}.", f"layers.{new}."): t for n, t in tuned(base, new, 0.1).items()
                  if f"layers.{old}." in n}  # fmt: skip
    found = pair(child, base=base)
    assert found.kind == "fine-tuned"
    assert any(said in note for note in found.notes), found.notes
    assert list(next(iter(found.layers.values())).values()) == list(layers)


def test_one_number_elsewhere_is_seen(pair):
    wide = llama(1, tokens=4000)
    edited = {n: t.copy() for n, t in wide.items()}
    edited["model.embed_tokens.weight"][::7] += 1e-3
    sampled = pair(edited, base=wide)
    assert sampled.kind != "exact copy"
    single = {n: t.copy() for n, t in wide.items()}
    from probatum.lineage.drawing import rows_of

    rows = rows_of(4000, 256, "rows", "embed_tokens.weight")
    unread = next(i for i in range(4000) if i not in set(rows.tolist()))
    single["model.embed_tokens.weight"][unread, 0] += 1e-3
    assert pair(single, base=wide).kind == "edited"


def test_constants_that_all_fresh_models_share_are_no_copy(pair):
    a, b = llama(1, layers=1), llama(2, layers=1)
    shared = {f"model.buffer{i}": np.eye(24, dtype=np.float32) for i in range(40)}
    assert pair(a | shared, base=b | shared).kind == "independent"


@pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
def test_strangers_are_called_related_no_more_often_than_is_allowed(strangers, level):
    wrong = sum(p <= level for p in strangers)
    assert stats.binom.sf(wrong - 1, len(strangers), level) > 1e-3 or wrong == 0


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """p-values of independence of 231 pairs of strangers, some of another depth."""
    folder = tmp_path_factory.mktemp("strangers")
    models = [open_model(write(folder / str(i), llama(100 + i, layers=2 + i % 2, hidden=40))) for i in range(22)]
    pairs = [(i, j) for i in range(22) for j in range(i)]
    return [descent(models[i], models[j], level=1e-9).p_value for i, j in pairs]


def test_each_exact_count_follows_its_law(tmp_path):
    """Not only rare: the counts of strangers are as large as Poisson says, so that the tests are not lame either."""
    models = [open_model(write(tmp_path / str(i), llama(500 + i, hidden=40))) for i in range(18)]
    counts: dict[str, list[int]] = {}
    for i in range(18):
        for j in range(i):
            for test in descent(models[i], models[j], level=1e-9).tests:
                counts.setdefault(test.name, []).append(test.matched)
    for name, mean in (("units", 3), ("embedding", 1), ("units, up to rotation", 3)):
        found = np.array(counts[name])
        assert found.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / len(found))), name


def test_ties_do_not_count_as_places(pair):
    """Units of equal weights could be assigned in any order; keeping the order must not look like descent."""
    flat = matrices(lambda w: np.ones_like(w), llama(1))
    other = matrices(lambda w: np.ones_like(w) * 2, llama(2))
    assert descent_p(pair, flat, other) > 0.001


def descent_p(pair, a, b):
    found = pair(a, base=b)
    return next(t.p_value for t in found.tests if t.name == "units")


def test_models_that_share_nothing_are_not_judged(pair):
    found = pair({"other.thing": np.ones((3, 5), np.float32)})
    assert found.kind == "not established"
    assert found.p_value is None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b"xx"), "truncated"),
        (lambda f: (f / "model.safetensors").unlink(), "expected safetensors"),
        (lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../b"}}'), "names files of"),
        (
            lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "x.safetensors"}}'),
            "not here",
        ),
    ],
)
def test_a_broken_directory_is_one_sentence(tmp_path, spoil, said):
    folder = write(tmp_path / "a", BASE)
    spoil(folder)
    with pytest.raises(BadInput, match=said):
        relate(folder, folder)


def test_a_header_that_lies_about_a_shape_is_refused(tmp_path):
    head = json.dumps({"w": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 32]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(32))
    with pytest.raises(BadInput, match="its bytes are not as many"):
        open_model(tmp_path)


def test_numbers_that_are_not_finite_end_nothing(pair):
    broken = {n: t.copy() for n, t in BASE.items()}
    for t in broken.values():
        t.flat[::17] = np.nan
        t.flat[1::29] = np.inf
    found = pair(broken)
    assert found.kind == "not established"
    assert "no units could be compared" in found.sentence
    few = {n: np.where(np.arange(t.size).reshape(t.shape) == 5, np.nan, t) for n, t in tuned(BASE).items()}
    found = pair(few)
    assert found.kind == "fine-tuned"
    assert any("not finite" in note for note in found.notes)


def test_what_is_read_does_not_grow_with_the_rows_of_a_tensor(tmp_path, monkeypatch):
    """A sample of every tensor is read, so time grows with the number of tensors and their width, not with the file."""
    from probatum.files.tensors import Weights

    counts: list[int] = []
    plain = Weights.rows

    def counted(self, name, index):
        counts.append(len(index) * int(np.prod(self.shapes[name][1:])))
        return plain(self, name, index)

    monkeypatch.setattr(Weights, "rows", counted)
    read = []
    for k, tokens in enumerate((4_000, 40_000)):
        counts.clear()
        base = llama(1, tokens=tokens)
        relate(write(tmp_path / f"{k}a", tuned(base)), write(tmp_path / f"{k}b", base))
        read.append(sum(counts))
    assert read[0] == read[1] < 24 * 40_000
