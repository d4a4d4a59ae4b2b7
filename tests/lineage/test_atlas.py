"""The atlas of a forest whose descent is known, the arborescence of its baseline, licenses and traits along edges."""

import itertools
import json

import numpy as np
import pytest
from forest import Forest, grow
from safetensors.numpy import save_file

from probatum.core.errors import BadInput
from probatum.lineage.atlas import Rules, chart
from probatum.lineage.collection import distances, moment, read_collection
from probatum.lineage.edmonds import arborescence
from probatum.lineage.licenses import DUTIES, judge, license_of
from probatum.lineage.mother import heritage
from probatum.lineage.survey import survey
from probatum.lineage.traits import jaccard, likeness, mutations, traits
from probatum.reports.atlas import html, layout


@pytest.fixture(scope="module")
def forest(tmp_path_factory):
    """(the forest, what was read of it, its distances)."""
    made = grow(3)
    folder = tmp_path_factory.mktemp("forest")
    made.write(folder)
    entries = read_collection(folder)
    return made, entries, distances(entries), folder


def right(made: Forest, edges) -> float:
    """Share of the models that have parents of which all parents, and no others, were found."""
    found: dict[int, set[int]] = {}
    for parent, child in edges:
        found.setdefault(child, set()).add(parent)
    own = [i for i, p in enumerate(made.parents) if p]
    return sum(found.get(i, set()) == set(made.parents[i]) for i in own) / len(own)


def pairs(edges):
    return [(e.parent, e.child) for e in edges]


def test_the_forest_is_recovered(forest):
    made, entries, table, _ = forest
    edges, family = chart(entries, table)
    assert len(entries) >= 150
    assert right(made, pairs(edges)) >= 0.95
    assert len(set(family)) == made.kinds.count("root")
    roots = set(range(len(entries))) - {e.child for e in edges}
    assert roots == {i for i, k in enumerate(made.kinds) if k == "root"}
    assert {e.rule for e in edges} == {"card", "copy", "quantized", "nearest", "snake", "fan"}
    assert all(e.p_value < 1e-4 for e in edges)


@pytest.mark.parametrize("without", ["time", "copies", "quantized", "known"])
def test_each_rule_is_worth_something(forest, without):
    made, entries, table, _ = forest
    whole = right(made, pairs(chart(entries, table)[0]))
    assert right(made, pairs(chart(entries, table, rules=Rules(**{without: False}))[0])) < whole


def test_only_rounded_models_are_called_quantized(forest):
    made, entries, _, _ = forest
    assert [e.quantized for e in entries] == [k == "eight bits" for k in made.kinds]


def test_the_baseline_gives_every_family_one_root_and_nobody_two_parents(forest):
    _, entries, table, _ = forest
    family = chart(entries, table)[1]
    for grows in (True, False):
        edges = heritage(entries, table, family, grows=grows)
        children = [c for _, c in edges]
        assert len(children) == len(set(children)) == len(entries) - len(set(family))
        assert all(family[p] == family[c] for p, c in edges)


def test_a_fan_on_the_end_of_a_snake_is_where_the_rule_fails(tmp_path):
    """The oldest neighbor is then an older checkpoint. It is a limit of the rule; the docs say so."""
    made = grow(0, fans=2, snakes=3, deep=True)
    made.write(tmp_path)
    entries = read_collection(tmp_path)
    table = distances(entries)
    scores = {f: right(made, pairs(chart(entries, table, rules=Rules(fans=f))[0])) for f in (True, False)}
    assert scores[True] < 0.9
    assert scores[False] > scores[True]


def test_strangers_have_no_edges(tmp_path):
    made = grow(5, fans=0, snakes=0)
    from forest import fresh

    for _ in range(12):
        made.add(fresh(made.rng), (), "root")
    made.write(tmp_path)
    entries = read_collection(tmp_path)
    edges, family = chart(entries, distances(entries))
    assert not edges
    assert len(set(family)) == 12


