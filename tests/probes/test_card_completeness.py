"""Card completeness: known fill is counted exactly, templates count nothing, and a broken reader concludes nothing."""

from __future__ import annotations

import numpy as np
import pytest

import probatum as pb
from probatum.controls.documents import UNTOUCHED, Folder, planted_card
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.files.card_sections import SECTIONS
from probatum.files.documents import Documents
from probatum.probes.transparency.card_completeness import card_completeness
from probatum.testing import TableTarget


def test_of_two_hundred_cards_the_known_fill_is_counted_exactly():
    for n in range(200):
        rng = keyed("card", n)
        filled = [name for name in SECTIONS if rng.random() < n / 199]
        text = planted_card(filled, template=int(rng.integers(len(UNTOUCHED))), front="license: mit\n" * (n % 2))
        scores = card_completeness(Folder(f"card {n}", {"README.md": text}))
        assert [name for name, value in zip(scores.ids, scores.values, strict=True) if value] == filled


def test_a_model_without_a_card_has_filled_nothing_and_says_so():
    scores = card_completeness(Folder("none", {"config.json": "{}"}))
    assert not scores.values.any()
    assert scores.note == "there is no model card (README.md)"


def test_few_words_are_too_few_and_the_place_is_named():
    target = Folder("few", {"README.md": "# m\n\n## Training\n\non two old notices\n"})
    assert card_completeness(target).values.sum() == 0
    scores = card_completeness(target, least=4)
    assert scores.said[SECTIONS.index("training")] == "README.md, line 5; 4 words"
    assert scores.values[SECTIONS.index("training")] == 1


def test_no_words_at_all_cannot_be_asked_for():
    with pytest.raises(BadInput, match="at least 1"):
        card_completeness(Folder("x", {"a": "b"}), least=0)


def test_the_specimen_and_its_twin_have_filled_one_section():
    for name in ("specimen", "twin"):
        finding = pb.run(card_completeness, name)
        assert (finding.outcome, finding.estimate.value, finding.estimate.n) == ("measured", 0.125, 8)
        assert finding.breakdown["details"].method.startswith("README.md, line ")


@pytest.mark.parametrize("broken", ["reads nothing", "takes templates for text", "misses headings"])
def test_a_broken_reader_concludes_nothing(broken, monkeypatch):
    import probatum.files.card_sections as reader
    import probatum.probes.transparency.card_completeness as probe

    if broken == "reads nothing":
        monkeypatch.setattr(probe, "read_documents", lambda folder: Documents(folder))
    elif broken == "takes templates for text":
        monkeypatch.setattr(reader, "_STANDING", ())
    else:
        monkeypatch.setattr(reader, "_about", lambda heading, above, scheme: frozenset({"details"}))
    finding = pb.run(card_completeness, "twin")
    assert finding.outcome == "inconclusive"
    assert finding.reason.startswith("the control '")


def test_a_target_without_files_reads_not_run():
    finding = pb.run(card_completeness, TableTarget(said={}))
    assert finding.outcome == "not run"
    assert finding.reason.startswith("needs BYTES, this toy model gives ")


def test_the_share_counts_and_claims_no_interval():
    finding = pb.run(card_completeness, Folder("half", {"README.md": planted_card(SECTIONS[:4])}))
    assert finding.estimate.value == 0.5
    assert (finding.estimate.low, finding.estimate.kind) == (None, "point")
    assert np.isclose(sum(v.value for name, v in finding.breakdown.items() if name in SECTIONS), 4)
