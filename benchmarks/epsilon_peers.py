"""Epsilon, ours beside the peers' on the same inputs: accountants, lower bounds, and alarms where nothing leaks.

Run: ``python benchmarks/epsilon_peers.py [RUNS]``, in an environment with any of dp-accounting, opacus, jax-privacy and
PrivacyGuard (not on PyPI: put its source on PYTHONPATH). A peer that is not there has a dash. Tests hold a few of these
numbers as constants (tests/statistics/test_accounting.py, test_epsilon.py) and need no peer.
"""

import importlib.util
import itertools
import math
import sys
import time
import warnings

import numpy as np
from scipy.stats import binom

from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import epsilon as e
from probatum.statistics import one_run, two_rates
from probatum.statistics.accounting import Phase, exact_curves
from probatum.statistics.guarantee import epsilon_at

TRAININGS = (
    (1.0, 1.0, 10, 1e-5),
    (1.0, 0.01, 1000, 1e-5),
    (1.1, 0.004, 14_000, 1e-5),
    (0.6, 0.02, 300, 1e-6),
    (4.0, 0.1, 500, 1e-6),
    (0.5, 0.001, 2000, 1e-5),
    (2.0, 0.0001, 100_000, 1e-5),
)


def there(name):
    return importlib.util.find_spec(name) is not None


def timed(function):
    start = time.perf_counter()
    value = function()
    return value, time.perf_counter() - start


def shown(cell):
    return "—" if cell is None else f"{cell[0]:.4f} ({cell[1]:.2f} s)" if isinstance(cell, tuple) else f"{cell:.4f}"


