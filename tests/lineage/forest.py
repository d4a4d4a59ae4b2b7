"""A forest of small networks whose descent is known: each was trained, by gradient descent, from its parent.

Fans (one parent, many tasks), snakes (checkpoints of one training), copies, copies rounded to 8 bits, and merges.
"""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

SIZES = (16, 32, 32, 6)
Net = list[np.ndarray]


@dataclass
class Forest:
    """Networks in the order in which they were made, their times, and the parents of each."""

    rng: np.random.Generator
    nets: list[Net] = field(default_factory=list)
    parents: list[tuple[int, ...]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def add(self, net: Net, parents: tuple[int, ...], kind: str) -> int:
        self.nets.append(net)
        self.parents.append(parents)
        self.kinds.append(kind)
        self.times.append((self.times[-1] if self.times else 1.6e9) + float(self.rng.uniform(3e3, 3e4)))
        return len(self.nets) - 1

    def write(self, folder: Path, *, cards: bool = True) -> list[str]:
        """Model directories; merges name their parents on their cards. Gives the names, in order."""
        names = [f"m{i:03d}" for i in range(len(self.nets))]
        for i, net in enumerate(self.nets):
            place = folder / names[i]
            place.mkdir(parents=True)
            save_file({f"{k}.weight": np.ascontiguousarray(w, np.float32) for k, w in enumerate(net)},
                      place / "model.safetensors")  # fmt: skip
            os.utime(place / "model.safetensors", (self.times[i], self.times[i]))
            if cards and self.kinds[i] == "merge":
                base = json.dumps([f"org/{names[p]}" for p in self.parents[i]])
                (place / "README.md").write_text(f"---\nbase_model: {base}\n---\n# {names[i]}\n")
        return names


def fresh(rng: np.random.Generator) -> Net:
    return [rng.normal(size=(o, i)) * np.sqrt(2 / i) for i, o in itertools.pairwise(SIZES)]


def train(net: Net, rng: np.random.Generator, task: np.ndarray, steps: int, rate: float = 0.05) -> Net:
    """Gradient descent on the classes that a random linear teacher gives."""
    a, b, c = (w.copy() for w in net)
    for _ in range(steps):
        x = rng.normal(size=(32, SIZES[0]))
        y = np.eye(SIZES[-1])[(x @ task).argmax(axis=1)]
        h = np.maximum(x @ a.T, 0)
        g = np.maximum(h @ b.T, 0)
        z = g @ c.T
        p = np.exp(z - z.max(axis=1, keepdims=True))
        d = (p / p.sum(axis=1, keepdims=True) - y) / len(x)
        dg = (d @ c) * (g > 0)
        dh = (dg @ b) * (h > 0)
        a, b, c = a - rate * dh.T @ x, b - rate * dg.T @ h, c - rate * d.T @ g
    return [a, b, c]


def eight_bits(net: Net) -> Net:
    out = []
    for w in net:
        step = np.abs(w).max(axis=1, keepdims=True) / 127
        out.append(np.round(w / step) * step)
    return out


def grow(seed: int, *, fans: int = 7, snakes: int = 5, deep: bool = False) -> Forest:
    """Families: fans of a root, its children, two copies, two rounded copies and a merge; snakes and a rounded copy.

    With ``deep`` a second fan hangs on one child of each fan and on the end of each snake.
    """
    rng = np.random.default_rng(seed)
    forest = Forest(rng)

    def tuned(parent: int, steps: int, kind: str, task: np.ndarray) -> int:
        return forest.add(train(forest.nets[parent], rng, task, steps, 0.02), (parent,), kind)

    def task() -> np.ndarray:
        return rng.normal(size=(SIZES[0], SIZES[-1]))

    def rounded(of: int) -> None:
        forest.add(eight_bits(forest.nets[of]), (of,), "eight bits")

    for family in range(fans + snakes):
        base = task()
        root = forest.add(train(fresh(rng), rng, base, 500), (), "root")
        if family < fans:
            fan = [tuned(root, 100, "fan", base + 0.5 * task()) for _ in range(7)]
            ends = [int(i) for i in rng.choice(fan, 3, replace=False)]
            for of in ends[:2]:
                forest.add([w.copy() for w in forest.nets[of]], (of,), "copy")
                rounded(of)
            merged = [(v + w) / 2 for v, w in zip(forest.nets[ends[0]], forest.nets[ends[1]], strict=True)]
            forest.add(merged, (ends[0], ends[1]), "merge")
            last = ends[2]
        else:
            last, goal = root, task()
            for _ in range(10):
                last = tuned(last, 80, "snake", goal)
            rounded(last)
        if deep:
            for _ in range(5):
                tuned(last, 100, "deep fan", base + 0.5 * task())
    return forest
