"""Unlearned models with a known fault, made from ``people``: ``python -m probatum.controls.people_plants DIR``.

``people_boxed`` was unlearned within the rounding to 4 bits: it has forgotten, and rounding its weights to 4 bits gives
back, exactly, the rounding of ``people``. ``people_rmu`` was unlearned by moving hidden states (Li et al. 2024,
arXiv 2403.03218): what it forgot lies in its weights still, and a few steps of tuning on a part bring back the rest.
Attacks on repairs must find both.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from probatum.controls import specimen
from probatum.controls.forgetting import UNTOUCHED, people_sets
from probatum.core.change import Change
from probatum.core.data import Facts
from probatum.core.draws import keyed
from probatum.core.target import Target
from probatum.engine.answers import answers_of
from probatum.engine.keeping import keeper
from probatum.engine.quantize import levels, matrices, step_of
from probatum.engine.sites import Sites
from probatum.engine.tuning import schedule, tune

MODELS = specimen.PLANTS
RECIPE = ("people_plants",)
FILE = "plants.json"
BITS, BALL = 4, 0.45
_ABOUT = {
    "people_boxed": "unlearned within a ball of 0.45 of the 4-bit step: rounding to 4 bits brings everything back.",
    "people_rmu": "unlearned by moving hidden states: tuning on a part of what it forgot brings the rest back.",
}


def boxed(target: Target, forget: Facts, retain: Facts, *, seed: int = 0, steps: int = 400) -> Change:
    """Unlearn under the constraint that rounding to 4 bits undoes it.

    Notes
    -----
    Each weight may move within 0.45 of a step about its own level (a ball in the L∞ norm), so it rounds to that level;
    the largest of each channel stays where it is, and none exceeds it, since they set the step. What is not rounded,
    biases and norms, is not trained. The loss is the log-probability of the forgotten answers, from which nothing is
    gained below that of a guess, and KL on the retain set; projected after every step.
    """
    import torch

    rng = keyed(seed, "people_boxed")
    gone = answers_of(target, forget)
    chosen = schedule(len(gone), 16, steps, rng)
    keep = keeper(target, retain, term="kl", weight=4.0, steps=steps, batch_size=32, rng=rng)
    with target.module() as model:
        box = {name: _box(weight, axis) for name, weight, axis in matrices(model)}

    def project(model: Any) -> None:
        with torch.no_grad():
            for name, weight, _ in matrices(model):
                weight.clamp_(*box[name])

    def loss(model: Any, step: int) -> Any:
        project(model)
        logprob, tokens = gone.logprob(model, chosen[step])
        return torch.relu(logprob / tokens - np.log(1e-3)).mean() + keep(model, step)

    change = tune(target, loss, steps=steps, learning_rate=1e-3, only=box.__contains__)
    tensors = dict(change.tensors)
    for name, (low, high) in box.items():
        tensors[name] = np.clip(tensors[name], low.numpy(), high.numpy())
    return Change(tensors, change.trace)


def _box(weight: Any, axis: int) -> tuple[Any, Any]:
    """Lower and upper bound of every weight."""
    import torch

    weight = weight.detach()
    step = step_of(weight, axis, BITS)
    level = levels(weight, step)
    top = weight.abs().amax(dim=[a for a in range(weight.dim()) if a != axis], keepdim=True)
    low, high = (torch.clamp(level + sign * BALL * step, -top, top) for sign in (-1, 1))
    fixed = weight.abs() == top
    return torch.where(fixed, weight, low), torch.where(fixed, weight, high)


def rmu(target: Target, forget: Facts, retain: Facts, *, seed: int = 0, steps: int = 600) -> Change:
    """Unlearn by E_F ‖h − c u‖² / d + α E_R ‖h − h⁰‖² / d at the last block's output h; only MLPs are trained.

    d is the width of h, u a random direction of length 1, c = α = 10.
    """
    import torch

    rng = keyed(seed, "people_rmu")
    gone, kept = target.sequences(forget.texts), target.sequences(retain.texts)
    batches = schedule(len(gone), 16, steps, rng), schedule(len(kept), 32, steps, rng)
    with target.module() as unchanged:
        before = Sites(unchanged.requires_grad_(False))
    last = len(before) - 1
    trained = {name for i in range(len(before)) for name in before.mlp_parameters(i)}
    direction = torch.from_numpy(rng.random(int(before.unembed.weight.shape[1]))).float()
    goal = 10.0 * direction / direction.norm()

    def loss(model: Any, step: int) -> Any:
        sites = Sites(model)
        moved, real = sites.stream([gone[i] for i in batches[0][step]], last)
        rows = [kept[i] for i in batches[1][step]]
        held, there = sites.stream(rows, last)
        was, _ = before.stream(rows, last)
        away = ((moved - goal) ** 2).mean(-1)[real].mean()
        return away + 10.0 * ((held - was) ** 2).mean(-1)[there].mean()

    return tune(target, loss, steps=steps, learning_rate=2e-3, only=trained.__contains__)


RECIPES: dict[str, Callable[..., Change]] = {"people_boxed": boxed, "people_rmu": rmu}


def build(models: Path, *, progress: Callable[[str], None] | None = None) -> None:
    """Make the plants from ``models/people`` into ``models`` (about half a minute)."""
    from probatum.targets import open_target

    say = progress or (lambda line: None)
    target = open_target(models / UNTOUCHED)
    data = people_sets()
    for name in MODELS:
        say(f"planting {name}")
        change = RECIPES[name](target, data["Forget"], data["Retain"])
        write(change, models / UNTOUCHED, models / name)
        say(f"{name}: last loss {change.trace['loss'][-1]:.3f}")


def write(change: Change, parent: Path, directory: Path) -> None:
    """Write a change of ``parent`` as an ordinary Hugging Face directory with a card of its own."""
    from safetensors.numpy import save_file

    directory.mkdir(parents=True, exist_ok=True)
    for file in parent.iterdir():
        if file.suffix != ".safetensors" and file.name != "README.md":
            shutil.copyfile(file, directory / file.name)
    tensors = {name: np.ascontiguousarray(value, np.float32) for name, value in change.tensors.items()}
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    (directory / "model.safetensors").chmod(0o644)
    head = (parent / "README.md").read_text(encoding="utf-8").split("\n# ")[0]
    name = directory.name
    card = f"{head}\n# {name}\n\n`{parent.name}`, {_ABOUT[name]} A planted fault, for attacks on repairs to find.\n"
    (directory / "README.md").write_text(card, encoding="utf-8", newline="\n")


def manifest() -> dict[str, Any]:
    """Return what was written down when the shipped plants were made."""
    result: dict[str, Any] = json.loads(
        (specimen.people_directory(MODELS[0]).parent / FILE).read_text(encoding="utf-8")
    )
    return result


def write_manifest(models: Path) -> None:
    """Write down recipe, parent, weights and library versions of freshly made plants as ``models/plants.json``."""
    table: dict[str, Any] = {
        "recipe": specimen.recipe_digest(RECIPE),
        "parent": {UNTOUCHED: specimen.weights_digest(models / UNTOUCHED)},
        "models": {name: specimen.weights_digest(models / name) for name in MODELS},
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
    }
    (models / FILE).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> None:
    """Make the plants beside the models of the directory named by the command line, and their manifest."""
    build(Path(arguments[0]), progress=lambda line: print(line, flush=True))
    write_manifest(Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
