"""Pure NumPy and SciPy: intervals, tests, ROC, dose–response, the blind baseline, and the metrics made of them."""

from probatum.statistics.metrics import (
    TooFew,
    attack_success_rate,
    auroc,
    exposure_bits,
    hit_rate,
    mean_difference,
    refuted_share,
    unit_matches,
)

__all__ = [
    "TooFew",
    "attack_success_rate",
    "auroc",
    "exposure_bits",
    "hit_rate",
    "mean_difference",
    "refuted_share",
    "unit_matches",
]
