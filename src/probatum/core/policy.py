"""A policy: which findings may be shipped. It alone turns findings into an exit code.

name = "release"
inconclusive = "over"        # or "within"; the default is over
not_run = "within"
evidence = "over"

[[rule]]                     # the first rule that fits a finding decides
probe = "loss"               # or dimension = "privacy"
max = 0.6                    # upper end of the estimate's interval
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probatum.core.catalogue import entries
from probatum.core.errors import BadInput
from probatum.core.finding import DIMENSIONS, Finding
from probatum.core.report import PolicyVerdict

OUTCOME_KEYS = ("evidence", "inconclusive", "not_run", "measured")
RULE_KEYS = {"probe", "dimension", "max", "min", *OUTCOME_KEYS}


@dataclass(frozen=True)
class Policy:
    """``outcomes``: what an outcome means where no rule fits; ``rules`` in order."""

    name: str
    outcomes: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, path: str | Path) -> Policy:
        """From a TOML file. Raises `BadInput` with the fault."""
        path = Path(path)
        if not path.is_file():
            raise BadInput(f"{path}: no such policy file")
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{path}: not a TOML file ({error})") from error
        rules = raw.pop("rule", [])
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            raise BadInput(f'{path}: expected every rule as a table of its own: [[rule]], then probe = "loss"')
        for rule in rules:
            unknown = set(rule) - RULE_KEYS
            if unknown:
                raise BadInput(f"{path}: a rule has no key '{min(unknown)}'; it has {', '.join(sorted(RULE_KEYS))}")
            _check(rule, path)
        name = str(raw.pop("name", path.stem))
        for key, value in raw.items():
            if key not in OUTCOME_KEYS or value not in ("over", "within"):
                wanted = 'evidence, inconclusive or not_run = "over" or "within"'
                raise BadInput(f"{path}: '{key} = {value}' is not a policy; write {wanted}")
        return cls(name, raw, tuple(rules))

    def judge(self, findings: Iterable[Finding]) -> PolicyVerdict:
        """Which findings fail, and why."""
        failed = {}
        for finding in findings:
            reason = self._fault(finding)
            if reason:
                failed[finding.id] = f"{finding.probe}: {reason}"
        return PolicyVerdict(self.name, not failed, failed)

    def _fault(self, finding: Finding) -> str:
        fits = (r for r in self.rules if r.get("probe") == finding.probe or r.get("dimension") == finding.dimension)
        rule = next(fits, {})
        key = finding.outcome.replace(" ", "_")
        bounded = "max" in rule or "min" in rule
        if bounded and finding.outcome in ("evidence", "no evidence", "measured") and finding.estimate is not None:
            e = finding.estimate
            low = e.low if e.low is not None else e.value
            high = e.high if e.high is not None else e.value
            if high is None or low is None:
                return "there is no number to hold against the policy"
            if "max" in rule and high > rule["max"]:
                return f"{e.metric} may be as high as {high:.3g}, the policy allows {rule['max']:g}"
            if "min" in rule and low < rule["min"]:
                return f"{e.metric} may be as low as {low:.3g}, the policy asks for {rule['min']:g}"
            return ""
        if key in ("no_evidence", "measured"):
            return "" if rule.get(key, self.outcomes.get(key, "within")) == "within" else finding.outcome
        return finding.outcome if rule.get(key, self.outcomes.get(key, "over")) == "over" else ""


def _check(rule: Mapping[str, Any], path: Path) -> None:
    """A rule that fits nothing, or holds a bound that is no number, would pass in silence."""
    if ("probe" in rule) == ("dimension" in rule):
        raise BadInput(f"{path}: a rule names either a probe or a dimension")
    if "probe" in rule and rule["probe"] not in entries():
        near = difflib.get_close_matches(str(rule["probe"]), entries(), n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise BadInput(f"{path}: no probe is called '{rule['probe']}'{hint}")
    if "dimension" in rule and rule["dimension"] not in DIMENSIONS:
        raise BadInput(f"{path}: no dimension is called '{rule['dimension']}'; there are {', '.join(DIMENSIONS)}")
    for key, value in rule.items():
        if key in ("max", "min") and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise BadInput(f"{path}: {key} must be a number, got '{value}'")
        if key in OUTCOME_KEYS and value not in ("over", "within"):
            raise BadInput(f'{path}: {key} must be "over" or "within", got \'{value}\'')
