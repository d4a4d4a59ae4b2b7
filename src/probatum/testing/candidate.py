"""A method under test: what its file says, and what it is when imported."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.controls.responders import Answerer
from probatum.core.access import Access
from probatum.core.catalogue import Entry, Method, load, read
from probatum.core.data import Data
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.core.target import Target
from probatum.engine.session import Session
from probatum.runner import Runner
from probatum.sets import known
from probatum.sets.finding import generated
from probatum.testing.targets import LANGUAGE, ToyTarget
from probatum.testing.toys import toy_data, toy_folder, toy_target

#: What toy targets can give.
TOYS = LANGUAGE | Access.HIDDEN | Access.GRADIENTS | Access.WEIGHTS | Access.BYTES


class Broken(AssertionError):
    """A method does not keep the contract; the sentence says which part, and what was found."""


@dataclass(frozen=True)
class Candidate:
    """The two views of one method, and its file."""

    method: Method
    entries: tuple[Entry, ...]  #: every method that the file declares
    file: Path

    @classmethod
    def of(cls, method: str | Callable) -> Candidate:
        """By name in the catalogue, or the decorated function."""
        found = load(method) if isinstance(method, str) else method.method  # type: ignore[attr-defined]
        file = Path(inspect.unwrap(found.function).__code__.co_filename)
        return cls(found, tuple(read(found.function.__module__, file)), file)

    @property
    def entry(self) -> Entry:
        """What the file says of this method."""
        found = next((e for e in self.entries if e.name == self.method.name), None)
        if found is None:
            raise Broken(f"{self.file} holds no function '{self.method.name}' with its decorator at the top level")
        return found

    @property
    def runs_on_toys(self) -> bool:
        """Can toy targets and toy data give what it needs?"""
        signature = self.method.signature
        known = {*toy_data(), *(("Items",) if self.method.items else ())}
        return self.method.kind == "probe" and self.method.needs in TOYS and {*signature.data.values()} <= known

    @property
    def data(self) -> Mapping[str, Data]:
        """Toy data of every kind, and the generated items of a task."""
        if not self.method.items:
            return toy_data()
        return {**toy_data(), "Items": generated(known()[self.method.items])}

    def target(self, access: Access, *, planted: bool = True) -> ToyTarget:
        """A toy that gives exactly this access."""
        return toy_target(planted, folder=toy_folder()).giving(access)

    def runner(self, target: Target, data: Mapping[str, Data], roles: Mapping[str, Target], seed: int = 0) -> Runner:
        """As in an audit, without a store."""
        return Runner(target, data, roles, Session(), seed, debug=True)

    def run(
        self, data: Mapping[str, Data] | None = None, *, seed: int = 0, options: Mapping[str, Any] | None = None
    ) -> tuple[Scores, Truth]:
        """Scores on the planted toy, which offers what the method declares and nothing more, and their truth."""
        from probatum.core.binding import options_of

        data = data or self.data
        target: Target = self.target(self.method.needs)
        needs = self.method.needs
        if self.method.items and needs and needs in Answerer.access:  # the toys' babble would be unparsable
            target = Answerer("random", data["Items"])  # type: ignore[arg-type]
        roles = {role: self.target(self.method.needs, planted=False) for role in self.method.signature.roles}
        chosen = options_of(self.method, options or {})
        runner = self.runner(target, data, roles, seed)
        return runner.execute(self.method, target, runner.data, roles, chosen)
