"""How a run of the machine ends before STOP."""

from __future__ import annotations


class Broken(Exception):
    """Every loader stops here with an error; ``args[0]`` says which."""
