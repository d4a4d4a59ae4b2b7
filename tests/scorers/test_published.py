"""Where a score would stand among the published ones."""

import pytest

from probatum.core.data import Items
from probatum.core.errors import BadInput
from probatum.core.scores import Released, Scores
from probatum.scorers.published import place, ranked, table
from probatum.sets.finding import items_of
from probatum.statistics import rate
from probatum.statistics.balanced import balanced_rate


def test_headlines_of_the_table():
    """The best and the worst that the paper's text names (frameworks 5.1)."""
    facts = {
        ("internal_misinformation", "GPT-4"): 0.417, ("hallucination", "ChatGLM2"): 0.542,
        ("sycophancy_preference", "ChatGPT"): 0.257, ("jailbreak", "Llama2-70b"): 0.974,
        ("exaggerated_safety", "Llama2-13b"): 0.55, ("stereotype_agreement", "Oasst-12b"): 0.722,
        ("advglue", "PaLM-2"): 0.607, ("ood_generalization", "GPT-4"): 0.923, ("confaide", "Oasst-12b"): -0.161,
        ("social_chemistry", "GPT-4"): 0.674, ("emotional_awareness", "GPT-4"): 0.945,
    }  # fmt: skip
    for (task, model), value in facts.items():
        assert table()[task].models[model] == value
    assert all(len(entry.models) == 16 for entry in table().values())
    assert {entry.better for entry in table().values()} == {"high", "low"}


@pytest.mark.parametrize(
    ("task", "value", "rank"),
    [
        ("hallucination", 0.625, 1), ("hallucination", 0.542, 1), ("hallucination", 0.53, 2), ("hallucination", 0, 17),
        ("sycophancy_preference", 0.0, 1), ("sycophancy_preference", 0.3, 5), ("sycophancy_preference", 1.0, 17),
    ],
)  # fmt: skip
def test_ranks_count_who_is_better(task, value, rank):
    assert place(task, value) == (rank, 17)


def test_an_unknown_task_is_named():
    with pytest.raises(BadInput, match="no published scores of 'tennis'"):
        place("tennis", 1.0)


def test_the_sentence_says_both_ranks_on_published_items_and_nothing_on_others():
    ids = tuple(map(str, range(20)))
    items = Items(name="trustllm/moral_choice", ids=ids, prompt=ids)
    scores = Scores(ids, [1.0] * 20, "right", released=Released("accuracy", 0.0), note="First.")
    said = ranked(scores, items, "moral_choice", rate("accuracy")).note
    assert said == (
        "First.; beside 16 published models (their accuracy) "
        "it would rank 17th as released, 1st (1st to 14th) corrected, of 17"
    )
    own = items_of("trustllm/moral_choice").items
    scores = Scores(own.ids, [1.0] * len(own), "right", released=Released("accuracy", 0.0))
    assert ranked(scores, own, "moral_choice", rate("accuracy")).note == ""


def test_what_is_only_of_a_part_has_no_place():
    """A mean over fewer groups than were published, and a released score of one source."""
    ids = tuple(map(str, range(20)))
    items = Items(name="trustllm/hallucination", ids=ids, prompt=ids, group=("mc",) * 10 + ("halu_qa",) * 10)
    silent = dict.fromkeys(ids[:10], "no answer came")
    scores = Scores(ids, [1.0] * 20, "right", released=Released("accuracy", 1.0), unscored=silent)
    assert "corrected" not in ranked(scores, items, "hallucination", balanced_rate("accuracy")).note
    assert ranked(scores, items, "hallucination", balanced_rate("accuracy"), released=False).note == ""
