"""Ranks in a space too large to list: how many texts does a model find likelier than this one?

Dell'Amico and Filippone 2015 (Monte Carlo strength evaluation), by whom P129 counts the guesses that a password
stands: of n texts that the model itself wrote, each that is likelier stands for 1 / (n p) texts.
"""

import numpy as np
from numpy.typing import ArrayLike

from probatum.statistics._arrays import Floats

#: A sample counts as no less likely than e to the minus this, so that the square of its weight is still a float.
_LEAST = 350.0


def monte_carlo_rank(logp: ArrayLike, logp_samples: ArrayLike) -> tuple[Floats, Floats]:
    """Return (rank, standard error) of texts with log-probability ``logp``, any shape, rank 1 being the likeliest.

    Parameters
    ----------
    logp_samples
        Log-probabilities of n independent samples of the model, shape (n,), n >= 2; −inf for a sample that is no
        candidate (of another form): it counts among the n and stands for none.

    Notes
    -----
    rank = 1 + Σ 1 / (n p(y)) over the samples y with p(y) > p(x), which is unbiased; the standard error is that of the
    mean of n such terms. It knows nothing of what no sample hit: where none is likelier, rank and error are 1 and 0,
    and the rank may still be anything up to about 1 / (n p(x)).
    """
    x = np.asarray(logp, dtype=np.float64)
    samples = np.asarray(logp_samples, dtype=np.float64)
    if samples.ndim != 1 or len(samples) < 2:
        raise ValueError(f"samples must have shape (n,) with n >= 2, got {samples.shape}.")
    if np.isnan(samples).any() or (samples > 1e-6).any() or np.isnan(x).any():
        raise ValueError("log-probabilities must lie at or below 0, and must not be NaN.")
    n = len(samples)
    ordered = np.sort(samples)[::-1]
    weight = np.exp(np.minimum(-ordered, _LEAST))  # those of −inf come last, and none is likelier than they
    first, second = (np.concatenate([[0.0], np.cumsum(w)]) for w in (weight, weight**2 / n))
    likelier = np.searchsorted(-ordered, -x, side="left")
    mean = first[likelier] / n
    error = np.sqrt(np.maximum(second[likelier] - mean**2, 0) / (n - 1))
    return np.asarray(1 + mean), np.asarray(error)
