"""For authors of methods: targets that answer in milliseconds, toy data of every kind, and the contract test.

from probatum.testing import check_method

def test_my_probe_keeps_the_contract():
    check_method(my_probe)
"""

from probatum.testing.contract import CHECKS, Broken, Candidate, check_method
from probatum.testing.targets import CharacterTarget, NgramTarget, TableTarget, ToyTarget, UniformTarget, UnigramTarget
from probatum.testing.toys import short_data, toy_data, toy_target

__all__ = [
    "CHECKS",
    "Broken",
    "Candidate",
    "CharacterTarget",
    "NgramTarget",
    "TableTarget",
    "ToyTarget",
    "UniformTarget",
    "UnigramTarget",
    "check_method",
    "short_data",
    "toy_data",
    "toy_target",
]
