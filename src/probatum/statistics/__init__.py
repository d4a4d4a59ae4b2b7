"""Pure NumPy and SciPy: intervals, tests, ROC, dose–response, the blind baseline, and the metrics made of them."""

from probatum.statistics.bias import accuracy_and_bias, net_preference
from probatum.statistics.epsilon_metrics import (
    bayes_security_bound,
    credible_epsilon,
    one_run,
    one_shot_epsilon,
    two_rates,
)
from probatum.statistics.groups import group_difference, worst_group_accuracy
from probatum.statistics.metrics import (
    TooFew,
    attack_success_rate,
    auroc,
    excess_rate,
    exposure_bits,
    forecast,
    hit_rate,
    knowledge,
    learned_auroc,
    mean_difference,
    refuted_share,
    running_files,
    set_difference,
    success_at_budget,
    unit_matches,
)
from probatum.statistics.task_metrics import mean_of, rate, statistic

__all__ = [
    "TooFew",
    "accuracy_and_bias",
    "attack_success_rate",
    "auroc",
    "bayes_security_bound",
    "credible_epsilon",
    "excess_rate",
    "exposure_bits",
    "forecast",
    "group_difference",
    "hit_rate",
    "knowledge",
    "learned_auroc",
    "mean_difference",
    "mean_of",
    "net_preference",
    "one_run",
    "one_shot_epsilon",
    "rate",
    "refuted_share",
    "running_files",
    "set_difference",
    "statistic",
    "success_at_budget",
    "two_rates",
    "unit_matches",
    "worst_group_accuracy",
]
