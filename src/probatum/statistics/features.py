"""What the stored record of a text says of its membership, as numbers per text; and what the text says without a model.

The first are the published attacks that need no further pass, each so that a high value points towards a member. The
second are what makes one text easier than another whoever reads it: length, redundancy, variety.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from probatum.core.ragged import Ragged
from probatum.core.target import TokenStatistics
from probatum.statistics._arrays import Floats

#: Shares of the tokens of a text over which its least and its most likely ones are averaged (Maini et al. 2024).
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


def attack_features(
    tokens: TokenStatistics,
    texts: Sequence[str],
    *,
    reference: TokenStatistics | None = None,
    same_tokens: bool = True,
) -> dict[str, Floats]:
    """Name of the statistic to its values, shape (n,); NaN for a text without a scored token.

    Parameters
    ----------
    tokens
        The record; statistics of fields that it does not have are left out.
    reference
        The record of the same texts under another model.
    same_tokens
        Whether both models cut texts into the same tokens; else the reference is compared per byte.

    Notes
    -----
    No token is left out: one of log-probability 0 is the most memorized of all, and a published tool drops it.
    """
    own = tokens.logprob
    count = own.lengths
    scored = np.where(count > 0, 1.0, np.nan)
    total, mean = own.sum() * scored, own.mean()
    out = {"mean log-probability": mean, "probability per token": np.exp(mean)}
    out |= {f"least likely {share:.0%} of tokens": own.lowest(share).mean() for share in SHARES}
    out |= {f"most likely {share:.0%} of tokens": own.highest(share).mean() for share in SHARES}
    out["log-probability per zlib byte"] = total / _zlib_bytes(texts)
    out["log-probability of the first half"] = own.where(own.position < (count + 1) // 2).mean()
    out["log-probability of the second half"] = own.where(own.position >= count // 2).mean()
    out["evenness of log-probabilities"] = -np.sqrt(((own - mean) ** 2).mean())
    if _has(tokens, "mean", "std"):
        z = (own - tokens.mean) / tokens.std.clip(1e-6)
        out |= {f"standardized, lowest {share:.0%} of tokens": z.lowest(share).mean() for share in (0.2, 1.0)}
        out["certainty (minus the entropy)"] = tokens.mean.mean()
        out["log-probability above its expectation"] = (own - tokens.mean).mean()
    if _has(tokens, "rank"):
        out["rank (minus its logarithm)"] = -np.log1p(tokens.rank.clip(0)).mean()
    if _has(tokens, "argmax"):
        out["share of tokens that are the likeliest"] = (tokens.argmax == tokens.id).mean()
    if reference is not None:
        other = reference.logprob
        if same_tokens:
            out["log-probability above the reference"] = mean - other.mean()
            out["share of tokens above the reference"] = (own > other).mean()
        else:
            size = np.array([len(text.encode("utf-8", "surrogatepass")) for text in texts])
            lost = np.where((count > 0) & (other.lengths > 0), size, np.nan)
            out["log-probability above the reference"] = (own.sum() - other.sum()) / lost
    return out


def text_features(tokens: Ragged, texts: Sequence[str]) -> dict[str, Floats]:
    """Name of the feature to its values, shape (n,), of token ids and texts alone; NaN for a text without a token."""
    count = np.where(tokens.lengths > 0, tokens.lengths, np.nan)
    size = np.array([len(text.encode("utf-8", "surrogatepass")) for text in texts]) + 0 * count
    return {
        "tokens (logarithm)": np.log(count),
        "bytes per token": size / count,
        "zlib bytes per byte": _zlib_bytes(texts) / size,
        "share of distinct tokens": tokens.where(tokens.first_occurrence()).lengths / count,
        "entropy of characters": np.array([_entropy(text) for text in texts]) + 0 * count,
    }


def _zlib_bytes(texts: Sequence[str]) -> Floats:
    return np.array([len(zlib.compress(text.encode("utf-8", "surrogatepass"))) for text in texts], dtype=float)


def _entropy(text: str) -> float:
    """Of the characters of a text, in nats; 0 for none."""
    _, count = np.unique(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32), return_counts=True)
    share = count / max(1, count.sum())
    return float(-(share * np.log(share)).sum())


def _has(tokens: TokenStatistics, *names: str) -> bool:
    return all(name in vars(tokens) for name in names)