@pytest.mark.parametrize("seed", range(20))
def test_the_arborescence_equals_brute_force(seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(1, 12, size=(5, 5)).astype(float) if seed % 2 else rng.random((5, 5))
    cost[rng.random((5, 5)) < 0.2] = np.inf
    best = np.inf
    for choice in itertools.product(range(5), repeat=4):
        parent = [-1, *choice]
        if all(_reaches(parent, i) for i in range(1, 5)):
            best = min(best, sum(cost[parent[i], i] if parent[i] != i else np.inf for i in range(1, 5)))
    if not np.isfinite(best):
        with pytest.raises(ValueError, match="reached"):
            arborescence(cost, 0)
        return
    found = arborescence(cost, 0)
    assert all(_reaches(found.tolist(), i) for i in range(1, 5))
    assert sum(cost[found[i], i] for i in range(1, 5)) == pytest.approx(best)


def _reaches(parent, i):
    for _ in range(6):
        if i == 0:
            return True
        i = parent[i]
    return False


@pytest.mark.parametrize(
    ("parent", "child", "verdict"),
    [
        ("mit", "apache-2.0", "kept"),
        ("apache-2.0", "gpl-3.0", "kept"),
        ("gpl-3.0", "mit", "conflict"),
        ("gpl-3.0", "agpl-3.0", "kept"),
        ("agpl-3.0", "gpl-3.0", "conflict"),
        ("lgpl-3.0", "gpl-3.0", "kept"),
        ("cc-by-sa-4.0", "cc-by-4.0", "conflict"),
        ("cc-by-nc-4.0", "apache-2.0", "conflict"),
        ("cc-by-4.0", "cc-by-nc-4.0", "kept"),
        ("cc-by-nd-4.0", "cc-by-nd-4.0", "conflict"),
        ("llama3", "apache-2.0", "conflict"),
        ("llama3", "gemma", "conflict"),
        ("openrail", "creativeml-openrail-m", "kept"),
        ("my-own", "mit", "unknown"),
        ("gpl-3.0", "my-own", "unknown"),
        ("gpl-3.0", "", "unknown"),
    ],
)
def test_a_license_that_drops_a_duty_is_a_conflict_and_an_unknown_one_never(parent, child, verdict):
    found = judge((parent,), (child,) if child else ())
    assert found.verdict == verdict
    assert bool(found.lost) is (verdict == "conflict")


def test_every_license_may_follow_itself_unless_it_allows_nothing_to_follow():
    for name, asked in DUTIES.items():
        assert judge((name,), (name,)).verdict == ("conflict" if "no derivatives" in asked else "kept")


@pytest.mark.parametrize(
    ("card", "names"),
    [
        ({"license": "MIT"}, ("mit",)),
        ({"license": ["GPL-3.0-or-later", "cc-by-4.0"]}, ("gpl-3.0", "cc-by-4.0")),
        ({"license": "other", "license_name": "llama3"}, ("llama3",)),
        ({"license": "other", "license_name": "mine"}, ("other",)),
        ({"license": "openrail++"}, ("openrail++",)),
        ({"license": 3}, ()),
        ({}, ()),
    ],
)
def test_licenses_of_cards(card, names):
    assert license_of(card) == names


def test_traits_by_hand():
    a, b = ({"license": "mit", "language": ["en", "de"], "tags": x} for x in (["x"], ["x", "y"]))
    b["language"] = "en"
    assert jaccard(traits(a), traits(b)) == pytest.approx(3 / 5)
    assert jaccard({}, {}) is None
    rows = {m["trait"]: m for m in mutations([a, b, b], [(0, 1), (0, 2), (1, 2)])}
    assert (rows["license"]["changed"], rows["license"]["edges"]) == (0, 3)
    assert rows["language"]["rate"] == pytest.approx(2 / 3)
    assert rows["language"]["drift"] == [("de, en", "en", 2, 0)]
    assert rows["task"]["rate"] is None


@pytest.mark.parametrize(("directed", "closer"), [(True, True), (False, False)])
def test_directed_mutation_makes_siblings_more_alike_than_parent_and_child(directed, closer):
    """P166's finding in a simulation: where all children drift the same way, siblings agree more than with a parent."""
    rng = np.random.default_rng(4)
    cards, edges = [], []
    for _ in range(60):
        parent = {"tags": [f"t{rng.integers(40)}" for _ in range(6)]}
        cards.append(parent)
        root = len(cards) - 1
        for _ in range(4):
            tags = list(parent["tags"])
            for k in range(3):
                tags[k] = f"new{k}" if directed else f"t{rng.integers(40)}"
            cards.append({"tags": tags})
            edges.append((root, len(cards) - 1))
    found = likeness(cards, edges, [i // 5 for i in range(len(cards))])
    assert (found["siblings"]["low"] > found["parent and child"]["high"]) is closer
    assert found["parent and child"]["low"] <= found["parent and child"]["mean"] <= found["parent and child"]["high"]


def test_likeness_of_strangers_covers_where_models_are_few():
    """Twelve models make 66 pairs, but they are twelve: resampling pairs covers in half of the cases."""
    rng = np.random.default_rng(6)

    def card():
        share = (0.2, 0.9)[rng.integers(2)]
        return {"tags": [f"t{k}" for k in range(6) if rng.random() < share]}

    pairs = (jaccard(traits(card()), traits(card())) for _ in range(4000))
    truth = np.mean([s for s in pairs if s is not None])
    found = [likeness([card() for _ in range(12)], [], range(12))["strangers"] for _ in range(200)]
    assert np.mean([f["low"] <= truth <= f["high"] for f in found]) >= 0.9
    assert max(f["n"] for f in found) == 66
    assert likeness([card() for _ in range(2)], [], range(2))["strangers"]["low"] is None


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        ("1970-01-02", 86400),
        ("1970-01-01T00:00:05+00:00", 5),
        (7.5, 7.5),
        ("yesterday", None),
        (True, None),
        (None, None),
    ],
)
def test_times(raw, seconds):
    assert moment(raw) == seconds


def small(tmp_path, **cards):
    """Three generations, with cards; the names are hostile."""
    made = Forest(np.random.default_rng(1))
    from forest import fresh, train

    task = np.random.default_rng(2).normal(size=(16, 6))
    made.add(train(fresh(made.rng), made.rng, task, 100), (), "root")
    made.add(train(made.nets[0], made.rng, task, 60, 0.02), (0,), "snake")
    made.add(train(made.nets[1], made.rng, task, 60, 0.02), (1,), "snake")
    names = made.write(tmp_path)
    for name, text in cards.items():
        (tmp_path / name / "README.md").write_text(f"---\n{text}\n---\n")
    return names


def test_the_survey_names_conflicts_and_the_page_shows_them_without_script(tmp_path):
    small(tmp_path, m000="license: gpl-3.0", m001="license: mit", m002="license: odd")
    (tmp_path / "m002").rename(tmp_path / "<script>alert(1)</script>‮x".replace("/", "_"))
    found = survey(tmp_path)
    assert found.licenses == {"kept": 0, "conflict": 1, "unknown": 1}
    (conflict,) = found.conflicts
    assert found.models[conflict["parent"]]["name"] == "m000"
    page = html(found)
    assert "mit drops what gpl-3.0 asks" in page
    assert "<script" not in page
    assert "‮" not in page
    assert page.count('id="row-') == page.count('id="node-') == 3
    assert 'class="first conflict"' in page
    assert "dated by their files only" in page


def test_given_times_turn_the_edges_round(tmp_path):
    small(tmp_path)
    forward = {(e["parent"], e["child"]) for e in survey(tmp_path, rules=Rules(fans=False)).edges}
    back = survey(tmp_path, times={"m000": 3.0, "m001": 2.0, "m002": 1.0}, rules=Rules(fans=False))
    assert forward == {(0, 1), (1, 2)}
    assert {(e["parent"], e["child"]) for e in back.edges} == {(2, 1), (1, 0)}
    assert not any("files only" in n for n in back.notes)


def test_cards_that_name_each_other_do_not_hang_the_drawing(tmp_path):
    small(tmp_path, m000="base_model: m002", m001="base_model: m000", m002="base_model: org/m001")
    found = survey(tmp_path)
    places, tree, second = layout(found)
    assert len(places) == 3
    assert len(tree) + len(second) == 3
    assert html(found)


def test_a_card_that_the_weights_do_not_bear_out_is_noted(tmp_path):
    made = Forest(np.random.default_rng(1))
    from forest import fresh

    for _ in range(2):
        made.add(fresh(made.rng), (), "root")
    made.write(tmp_path)
    (tmp_path / "m001" / "README.md").write_text("---\nbase_model: m000\n---\n")
    found = survey(tmp_path)
    assert any("stand on a card alone" in note for note in found.notes)
    assert found.edges[0]["p_value"] > 1e-4


def test_bad_input_is_one_sentence(tmp_path):
    with pytest.raises(BadInput, match="at least two model directories"):
        survey(tmp_path)
    with pytest.raises(BadInput, match="there is none here"):
        survey(tmp_path / "nothing")
    small(tmp_path)
    with pytest.raises(BadInput, match="the times name m9"):
        survey(tmp_path, times={"m9": 1.0})


def test_the_survey_is_json(tmp_path):
    small(tmp_path)
    from probatum.core.plain import to_plain

    again = json.loads(json.dumps(to_plain(survey(tmp_path))))
    assert len(again["models"]) == 3


def test_documentation_of_a_collection_is_counted(tmp_path):
    from probatum.lineage.practice import filled, practice

    cards = {
        "a": "# A\n\n## Training data\n\nLetters of a bank, collected by hand in one year.\n",
        "b": "# B\n\n## Training data\n\n[More Information Needed]\n",
        "c": None,
    }
    found = []
    for name, text in cards.items():
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "README.md").write_text(text)
        found.append(filled(tmp_path / name))
    rows = {row["name"]: row for row in practice(found)}
    assert (rows["a card"]["count"], rows["a card"]["n"]) == (2, 3)
    assert (rows["training"]["count"], rows["training"]["n"]) == (1, 2)
    assert rows["training"]["low"] < 0.5 < rows["training"]["high"]
    assert rows["evaluation"]["count"] == 0
    assert [row["rate"] for row in practice([])] == [None] * 9


def test_a_model_that_cannot_be_read_is_left_out_and_named(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b", "cut"):
        (tmp_path / name).mkdir()
        tensors = {"mlp.fc1.weight": rng.normal(size=(64, 16)), "mlp.fc2.weight": rng.normal(size=(16, 64))}
        save_file({n: t.astype(np.float32) for n, t in tensors.items()}, tmp_path / name / "model.safetensors")
    whole = (tmp_path / "cut" / "model.safetensors").read_bytes()
    (tmp_path / "cut" / "model.safetensors").write_bytes(whole[:-64])
    found = survey(tmp_path)
    assert [m["name"] for m in found.models] == ["a", "b"]
    assert found.notes[0].startswith("cut was left out: ")
    assert "truncated" in found.notes[0]
    (tmp_path / "b" / "model.safetensors").unlink()
    with pytest.raises(BadInput, match="at least two models that can be read; cut was left out"):
        survey(tmp_path)
