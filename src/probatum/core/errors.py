"""What can go wrong, one sentence each. Every message says what was expected, what came, and what to do."""


class ProbatumError(Exception):
    """Something that the user can mend; the message is the whole output, and there is no traceback."""


class BadInput(ProbatumError):
    """A file, a directory or an option is not what it has to be."""


class NotOffered(ProbatumError):
    """The target's access does not cover what was asked of it."""


class BudgetSpent(ProbatumError):
    """The token budget of this audit is used up; what is already in the store is still answered."""


class StoreError(ProbatumError):
    """Evidence cannot be kept, such as on a full disk. It ends the audit: going on would compute for nothing."""


class EndpointError(ProbatumError):
    """An endpoint did not answer as its protocol says, and asking again did not help."""
