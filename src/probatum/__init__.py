"""Probatum: what a model leaks, hides, makes up and owes to others, measured beside the controls that prove it."""

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
