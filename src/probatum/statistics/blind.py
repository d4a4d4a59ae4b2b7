"""The blind baseline: can members be told from nonmembers without ever asking the model?

Das, Zhang and Tramèr 2024 (arXiv 2406.16201): where a classifier that sees only the texts separates the two
sets, a membership score has learned the split and not the model. Four classifiers, each a way in which splits
were found to differ: the words (TF-IDF, logistic regression), the letters (naive Bayes over character
4-grams), the shape (lengths, digits, dates), and the single most telling word or word pair (their greedy rare
n-gram).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from probatum.statistics._arrays import Codes, Floats, codes
from probatum.statistics.intervals import Interval
from probatum.statistics.roc import delong, delong_interval, midranks
from probatum.statistics.tests import holm

Truth = NDArray[np.bool_]
# A classifier learns from the rows of a mask and returns a log-odds for every row; shape (n,).
Classifier = Callable[[Truth, Truth], Floats]

_BUCKETS = 1 << 18
_SHAPES = tuple(
    re.compile(pattern)
    for pattern in (r"\d", r"[A-Z]", r"\s", r"[^\w\s]", r"[^\x00-\x7f]", r"\n", r"https?://|www\.|@")
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_DATE = re.compile(
    r"\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,4}\b",
    re.IGNORECASE,
)


class Blind(NamedTuple):
    """The best blind classifier: its name, area, p-value and out-of-fold scores, shape (n,).

    ``auc`` and ``p_value`` are corrected for the choice among the classifiers (Bonferroni limits, Holm).
    """

    name: str
    auc: Interval
    p_value: float
    scores: Floats


def blind_scores(
    texts: Sequence[str],
    labels: ArrayLike,
    *,
    seed: int,
    ids: Sequence[str] | None = None,
    clusters: ArrayLike | None = None,
    folds: int = 5,
) -> dict[str, Floats]:
    """Return for each blind classifier its out-of-fold scores, shape (n,); high means member.

    Parameters
    ----------
    texts, labels
        One text and one truth (member or not) per record.
    ids
        What keys a record to its fold together with ``seed``; default: the text itself, so that copies share
        a fold.
    clusters
        Unit of each record; a unit lies in one fold as a whole. Default: the id.

    Notes
    -----
    Units are dealt to folds in the order of their hashes, members and nonmembers apart, so every fold trains
    on the same balance; scores are midranks within the fold, in (0, 1), so folds with different intercepts
    can be pooled. Word statistics that use no label (vocabulary, inverse document frequency) come from all
    texts.
    """
    study = _prepare(texts, labels, ids, clusters, seed, folds)
    return {name: study.out_of_fold(classify) for name, classify in study.classifiers.items()}


def blind_baseline(
    texts: Sequence[str],
    labels: ArrayLike,
    ids: Sequence[str] | None,
    *,
    seed: int,
    clusters: ArrayLike | None = None,
) -> Blind:
    """Return the classifier that separates members from nonmembers best, judged out of fold.

    Parameters
    ----------
    texts, labels, ids, clusters
        As for ``blind_scores``; ``ids=None`` keys a record by its text.

    Notes
    -----
    Out-of-fold scores of a cross-validation are not independent of each other: with a kernel K the statistic
    is sum y_i y_j K_ij over pairs in different folds, each pair counted twice, so its variance is up to twice
    what Mann-Whitney and DeLong take it for (measured on random splits: 1.9 times, and 12 to 17 % alarms at 5
    %). The limits therefore double the variance. The p-value, one-sided, scores every fold by a classifier of
    the *earlier* folds only: given those, the rank sums have mean 0, and they add up as a martingale. It is
    robust to clusters.
    """
    study = _prepare(texts, labels, ids, clusters, seed, 5)
    names = list(study.classifiers)
    p = np.array([study.p_value(study.classifiers[name]) for name in names])
    scores = [study.out_of_fold(study.classifiers[name]) for name in names]
    truth = np.asarray(labels).astype(bool)
    units = None if clusters is None else codes(clusters, len(truth))
    pair = None if units is None else (units[truth], units[~truth])
    areas = [delong(s[truth], s[~truth], clusters=pair)[0] for s in scores]
    best = int(np.lexsort((-np.array(areas), p))[0])
    auc = delong_interval(
        scores[best][truth],
        scores[best][~truth],
        level=1 - 0.05 / len(names),
        clusters=pair,
        variance_factor=2,
    )
    auc = replace(auc, level=0.95, method=f"{auc.method}, doubled variance, Bonferroni over {len(names)}")
    return Blind(names[best], auc, float(holm(p)[best]), scores[best])


@dataclass(frozen=True, slots=True)
class _Study:
    """Records in an order of their own, with folds, units, and the classifiers with their features made."""

    order: Codes
    truth: Truth
    fold: Codes
    unit: Codes
    classifiers: dict[str, Classifier]

    def out_of_fold(self, classify: Classifier) -> Floats:
        """Score each fold by what the other folds taught; midranks within the fold, in the caller's order."""
        out = np.empty(len(self.order))
        for f in range(int(self.fold.max()) + 1):
            test = self.fold == f
            out[self.order[test]] = (_ranks(classify(~test, self.truth)[test]) - 0.5) / test.sum()
        return out

    def p_value(self, classify: Classifier) -> float:
        """Score each fold by the earlier folds: z = sum g / sd with g = (y - mean y)(rank - mean rank).

        The variance is that of permuted labels within folds, or that between units where it is larger.
        """
        from scipy.special import ndtr

        g, permuted = np.zeros(len(self.order)), 0.0
        for f in range(1, int(self.fold.max()) + 1):
            test = self.fold == f
            ranks, y = _ranks(classify(self.fold < f, self.truth)[test]), self.truth[test]
            dy, dr = y - y.mean(), (ranks - ranks.mean()) / (len(y) + 1)  # van Elteren's weights
            g[test] = dy * dr
            permuted += float((dy @ dy) * (dr @ dr)) / max(len(y) - 1, 1)
        by_unit = np.bincount(self.unit, weights=g)
        between = float(by_unit @ by_unit) * len(by_unit) / (len(by_unit) - 1)
        spread = max(permuted, between) ** 0.5
        return float(ndtr(-g.sum() / spread)) if spread > 0 else 1.0


