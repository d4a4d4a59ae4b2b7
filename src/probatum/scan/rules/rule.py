"""The record of one rule."""

from __future__ import annotations


class Rule:
    """A permanent id with its severity, its effect on the verdict, and its documentation in four sentences."""

    __slots__ = ("do", "example", "id", "matters", "means", "severity", "title", "verdict")

    def __init__(
        self, id: str, verdict: str, title: str, *, means: str, matters: str, example: str, do: str, severity: str = ""
    ) -> None:
        self.id, self.verdict, self.title = id, verdict, title
        self.means, self.matters, self.example, self.do = means, matters, example, do
        self.severity = severity or {"proved inert": "note", "dangerous": "error"}.get(verdict, "warning")
