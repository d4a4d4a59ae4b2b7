"""EZ-MIA: error positions by hand; target and reference exchanged turn the ratio over."""

import pytest

from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.probes.privacy.membership.ez_mia import ez_mia
from probatum.testing import NgramTarget, TableTarget, UniformTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()


def pair(rows):
    """Target and reference from {text: [(character, log p, log p of the reference, right?)]}."""
    tables = []
    for column in (1, 2):
        table = {t: [(r[0], r[column], 0.0, 1.0, r[0] if r[3] else "#") for r in row] for t, row in rows.items()}
        tables.append(TableTarget.of_tokens(table, name=f"table {column}"))
    return tables


def score(rows, text=None):
    target, reference = pair(rows)
    texts = Members.from_rows([{"id": "one", "text": text or next(iter(rows))}])
    return ez_mia(target, texts, reference=reference)


def test_what_was_learned_by_heart_is_found(found):
    result = found(ez_mia, toy_target(planted=True), reference=toy_target(planted=False))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_what_was_learned_in_part_is_found_where_the_model_is_still_wrong(found):
    """With so weak a dose every text keeps errors, so that no text scores 1 for having none."""
    records = toy_data()["Members"]
    weak = NgramTarget(
        {**{t: 0.01 for t, m in zip(records.texts, records.label, strict=True) if m}, "a word.": 1.0},
        order=3, smoothing=0.05,
    )  # fmt: skip
    reference = NgramTarget({"a word.": 1.0}, order=3, smoothing=0.05)
    result = found(ez_mia, weak, reference=reference)
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert (
        found(ez_mia, toy_target(planted=False), reference=NgramTarget(["some words of old"], order=2)).p_value > 0.05
    )


def test_only_error_positions_count_and_the_first_token_never():
    """Δ at errors after the first token: +1, −.5, +.5. The first (+9) and the one that is right (−9) do not count."""
    row = [("a", -1.0, -10.0, False), ("b", -2.0, -3.0, False), ("c", -3.0, -2.5, False), ("d", -10.0, -1.0, True),
           ("e", -1.5, -2.0, False)]  # fmt: skip
    share = score({"abcde": row}).values
    assert share == pytest.approx([1.5 / 2.0])
    assert share / (1 - share) == pytest.approx([1.5 / 0.5])  # the paper's P / N


def test_exchanging_target_and_reference_turns_the_ratio_over():
    rng = keyed("ez")
    rows = {}
    for i in range(8):
        text = "".join(chr(ord("a") + i) for _ in range(30))
        a, b, right = rng.normal(-3, 1, 30), rng.normal(-3, 1, 30), rng.random(30) < 0.5
        rows[text] = [(text[j], a[j], b[j], right[j]) for j in range(30)]
    target, reference = pair(rows)
    texts = Members.from_rows({"text": t} for t in rows)
    forth, back = ez_mia(target, texts, reference=reference).values, ez_mia(reference, texts, reference=target).values
    assert forth / (1 - forth) == pytest.approx((1 - back) / back)
    assert 0 < forth.min() < forth.max() < 1


def test_a_text_without_any_error_is_the_strongest_sign():
    """A peer's code scores it 0: what is known word for word would then be the least suspicious of all."""
    assert score({"abc": [(c, -0.1, -3.0, True) for c in "abc"]}).values.tolist() == [1.0]


def test_where_nothing_was_lowered_the_score_is_finite_and_the_highest():
    assert score({"abc": [(c, -1.0, -3.0, False) for c in "abc"]}).values.tolist() == [1.0]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([("a", -1.0, -3.0, False), ("b", -1.0, -3.0, False), ("c", -1.0, -3.0, True)], "a single error position"),
        ([("a", -1.0, -2.0, False), ("b", -2.0, -2.0, False), ("c", -3.0, -3.0, False)],
         "target and reference agree at every error position"),
        ([("a", -1.0, -2.0, False)], "too short: no token after the first"),
    ],
)  # fmt: skip
def test_too_little_to_tell_is_unscored_with_a_reason(row, reason):
    scores = score({"".join(r[0] for r in row): row})
    assert not scores.scored.any()
    assert scores.unscored == {"one": reason}


def test_an_empty_text_is_unscored():
    assert not score({"ab": [("a", -1.0, -2.0, False)] * 1 + [("b", -1.0, -2.0, False)]}, "").scored.any()


def test_with_itself_as_reference_nothing_moved():
    target = toy_target(planted=False)
    scores = ez_mia(target, MEMBERS, reference=target)
    assert not scores.scored.any()
    assert set(scores.unscored.values()) == {"target and reference agree at every error position"}


def test_other_tokens_cannot_be_compared_one_by_one():
    with pytest.raises(BadInput, match="different tokens"):
        ez_mia(UniformTarget("ab"), MEMBERS, reference=UniformTarget("abc"))