def _prepare(
    texts: Sequence[str],
    labels: ArrayLike,
    ids: Sequence[str] | None,
    clusters: ArrayLike | None,
    seed: int,
    folds: int,
) -> _Study:
    truth, keys, units = _checked(texts, labels, ids, clusters)
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}.")
    # an order of their own first: reordering the input reorders the scores and changes no digit
    order = np.array(sorted(range(len(texts)), key=lambda i: (keys[i], texts[i], bool(truth[i]))))
    ordered, names, y = [texts[i] for i in order], [units[i] for i in order], truth[order]
    tokens = [re.findall(r"\w+", text.lower()) for text in ordered]
    classifiers = {
        "words": _words(tokens),
        "characters": _characters(ordered),
        "shape": _shape(ordered, tokens),
        "rare_ngram": _rare_ngram(tokens),
    }
    return _Study(order, y, _folds(names, y, seed, folds), codes(np.array(names), len(y)), classifiers)


def _ranks(log_odds: Floats) -> Floats:
    """Return midranks after rounding to 9 digits: records with equal features must tie."""
    return midranks(log_odds.round(9))


def _checked(
    texts: Sequence[str], labels: ArrayLike, ids: Sequence[str] | None, clusters: ArrayLike | None
) -> tuple[Truth, list[str], list[str]]:
    """Return the truth, the key of each record and the unit of each record."""
    truth = np.asarray(labels).astype(bool)
    if isinstance(texts, str) or truth.shape != (len(texts),):
        raise ValueError(f"texts and labels must have one entry per record, got {len(texts)} and {truth.shape}.")
    keys = [str(i) for i in (texts if ids is None else ids)]
    units = keys if clusters is None else [str(c) for c in np.asarray(clusters).tolist()]
    if len(keys) != len(texts) or len(units) != len(texts):
        raise ValueError(f"ids and clusters must have one entry per record ({len(texts)}).")
    if min(len({u for u, t in zip(units, truth, strict=True) if t == side}) for side in (True, False)) < 2:
        raise ValueError("a blind baseline needs at least two units of members and two of nonmembers.")
    return truth, keys, units


def _folds(units: list[str], truth: Truth, seed: int, folds: int) -> Codes:
    """Deal units to folds by hash, those with mostly members and those with mostly nonmembers apart."""
    share: dict[str, list[bool]] = {}
    for unit, member in zip(units, truth.tolist(), strict=True):
        share.setdefault(unit, []).append(member)
    fold: dict[str, int] = {}
    for side in (True, False):
        dealt = [u for u, members in share.items() if (2 * sum(members) > len(members)) == side]
        dealt.sort(key=lambda u: blake2b(f"{seed}\x1f{u}".encode()).digest())
        fold |= {unit: place % min(folds, len(share)) for place, unit in enumerate(dealt)}
    return codes(np.array([fold[u] for u in units]), len(units))


def _sparse(rows: Codes, columns: Codes, shape: tuple[int, int]) -> Any:
    """Return the matrix of counts of (row, column) in compressed rows."""
    from scipy.sparse import csr_array

    counts = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    return counts


def _tokens(tokens: list[list[str]]) -> tuple[Codes, Codes]:
    """Return the row and the number of every word, numbered by first appearance."""
    numbers: dict[str, int] = {}
    flat = np.array([numbers.setdefault(t, len(numbers)) for words in tokens for t in words], dtype=np.intp)
    return np.repeat(np.arange(len(tokens)), [len(words) for words in tokens]), flat


