"""Probatum: what a model leaks, hides, makes up and owes to others, measured beside the controls that prove it."""

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.audit import audit, run
    from probatum.core.access import Access
    from probatum.core.catalogue import probe, protection
    from probatum.core.data import (
        Canaries,
        Certificate,
        Choices,
        Claims,
        Directions,
        Forget,
        Forms,
        Holdout,
        Items,
        Key,
        Members,
        Norms,
        Pairs,
        Prompts,
        Records,
        Retain,
        Rows,
        Texts,
        TrainingLog,
    )
    from probatum.core.draws import keyed, per_record
    from probatum.core.errors import BadInput, BudgetSpent, EndpointError, NotOffered, ProbatumError
    from probatum.core.estimate import Estimate, Result, Truth
    from probatum.core.finding import Finding
    from probatum.core.ragged import Ragged
    from probatum.core.report import Report
    from probatum.core.scores import Scores
    from probatum.core.target import Target
    from probatum.core.version import __version__
    from probatum.targets import open_target

__all__ = [
    "Access",
    "BadInput",
    "BudgetSpent",
    "Canaries",
    "Certificate",
    "Choices",
    "Claims",
    "Directions",
    "EndpointError",
    "Estimate",
    "Finding",
    "Forget",
    "Forms",
    "Holdout",
    "Items",
    "Key",
    "Members",
    "Norms",
    "NotOffered",
    "Pairs",
    "ProbatumError",
    "Prompts",
    "Ragged",
    "Records",
    "Report",
    "Result",
    "Retain",
    "Rows",
    "Scores",
    "Target",
    "Texts",
    "TrainingLog",
    "Truth",
    "__version__",
    "audit",
    "keyed",
    "open_target",
    "per_record",
    "probe",
    "protection",
    "run",
]

#: Where each public name lives; it is imported when it is first asked for, so that `probatum scan` needs no NumPy.
_HOMES = {
    "probatum.audit": "audit run",
    "probatum.core.access": "Access",
    "probatum.core.catalogue": "probe protection",
    "probatum.core.data": (
        "Canaries Certificate Choices Claims Directions Forget Forms Holdout Items Key Members Norms Pairs Prompts "
        "Records Retain Rows Texts TrainingLog"
    ),
    "probatum.core.draws": "keyed per_record",
    "probatum.core.errors": "BadInput BudgetSpent EndpointError NotOffered ProbatumError",
    "probatum.core.estimate": "Estimate Result Truth",
    "probatum.core.finding": "Finding",
    "probatum.core.ragged": "Ragged",
    "probatum.core.report": "Report",
    "probatum.core.scores": "Scores",
    "probatum.core.target": "Target",
    "probatum.core.version": "__version__",
    "probatum.targets": "open_target",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'probatum' has no attribute '{name}'")
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


class _Door(ModuleType):
    """`import probatum.audit` must not put the module in place of the function of the same name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Door
