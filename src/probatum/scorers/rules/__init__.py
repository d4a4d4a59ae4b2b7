"""Rules that a model is told to keep, and programs that tell whether it did (RuLES, P099). Pure.

Fifteen scenarios: the ideas are those of the paper, rules and conversations are our own. Every scenario draws its
parameters anew; its program reads them back from the rules with which a conversation begins.
"""

from collections.abc import Sequence

from probatum.core.data import Items
from probatum.core.errors import BadInput
from probatum.scorers.rules.base import Case, Conversation, Scenario, cases
from probatum.scorers.rules.games import BINARY_SEARCH, ROCK_PAPER_SCISSORS, SIMON_SAYS
from probatum.scorers.rules.guarding import ACCESS_CONTROL, AUTHENTICATION, CONFIDENTIALITY, ENCRYPTION, INTEGRITY
from probatum.scorers.rules.leaks import FORMS, leak
from probatum.scorers.rules.parties import COMMITMENT, DINING_CRYPTOGRAPHERS, MILLIONAIRES
from probatum.scorers.rules.speech import ANIMAL_SOUNDS, FORBIDDEN_WORD, HODOR, QUESTIONS

#: All by name, in the order in which their cases are drawn.
SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        *(ACCESS_CONTROL, ANIMAL_SOUNDS, AUTHENTICATION, BINARY_SEARCH, COMMITMENT, CONFIDENTIALITY),
        *(DINING_CRYPTOGRAPHERS, ENCRYPTION, FORBIDDEN_WORD, HODOR, INTEGRITY, MILLIONAIRES),
        *(QUESTIONS, ROCK_PAPER_SCISSORS, SIMON_SAYS),
    )
}

__all__ = ["FORMS", "SCENARIOS", "Case", "Conversation", "Scenario", "cases", "keeps", "leak", "scenarios_of"]


def keeps(scenario: str, conversation: Conversation, answer: str) -> bool:
    """Whether an answer keeps the rules with which a conversation of that scenario begins."""
    return SCENARIOS[scenario].keeps(conversation, answer)


def scenarios_of(items: Items) -> Sequence[str]:
    """The scenario of every item. Raises `BadInput` where the items are of another set."""
    names = [group.split("/")[0] for group in items.group or ("",) * len(items)]
    strange = next((name for name in names if name not in SCENARIOS), None)
    if strange is not None:
        raise BadInput(f"these items are not of rules/scenarios: there is no scenario '{strange}'")
    return names