def _words(tokens: list[list[str]]) -> Classifier:
    """Logistic regression on TF-IDF of the words that at least two texts use."""
    rows, words = _tokens(tokens)
    counts = _sparse(rows, words, (len(tokens), int(words.max(initial=0)) + 1))
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    counts = counts[:, np.flatnonzero(frequency >= 2)]
    frequency = frequency[frequency >= 2]
    counts.data = 1 + np.log(counts.data)
    weighted = (counts * (1 + np.log((1 + len(tokens)) / (1 + frequency)))).tocsr()
    norms = np.sqrt((weighted * weighted).sum(axis=1))
    return _logistic((weighted / np.maximum(norms, 1e-12)[:, None]).tocsr())


def _characters(texts: list[str]) -> Classifier:
    """Multinomial naive Bayes over hashed 4-grams of bytes (Laplace 1), scored per 4-gram."""
    data = [np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8).astype(np.uint32) for text in texts]
    grams = [(b[:-3] << 24 | b[1:-2] << 16 | b[2:-1] << 8 | b[3:]) * np.uint32(2654435761) >> 14 for b in data]
    lengths = np.array([len(g) for g in grams])
    seen, flat = np.unique(np.concatenate(grams), return_inverse=True)
    counts = _sparse(np.repeat(np.arange(len(texts)), lengths), flat, (len(texts), max(len(seen), 1)))

    def classify(train: Truth, truth: Truth) -> Floats:
        member, other = ((train & (truth == side)).astype(float) @ counts + 1 for side in (True, False))
        weights = np.log(member / member.sum()) - np.log(other / other.sum())
        log_odds: Floats = (counts @ weights) / np.maximum(lengths, 1)
        return log_odds

    return classify


def _shape(texts: list[str], tokens: list[list[str]]) -> Classifier:
    """Logistic regression on lengths, shares of kinds of characters, and the dates a text names."""
    rows = []
    for text, words in zip(texts, tokens, strict=True):
        years = [int(y) for y in _YEAR.findall(text)]
        latest = (max(years) - 2000) / 10 if years else 0.0
        shares = [len(p.findall(text)) / max(len(text), 1) for p in _SHAPES]
        size = [np.log1p(len(text)), np.log1p(len(words)), len(set(words)) / max(len(words), 1)]
        rows.append([*size, *shares, bool(years), latest, np.log1p(len(years)), np.log1p(len(_DATE.findall(text)))])
    table = np.array(rows, dtype=np.float64)
    return _logistic((table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-12))


def _rare_ngram(tokens: list[list[str]]) -> Classifier:
    """Let the most telling word or word pair of a text speak: its largest log ratio plus its smallest."""
    rows, words = _tokens(tokens)
    same = rows[1:] == rows[:-1]
    pairs = ((words[:-1] * 1_000_003 + words[1:] * 7_919) % _BUCKETS)[same] + int(words.max(initial=0)) + 1
    shape = (len(tokens), int(words.max(initial=0)) + 1 + _BUCKETS)
    present = _sparse(np.r_[rows, rows[1:][same]], np.r_[words, pairs], shape)
    # an n-gram of one text says nothing about another: dropped, which also leaves a tenth of the work
    kept = np.bincount(present.indices, minlength=shape[1])[present.indices] >= 2
    starts = np.r_[0, np.cumsum(kept)][present.indptr[:-1]]
    numbers, grams = np.unique(present.indices[kept], return_inverse=True)
    owner = np.repeat(np.arange(len(tokens)), np.diff(np.r_[starts, len(grams)]))
    holders = np.flatnonzero(np.diff(np.r_[starts, len(grams)]))

    def classify(train: Truth, truth: Truth) -> Floats:
        member, other = (
            np.bincount(grams[(train & (truth == side))[owner]], minlength=len(numbers)) + 0.5 for side in (True, False)
        )
        balance = np.log((train & truth).sum() + 1) - np.log((train & ~truth).sum() + 1)
        ratio = (np.log(member / other) - balance)[grams]
        log_odds = np.zeros(len(tokens))
        if len(holders):
            at = starts[holders]
            log_odds[holders] = np.maximum.reduceat(ratio, at) + np.minimum.reduceat(ratio, at)
        return log_odds

    return classify


def _logistic(features: Any) -> Classifier:
    """Ridge logistic regression on fixed ``features``, shape (n, columns), dense or sparse."""

    def classify(train: Truth, truth: Truth) -> Floats:
        from sklearn.linear_model import LogisticRegression

        if features.shape[1] == 0 or len(np.unique(truth[train])) < 2:
            return np.zeros(len(truth))
        model = LogisticRegression(max_iter=200).fit(features[train], truth[train])
        log_odds: Floats = model.decision_function(features)
        return log_odds

    return classify
