"""The blind baseline: it finds what gives a split away, and nothing where there is nothing."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binom

from probatum.statistics.blind import _folds, _Study, blind_baseline, blind_scores
from probatum.statistics.roc import delong, delong_interval

WORDS = np.array(["".join(w) for w in np.random.default_rng(0).choice(list("aeioklmnrst"), (800, 5))])
WEIGHTS = 1 / np.arange(1, 801) / (1 / np.arange(1, 801)).sum()


def corpus(rng, n, words=30):
    return [" ".join(row) for row in rng.choice(WORDS, (n, words), p=WEIGHTS)]


def halves(rng, n):
    return rng.permutation(np.arange(n) % 2).astype(bool)


def area(scores, truth):
    return delong(scores[truth], scores[~truth])[0]


def test_a_planted_token_is_found():
    rng = np.random.default_rng(1)
    texts, truth = corpus(rng, 300), halves(rng, 300)
    # in place of a word of the same length, in 40 % of the members: nothing but the token gives it away
    marked = [f"{t[:-5]}zyzzy" if m and i % 10 < 4 else t for i, (t, m) in enumerate(zip(texts, truth, strict=True))]
    blind = blind_baseline(marked, truth, None, seed=0)
    assert blind.p_value < 0.001
    assert blind.auc.low > 0.55
    assert blind.name != "shape"
    corrected = delong_interval(blind.scores[truth], blind.scores[~truth], level=1 - 0.05 / 4, variance_factor=2)
    assert (blind.auc.value, blind.auc.low, blind.auc.high) == (corrected.value, corrected.low, corrected.high)


@pytest.mark.parametrize(
    ("finder", "change"),
    [
        ("words", lambda t, r: t + " " + " ".join(r.choice(WORDS[400:], 8))),
        ("characters", lambda t, r: t.replace(" k", "  k")),
        ("shape", lambda t, r: f"{t} {r.integers(2023, 2025)}-0{r.integers(1, 9)}-{r.integers(10, 28)}"),
        ("rare_ngram", lambda t, r: t + " " + r.choice(["qu xo", "zu jy"])),
    ],
)
def test_each_classifier_sees_its_own_kind_of_difference(finder, change):
    rng = np.random.default_rng(2)
    texts, truth = corpus(rng, 240), halves(rng, 240)
    texts = [change(t, rng) if m else t for t, m in zip(texts, truth, strict=True)]
    assert area(blind_scores(texts, truth, seed=0)[finder], truth) > 0.8


def test_later_dates_in_one_set_are_found():
    rng = np.random.default_rng(3)
    texts, truth = corpus(rng, 240), halves(rng, 240)
    years = 2015 + 3 * ~truth + np.arange(240) % 3
    texts = [f"{t} on 9 May {year}" for t, year in zip(texts, years, strict=True)]
    assert blind_baseline(texts, truth, None, seed=0).p_value < 0.001


@pytest.mark.parametrize("size", [1, 3])
def test_cross_validation_deceives_the_usual_variance_but_not_ours(size):
    # a classifier that is one kernel (the difference of the means), on features that say nothing
    rng, p, doubled, plain = np.random.default_rng(10), [], 0, 0
    unit = np.arange(90) // size
    for seed in range(500):
        features, truth = rng.normal(size=(90 // size, 40))[unit], halves(rng, 90 // size)[unit]
        study = _Study(np.arange(90), truth, _folds([str(u) for u in unit], truth, seed, 5), unit, {})

        def classify(train, y, x=features):
            return x @ (x[train & y].mean(axis=0) - x[train & ~y].mean(axis=0))

        p.append(study.p_value(classify))
        scores = study.out_of_fold(classify)
        for factor in (1, 2):
            i = delong_interval(
                scores[truth], scores[~truth], clusters=(unit[truth], unit[~truth]), variance_factor=factor
            )
            covers = i.low <= 0.5 <= i.high
            doubled, plain = doubled + covers * (factor == 2), plain + covers * (factor == 1)
    for a in (0.05, 0.2):
        assert binom.ppf(0.001, 500, a) / 2 <= (np.array(p) <= a).sum() <= binom.ppf(0.999, 500, a)
    assert plain / 500 < 0.9
    assert doubled / 500 >= 0.93


@pytest.mark.parametrize("cluster_size", [1, 3])
def test_a_random_split_raises_no_alarm(cluster_size):
    rng, p, covered = np.random.default_rng(4), [], 0
    for seed in range(40):
        texts, truth = corpus(rng, 120, words=20), halves(rng, 120 // cluster_size).repeat(cluster_size)
        units = None if cluster_size == 1 else np.arange(120) // cluster_size
        if units is not None:  # texts of one unit share most of their words
            texts = [f"{texts[i // 3]} {texts[i // 3]} {texts[i]}" for i in range(120)]
        blind = blind_baseline(texts, truth, [str(i) for i in range(120)], seed=seed, clusters=units)
        p.append(blind.p_value)
        covered += blind.auc.low <= 0.5
    for a in (0.05, 0.2):
        assert (np.array(p) <= a).sum() <= binom.ppf(0.999, 40, a)
    assert covered >= binom.ppf(0.001, 40, 0.95)


def test_ignoring_clusters_would_alarm():
    rng = np.random.default_rng(5)
    texts, truth = corpus(rng, 40), halves(rng, 40)
    texts, truth, units = [t for t in texts for _ in range(3)], truth.repeat(3), np.arange(120) // 3
    ids = [str(i) for i in range(120)]
    assert blind_baseline(texts, truth, ids, seed=0).p_value < 0.001
    assert blind_baseline(texts, truth, ids, seed=0, clusters=units).p_value > 0.05
    assert blind_baseline(texts, truth, None, seed=0).auc.value < 0.8  # copies share a fold by their text


def test_a_cluster_may_hold_both_kinds():
    rng = np.random.default_rng(6)
    blind = blind_baseline(corpus(rng, 80), np.arange(80) % 2, None, seed=0, clusters=np.arange(80) // 4)
    assert blind.p_value > 0.01
    assert blind.auc.n == 20


def test_reordering_the_records_reorders_the_scores_and_nothing_else():
    rng = np.random.default_rng(7)
    texts, truth, ids, order = corpus(rng, 90), halves(rng, 90), [f"r{i}" for i in range(90)], rng.permutation(90)
    units = np.arange(90) // 2
    one = blind_scores(texts, truth, seed=3, ids=ids, clusters=units)
    two = blind_scores(
        [texts[i] for i in order], truth[order], seed=3, ids=[ids[i] for i in order], clusters=units[order]
    )
    for name in one:
        assert np.array_equal(one[name][order], two[name])
    other = blind_scores(texts, truth, seed=4, ids=ids, clusters=units)
    assert not np.array_equal(one["characters"], other["characters"])


def test_a_record_is_never_scored_by_its_own_label():
    rng = np.random.default_rng(8)
    texts, truth = corpus(rng, 60), halves(rng, 60)
    texts[0] = "unheard unseen unsaid"
    flipped = truth.copy()
    flipped[[0, 1]] = [True, False]
    truth[[0, 1]] = [False, True]
    # two records of one unit lie in one fold, so swapping their labels leaves every other fold's teacher unchanged
    units = np.r_[0, 0, np.arange(1, 59)]
    one, two = (blind_scores(texts, y, seed=0, clusters=units) for y in (truth, flipped))
    for name in one:
        assert np.array_equal(one[name][:2], two[name][:2])


def test_odd_texts_are_scored():
    texts = ["", "a", "ab", "日本語", "\ud800", "\x00\n", "....", "A" * 5000] * 3
    scores = blind_scores(texts, np.arange(24) % 2, seed=0, ids=[str(i) for i in range(24)])
    for s in scores.values():
        assert ((s > 0) & (s < 1)).all()


def test_two_of_each_are_enough_to_run_and_prove_nothing():
    blind = blind_baseline(["aa b", "c dd", "e ff", "gg h"], [1, 1, 0, 0], None, seed=0)
    assert blind.p_value > 0.05
    assert blind.auc.high - blind.auc.low > 0.3


@pytest.mark.parametrize(
    ("texts", "labels", "says"),
    [
        (["a", "b", "c"], [1, 0, 0], "at least two units of members"),
        (["a", "b"], [1, 0, 0], "one entry per record"),
        ("ab", [1, 0], "one entry per record"),
    ],
)
def test_bad_input_gets_one_sentence(texts, labels, says):
    with pytest.raises(ValueError, match=says):
        blind_scores(texts, labels, seed=0)


def test_the_floor_imports_no_scipy_and_no_scikit_learn():
    code = (
        "import sys; from probatum.statistics import blind, dose, intervals, roc, tests; "
        "print([m for m in ('scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
