"""Benchmark n-grams: foretold where the items were seen; one pass says what greedy decoding would; p-values hold."""

import numpy as np
import pytest
from scipy.stats import binom
from test_option_order import ALPHABET, made, toy

from probatum.core.catalogue import load
from probatum.core.data import Items
from probatum.core.errors import BadInput
from probatum.core.scores import Scores
from probatum.statistics import TooFew
from probatum.statistics.exchangeability import FLOOR, beyond_references, exchange_test
from probatum.testing import TableTarget

TASK = "benchmark_ngrams"


def asked(target, items, **options):
    scores = load(TASK).function(target, items, **options)
    return scores, load(TASK).metric(scores, items.truth)


def test_a_model_trained_on_the_items_is_flagged_and_one_trained_on_others_is_not():
    items = made()
    scores, result = asked(toy(items.prompt), items)
    assert result.p_value == FLOOR
    assert result.breakdown["published"].value > 0.9
    assert result.estimate.value == pytest.approx(
        result.breakdown["published"].value - result.breakdown["references"].value
    )
    assert scores.parameters == {"starts": 5.0}
    _, quiet = asked(toy(made(seed=7).prompt), items)
    assert quiet.p_value > 0.05


def test_half_of_the_items_seen_separates_the_halves():
    from sklearn.metrics import roc_auc_score

    items = made()
    scores, _ = asked(toy(items.prompt[:30]), items)
    beyond = scores.values - np.nanmean(scores.null, axis=1)
    assert roc_auc_score(np.arange(60) < 30, beyond) >= 0.9


def test_one_pass_says_what_greedy_decoding_would():
    items = made(12)
    model = toy(items.prompt[:6])
    scores = load(TASK).function(model, items, n=4, starts=3)
    for i in range(len(items)):
        head, tail = items.prompt[i].split("a. ", 1)
        head, tail = f"{head}a. ", tail.split("\nanswer", 1)[0]
        hits = 0
        for start in np.rint(np.linspace(0, len(tail) - 4, 3)).astype(int):
            (said,) = model.generate([head + tail[:start]], max_new_tokens=4)
            hits += said == tail[start : start + 4]
        assert scores.values[i] == hits


def test_paraphrases_are_the_references_where_the_items_bring_them():
    rng, rows = np.random.default_rng(0), []
    said = ("rye is ground in {} by the mill.", "in {} the mill makes rye into flour.")
    for i in range(20):
        word = "".join(rng.choice(list("bdgklmnprst"), 6))
        rows.append({"id": f"o{i}", "prompt": f"the mill of {word} grinds rye.", "cluster": word, "form": "original"})
        for k, text in enumerate(form.format(word) for form in said):
            rows.append({"id": f"p{i} {k}", "prompt": text, "cluster": word, "form": f"paraphrase {k}"})
    items = Items.from_rows(rows, "x")
    originals = [row["prompt"] for row in rows if row["form"] == "original"]
    scores, result = asked(toy(originals), items)
    assert result.p_value < 1e-6
    assert result.estimate.n == 20
    assert set(scores.unscored.values()) == {"a paraphrase: its original is scored"}
    everything, both = asked(toy([row["prompt"] for row in rows]), items)
    assert abs(both.estimate.value) < 0.2, "seen in all forms: the blind spot of the difference, which the paper names"
    assert both.breakdown["published"].value > 0.4, "but how much of the items is foretold still says it"
    assert everything.values[0] > 0


@pytest.mark.parametrize("k", [1, 5, 23])
def test_p_values_hold_their_levels(k):
    """1,000 draws of hits that know no published form: exact within items, so never above the level."""
    rng = np.random.default_rng(4)
    p = []
    for _ in range(1000):
        rates = rng.beta(1, 3, size=(40, 1))
        drawn = rng.binomial(5, rates, size=(40, k + 1)).astype(float)
        p.append(exchange_test(drawn[:, 0], drawn[:, 1:]).value)
    for level in (0.01, 0.05, 0.2):
        hits = int((np.array(p) <= level).sum())
        assert hits <= binom.ppf(0.999, 1000, level), (level, hits)
        assert hits >= binom.ppf(0.001, 1000, level) * 0.5, (level, hits)


def test_nothing_foretold_is_no_evidence_and_a_short_form_has_no_score():
    drawn = np.zeros((20, 4))
    scores = Scores([str(i) for i in range(20)], drawn[:, 0], "x", null=drawn[:, 1:], parameters={"starts": 5})
    result = beyond_references(scores, made(20).truth)
    assert (result.p_value, result.estimate.value) == (1, 0)
    assert result.estimate.high > 0, "an interval, also of nothing"
    items = made(12, letters="ab")
    short = load(TASK).function(toy(items.prompt), items, n=40)
    assert set(short.unscored.values()) == {"a form is shorter than 40 tokens"}
    with pytest.raises(TooFew):
        beyond_references(short, items.truth)


def test_what_has_no_other_form_and_bad_options_get_one_sentence():
    bare = Items.from_rows([{"prompt": "a"}], "x")
    assert list(load(TASK).function(toy([]), bare).unscored.values()) == ["has no options"]
    with pytest.raises(BadInput, match="1 or more"):
        load(TASK).function(TableTarget(), bare, n=0)
    assert set(ALPHABET) > set("abc")
