"""Weights of which only some rows are read: the disk is told which, so that it does not read the rest ahead."""

from __future__ import annotations

import os

import numpy as np

from probatum.files.tensors import Weights


class Sampled(Weights):
    """`Weights`, but asking for exactly the runs of rows that are wanted before they are touched."""

    def rows(self, name: str, index: np.ndarray) -> np.ndarray:
        """As `Weights.rows`. A touch of a mapped page makes the system read far ahead, here ten times too much."""
        raw, shape = self.raw(name), self.shapes[name]
        if hasattr(os, "posix_fadvise") and isinstance(raw, np.memmap) and len(index) and len(shape) > 1:
            height = len(raw) // max(1, shape[0])
            places = np.unique(index)
            breaks = np.flatnonzero(np.diff(places) > 1) + 1
            file = os.open(str(raw.filename), os.O_RDONLY)
            try:
                for run in np.split(places, breaks):
                    start = raw.offset + int(run[0]) * height
                    os.posix_fadvise(file, start, len(run) * height, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(file)
        return super().rows(name, index)
