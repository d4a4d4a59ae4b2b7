"""Epsilon and the noise for it, ours beside dp-accounting's on the same trainings, in one run and in turns.

Run: ``python benchmarks/accounting.py [REPEATS]`` in an environment with dp-accounting (extra ``dp``). The number to
read is the ratio of processor seconds; below 1 we are faster. dp-accounting's PLD runs on two grids: its default 1e-4,
and 1e-3, which is faster and rounds further up. Its bounds stand beside ours: both round up, so the lower is better.
"""

import importlib.util
import sys
import time

from probatum.statistics.accounting import Phase, exact_curves
from probatum.statistics.guarantee import epsilon_at, solve

TRAININGS = (  # q, sigma, steps, delta: the anchors of the tests, then a long and a weakly sampled one
    (1024 / 42061, 0.70, 410, 1 / 84122),
    (1024 / 67349, 0.68, 198, 1 / 134698),
    (256 / 100000, 1.0, 2000, 1e-6),
    (0.05, 1.0, 20, 1e-5),
    (0.004, 1.1, 14_000, 1e-5),
    (0.5, 10.0, 100, 1e-8),
)
TARGET = 3.0


def ours(q, sigma, steps, delta):
    exact_curves.cache_clear()
    return epsilon_at([Phase(sigma, q, steps)], delta)


def theirs(grid):
    def epsilon(q, sigma, steps, delta):
        from dp_accounting.pld import privacy_loss_distribution as pld

        more = {"value_discretization_interval": grid, "use_connect_dots": True}
        return (
            pld.from_gaussian_mechanism(sigma, sampling_prob=q, **more).self_compose(steps).get_epsilon_for_delta(delta)
        )

    return epsilon


def noise(q, sigma, steps, delta):
    exact_curves.cache_clear()
    return solve("sigma", epsilon=TARGET, delta=delta, q=q, steps=steps)


def their_noise(grid):
    def sigma_for(q, sigma, steps, delta):
        import dp_accounting
        from dp_accounting import pld

        def event(s):
            sampled = dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(s))
            return dp_accounting.SelfComposedDpEvent(sampled, steps)

        return dp_accounting.calibrate_dp_mechanism(
            lambda: pld.PLDAccountant(value_discretization_interval=grid), event, TARGET, delta,
            dp_accounting.LowerEndpointAndGuess(0.2, 1.0), tol=1e-4,
        )  # fmt: skip

    return sigma_for


def measured(ways, training, repeats):
    """Way → (value, least processor seconds); in turns, so that a busy moment does not fall on one way alone."""
    values, seconds = {}, {way: [] for way in ways}
    for _ in range(repeats):
        for way, work in ways.items():
            start = time.process_time()
            values[way] = float(work(*training))
            seconds[way].append(time.process_time() - start)
    return {way: (values[way], min(seconds[way])) for way in ways}


def table(title, ways, repeats):
    print(f"\n{title}\n\n| q sigma steps delta | way | value | CPU s | ours / this |\n|---|---|---|---|---|")
    for training in TRAININGS:
        found = measured(ways, training, repeats)
        mine = found["probatum"][1]
        for way, (value, seconds) in found.items():
            label = " ".join(f"{x:.4g}" for x in training) if way == "probatum" else ""
            print(f"| {label} | {way} | {value:.5f} | {seconds:.3f} | {mine / seconds:.2f} |")


if __name__ == "__main__":
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    peer = importlib.util.find_spec("dp_accounting") is not None
    if not peer:
        print("dp-accounting is not installed: ours alone", file=sys.stderr)
    grids = (1e-4, 1e-3) if peer else ()
    ours(*TRAININGS[3])  # imports
    names = {grid: f"dp-accounting, grid {grid:g}" for grid in grids}
    table("Epsilon, one query", {"probatum": ours, **{names[g]: theirs(g) for g in grids}}, rounds)
    table(
        f"Sigma for epsilon {TARGET:g} (to 1e-4)",
        {"probatum": noise, **{names[g]: their_noise(g) for g in grids}},
        max(1, rounds - 2),
    )