def table(title, head, rows, why):
    print(f"\n{title}\n")
    cells = [head, *([row[0], *(shown(c) for c in row[1:])] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        print("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)))
    print(*("  " + line for line in why), sep="\n")


# -- accountants


def ours(sigma, q, steps, delta):
    exact_curves.cache_clear()
    return epsilon_at([Phase(sigma, q, steps)], delta)


def google_pld(sigma, q, steps, delta):
    from dp_accounting.pld import privacy_loss_distribution as pld

    more = {"value_discretization_interval": 1e-4, "use_connect_dots": True}
    return pld.from_gaussian_mechanism(sigma, sampling_prob=q, **more).self_compose(steps).get_epsilon_for_delta(delta)


def google_rdp(sigma, q, steps, delta):
    import dp_accounting

    event = dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(sigma))
    return dp_accounting.rdp.RdpAccountant().compose(event, steps).get_epsilon(delta)


def opacus(name):
    def epsilon(sigma, q, steps, delta):
        from opacus.accountants import create_accountant

        accountant = create_accountant(name)
        accountant.history = [(sigma, q, steps)]
        return accountant.get_epsilon(delta)

    return epsilon


def accountants():
    peers = (
        (google_pld, "dp_accounting"), (google_rdp, "dp_accounting"), (opacus("prv"), "opacus"), (opacus("rdp"),
        "opacus")
    )  # fmt: skip
    rows = []
    for training in TRAININGS:
        row = [" ".join(f"{x:g}" for x in training), timed(lambda t=training: ours(*t))]
        for peer, package in peers:
            try:
                row.append(timed(lambda p=peer, t=training: p(*t)) if there(package) else None)
            except Exception as error:
                print(f"  {package} on {training}: {type(error).__name__}: {error}", file=sys.stderr)
                row.append(None)
        rows.append(row)
    head = ["σ q T δ", "probatum", "dp-accounting PLD", "dp-accounting RDP", "Opacus PRV", "Opacus RDP"]
    why = [
        "Ours and dp-accounting's PLD are upper bounds on one kind of grid; ours is finer where one step loses little",
        "(grid = its standard deviation / 40, theirs 1e-4), so it is lower in the last row; exact without sampling.",
        "RDP is a bound of another kind, looser by its conversion. Opacus' PRV prints the upper end of its ± .01.",
    ]
    table("Accountants: epsilon, neighbors by adding or removing one", head, rows, why)


# -- lower bounds


def in_and_out(n_in, tp, n_out, fp):
    """Scores of which a threshold of .5 gives these counts."""
    return np.r_[np.ones(tp), np.zeros(n_in - tp)], np.r_[np.ones(fp), np.zeros(n_out - fp)]


def jax_bound(method, n_in, tp, n_out, fp, delta, **more):
    if not there("jax_privacy"):
        return None
    from jax_privacy import auditing

    auditor = auditing.CanaryScoreAuditor(*in_and_out(n_in, tp, n_out, fp))
    return float(getattr(auditor, method)(0.05, delta, threshold_strategy=auditing.Explicit(0.5), **more))


def privacy_guard_fdp(m, guesses, right, delta):
    if not there("privacy_guard"):
        return None
    from privacy_guard.analysis.mia.fdp_analysis_node import FDPAnalysisNode

    return float(FDPAnalysisNode(m=m, c=right, c_cap=guesses, delta=delta).run_analysis().eps)


def bounds():
    rows = []
    for n_in, tp, n_out, fp in ((50, 50, 50, 0), (500, 500, 500, 0), (500, 400, 500, 25), (200, 120, 200, 90)):
        own = float(e.two_rates_bound(tp, n_in, fp, n_out, delta=1e-5))
        peer = jax_bound("epsilon_clopper_pearson", n_in, tp, n_out, fp, 1e-5, one_sided=False)
        rows.append([f"two rates: {tp} of {n_in}, {fp} of {n_out}", own, peer, None])
    for m, guesses, right in ((500, 100, 100), (1000, 1000, 900), (200, 200, 150), (1000, 60, 50)):
        # jax-privacy guesses "in" only, so its wrong guesses are canaries that were out
        counts = (m // 2 + (right > m // 2) * (right - m // 2), right)
        rest = (m - counts[0], guesses - right)
        peer = jax_bound("epsilon_one_run", *counts, *rest, 1e-5) if guesses - right <= rest[0] else None
        fdp = jax_bound("epsilon_one_run_fdp", *counts, *rest, 1e-5) if guesses - right <= rest[0] else None
        name = f"{right} of {guesses} right, {m} canaries"
        rows.append([f"one run: {name}", e.one_run_bound(m, guesses, right, delta=1e-5), peer, None])
        own = e.gaussian_epsilon(1e-5, e.fdp_bound(m, guesses, right))
        rows.append([f"f-DP: {name}", own, fdp, privacy_guard_fdp(m, guesses, right, 1e-5)])
    why = [
        "The same formulas: ours and jax-privacy agree to the tolerance of their root search. PrivacyGuard walks over",
        "noises in steps of .01 from the small end and reports the first that is refuted, so its f-DP value lies just",
        "below ours. jax-privacy guesses 'in' only; ours guesses both sides, or one of each pair.",
    ]
    table("Lower bounds at 95 %, delta 1e-5", ["counts", "probatum", "jax-privacy", "PrivacyGuard"], rows, why)
    low, high = e.posterior_epsilon(487, 0, 512, 1, delta=1e-5, levels=(0.05, 0.95))
    print(
        f"\n  P018, TP 487, TN 1, FP 512, FN 0, 90 %: ours [{low:.3f}, {high:.3f}], its toolbox's README [0.145, 6.399]"
    )


# -- where nothing leaks


def best_of_grid(values, inside):
    """Privacy Meter's flow, re-created by us: the best of all pairs (guessed in, guessed out), as if the only one."""
    m, order = len(values), np.argsort(-values)
    steps = np.arange(0, m // 2 + 1, int(math.sqrt(m)))
    right_in, right_out = np.r_[0, np.cumsum(inside[order])], np.r_[0, np.cumsum(~inside[order[::-1]])]
    pairs = [(a, b) for a, b in itertools.product(steps, steps) if 0 < a + b <= m]
    right = np.array([right_in[a] + right_out[b] for a, b in pairs])
    return bool((binom.sf(right - 1, [a + b for a, b in pairs], 0.5) <= 0.05).any())


def alarms(runs, m=200):
    count = dict.fromkeys(
        ("ours, one run", "ours, two rates", "best of a grid (Privacy Meter)", "jax-privacy one run, Bonferroni",
         "jax-privacy one run, best threshold uncorrected", "PrivacyGuard, best threshold uncorrected"), 0
    )  # fmt: skip
    jax, guard = there("jax_privacy"), there("privacy_guard")
    for i in range(runs):
        rng = np.random.default_rng(i)
        inside, values = rng.random(m) < 0.5, rng.normal(size=m)
        scores = Scores([f"c{j}" for j in range(m)], values, "member", parameters={"delta": 1e-9, "guesses": 0.3})
        truth = Truth(label=inside, seed=i)
        count["ours, one run"] += one_run(scores, truth).estimate.value > 0
        count["ours, two rates"] += two_rates(scores, truth).estimate.value > 0
        count["best of a grid (Privacy Meter)"] += best_of_grid(values, inside)
        if jax:
            from jax_privacy import auditing

            auditor = auditing.CanaryScoreAuditor(values[inside], values[~inside])
            count["jax-privacy one run, Bonferroni"] += auditor.epsilon_one_run(0.05, 1e-9) > 0
            uncorrected = auditor._epsilon_one_run_all_thresholds(0.05, 1e-9, True)[0]
            count["jax-privacy one run, best threshold uncorrected"] += uncorrected > 0
        if guard:
            import torch
            from privacy_guard.analysis.mia.mia_results import MIAResults

            results = MIAResults(torch.tensor(values[inside]), torch.tensor(values[~inside]))
            count["PrivacyGuard, best threshold uncorrected"] += results.compute_acc_auc_ci_epsilon(1e-9)[2] > 0
    lacking = ([] if jax else ["jax-privacy"]) + ([] if guard else ["PrivacyGuard"])
    rows = [[n, k / runs] for n, k in count.items() if not any(n.startswith(name) for name in lacking)]
    why = [
        "What is guessed must be fixed in advance, chosen on other canaries, or paid for. jax-privacy pays by default,",
        "but only for thresholds on the Pareto frontier (about 6 of 200), which the labels chose; beside it its search",
        "without the payment. Two rates at once are so careful at epsilon 0 that the best of all thresholds",
        "(PrivacyGuard) hardly alarms more often there; it is no bound for all that.",
    ]
    error = math.sqrt(0.05 * 0.95 / runs)
    title = f"Share of {runs} perfectly private trainings that are 'proved' to leak at 5 % (standard error {error:.3f})"
    table(title, ["", "share"], rows, why)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    accountants()
    bounds()
    alarms(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
