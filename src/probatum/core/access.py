"""What a target gives, which is the threat model of a probe."""

import enum


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
