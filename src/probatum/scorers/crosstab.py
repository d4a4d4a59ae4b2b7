"""Pearson's chi-squared test of two columns, as published scorers use it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def independence(rows: Sequence[str], columns: Sequence[str]) -> float:
    """The p-value of independence (with Yates' correction for two by two); 1 where one side has one value only."""
    from scipy.stats import chi2_contingency

    names, row = np.unique(np.asarray(rows, dtype=str), return_inverse=True)
    others, column = np.unique(np.asarray(columns, dtype=str), return_inverse=True)
    table = np.zeros((len(names), len(others)))
    np.add.at(table, (row, column), 1)
    return float(chi2_contingency(table)[1])
