"""What a protection makes: a change, never a changed model. The runner derives the new target from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Change:
    """New values of tensors, by the names that they have on disk.

    ``trace`` holds what the method saw on its way (loss by step …), for the record; nothing is decided by it.
    """

    tensors: Mapping[str, np.ndarray]
    trace: Mapping[str, Any] = field(default_factory=dict)
