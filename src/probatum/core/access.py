"""What a target gives, which is the threat model of a probe."""

import enum
from collections.abc import Iterable


class Access(enum.Flag):
    """A set, not a ladder: an endpoint may give TEXT without LOGPROBS, a checkpoint on disk BYTES without a model."""

    LABELS = enum.auto()  #: a class for an input
    SCORES = enum.auto()  #: a score for every class
    TEXT = enum.auto()  #: a continuation of a prompt
    LOGPROBS = enum.auto()  #: the log-probability of a given text, token by token
    LOGITS = enum.auto()  #: moments and ranks over the whole vocabulary
    HIDDEN = enum.auto()  #: activations
    GRADIENTS = enum.auto()  #: derivatives of the loss
    WEIGHTS = enum.auto()  #: the parameters
    BYTES = enum.auto()  #: the files as they lie on disk
    TRAIN = enum.auto()  #: the right to train a copy

    def __str__(self) -> str:
        return ", ".join(member.name or "" for member in self) or "nothing"


#: Who could do what a probe does, from the least that must be handed out to the most.
AUDIENCES = ("the public", "an API customer", "whoever has the weights", "the trainer")


def audience(needs: Access, kinds: Iterable[str] = ()) -> str:
    """Who has what a probe needs: access to the model, and kinds of data that only its trainer can have."""
    if {*kinds} & {"Canaries", "Directions", "TrainingLog"} or Access.TRAIN in needs:
        return AUDIENCES[3]
    if needs & ~(Access.TEXT | Access.LABELS | Access.SCORES | Access.LOGPROBS):
        return AUDIENCES[2]
    return AUDIENCES[1] if needs & (Access.SCORES | Access.LOGPROBS) else AUDIENCES[0]


#: What a language model on this machine gives.
OPEN_WEIGHTS = (
    Access.TEXT
    | Access.LOGPROBS
    | Access.LOGITS
    | Access.HIDDEN
    | Access.GRADIENTS
    | Access.WEIGHTS
    | Access.BYTES
    | Access.TRAIN
)
