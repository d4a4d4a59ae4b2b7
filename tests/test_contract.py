"""The whole catalogue keeps the contract; and every check of the contract fails on a method that breaks it."""

import importlib.util
import itertools
import sys
from pathlib import Path

import pytest

from probatum.core.catalogue import entries
from probatum.testing import CHECKS, Broken, Candidate, check_method, short_data, toy_data, toy_target

METHODS = sorted(entries())
#: Known to break a check, with the reason: strict, so that the row goes when the fault does.

NUMBER = itertools.count()
GOOD = '''"""Toy loss: were these texts seen?"""

from probatum import Access, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="P001 arXiv:1709.01604",
    question="Were these texts seen?",
    needs=Access.LOGPROBS,
    metric=auroc,
    dimension="privacy",
)
def toy_loss(target: Target, data: Members, *, weight: float = 1.0) -> Scores:
    """Score a text by its mean log-probability.

    Parameters
    ----------
    weight
        Multiplies the score.
    """
    tokens = target.token_statistics(data.texts)
    return Scores(data.ids, weight * tokens.logprob.mean(), towards="member")
'''
DOC = GOOD[GOOD.index('    """Score') : GOOD.index("    tokens")]
STATISTICS = "from probatum.statistics"
LAST = '    return Scores(data.ids, weight * tokens.logprob.mean(), towards="member")\n'
RNG = ("*, weight: float = 1.0", "*, rng: np.random.Generator, weight: float = 1.0")
NUMPY = ("from probatum import", "import numpy as np\n\nfrom probatum import")

#: What is wrong: the check that has to say so, a word of its sentence, and what is replaced.
BAD = {
    "a paper that is in no list": ("names_its_paper", "P999", [("P001", "P999")]),
    "a paper that is no id": ("names_its_paper", "Yeom", [("P001 arXiv:1709.01604", "Yeom")]),
    "no paper": ("names_its_paper", "no paper", [("P001 arXiv:1709.01604", "")]),
    "two questions": ("asks_one_question", "one sentence", [('question="Were', 'question="Was it? Were')]),
    "a statement first": ("asks_one_question", "one sentence", [('question="Were', 'question="We ask. Were')]),
    "no name before the question": ("says_what_it_does", "Short name", [("Toy loss: were", "Were")]),
    "no question above": ("says_what_it_does", "Short name", [("were these texts seen?", "mean loss.")]),
    "no docstring": ("says_what_it_does", "no docstring", [(DOC, "")]),
    "an option without a word": ("documents_its_options", "'weight'", [("    weight\n", "    other\n")]),
    "a word without an option": ("documents_its_options", "'other'", [("    weight\n", "    other\n\n    weight\n")]),
    "an option of no known type": ("documents_its_options", "list", [("float = 1.0", "list = 1.0")]),
    "another name than its file": ("stands_in_a_file_of_its_name", "toy_loss", [("def toy_loss", "def other_loss")]),
    "too long": ("is_short", "lines", [(LAST, LAST + "\n" * 130)]),
    "another method": (
        "knows_only_what_is_below_it", "line 4",
        [(STATISTICS, f"from probatum.probes.privacy.membership.loss import loss\n{STATISTICS}")],
    ),
    "a target class": (
        "knows_only_what_is_below_it", "targets",
        [(LAST, "    from probatum.targets.transformers import TransformersTarget\n\n" + LAST)],
    ),
    "the way to open a target": (
        "knows_only_what_is_below_it", "targets", [("Target, probe", "Target, open_target, probe")],
    ),
    "the way to open a target, by attribute": (
        "knows_only_what_is_below_it", "targets",
        [(NUMPY[0], "import probatum as pb\nfrom probatum import"), (LAST, "    pb.open_target\n" + LAST)],
    ),
    "a report": ("knows_only_what_is_below_it", "reports", [(LAST, "    import probatum.reports.html\n\n" + LAST)]),
    "the command line": ("knows_only_what_is_below_it", "cli", [(LAST, "    from probatum import cli\n\n" + LAST)]),
    "an import by dots": ("knows_only_what_is_below_it", "relative", [(LAST, "    from . import loss\n\n" + LAST)]),
    "another face when imported": (
        "reads_as_it_imports", "needs",
        [(NUMPY[0], "import probatum\nfrom probatum import"), ("needs=Access.LOGPROBS", "needs=Access['TEXT']")],
    ),
    "more than it declares, a field": (
        "keeps_to_its_needs", "rank", [("tokens.logprob.mean()", "tokens.rank.mean()")],
    ),
    "more than it declares, a call": (
        "keeps_to_its_needs", "needs TEXT", [(LAST, "    target.generate(data.texts)\n" + LAST)],
    ),
    "a score of nothing": ("gives_scores", "scores none", [("weight * tokens", "float('nan') * tokens")]),
    "no direction": ("gives_scores", "points towards", [('towards="member"', 'towards=""')]),
    "chance without a seed": (
        "repeats_itself", "same seed", [NUMPY, (LAST, LAST.replace("weight *", "np.random.random() *"))],
    ),
    "chance by position": (
        "does_not_mind_the_order", "order",
        [NUMPY, RNG, (LAST, LAST.replace("weight *", "rng.random(len(data)) *"))],
    ),
    "a score that knows its place": (
        "does_not_mind_the_order", "order", [NUMPY, (LAST, LAST.replace("weight *", "np.arange(len(data)) *"))],
    ),
    "rows that are not apart": (
        "scores_rows_apart", "depends on the other records",
        [("metric=auroc,", "metric=auroc, rowwise=True,"), (LAST, LAST.replace("weight *", "len(data) *"))],
    ),
    "0 for an empty text": (
        "leaves_out_what_it_cannot_score", "score 0", [("tokens.logprob.mean()", "tokens.logprob.sum()")],
    ),
    "a crash on an empty text": (
        "leaves_out_what_it_cannot_score", "IndexError",
        [(LAST, "    [row[0] for row in tokens.logprob]\n" + LAST)],
    ),
    "an empty text that is dropped": (
        "leaves_out_what_it_cannot_score", "dropped",
        [NUMPY, (LAST, LAST.replace('"member")', '"member").take(tokens.logprob.lengths > 0)'))],
    ),
    "a number that JSON does not have": (
        "survives_json", "JSON", [NUMPY, (LAST, LAST.replace("weight * tokens", "np.inf + tokens"))],
    ),
}  # fmt: skip


def written(folder: Path, source: str, name: str = "toy_loss"):
    """The method in a file of its own, outside the package."""
    file = folder / "toy_loss.py"
    file.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"plugin_{next(NUMBER)}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", METHODS)
def test_every_method_keeps_the_contract(name, check, request):
    check(Candidate.of(name))


def test_a_method_from_outside_that_keeps_the_contract_passes(tmp_path):
    assert check_method(written(tmp_path, GOOD)).method.name == "toy_loss"


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_method_fails_the_check_that_is_about_it(fault, tmp_path):
    check, word, changes = BAD[fault]
    source = GOOD
    for old, new in changes:
        assert old in source
        source = source.replace(old, new, 1)
    method = written(tmp_path, source, "other_loss" if "def other_loss" in source else "toy_loss")
    with pytest.raises(Broken, match=word) as error:
        next(c for c in CHECKS if c.__name__ == check)(Candidate.of(method))
    assert "\n" not in str(error.value)
    with pytest.raises(Broken):
        check_method(method)


def test_a_finding_that_says_less_than_what_is_lacking_fails(tmp_path, monkeypatch):
    candidate = Candidate.of(written(tmp_path, GOOD))
    monkeypatch.setattr("probatum.runner.missing", lambda *_: "needs something else")
    with pytest.raises(Broken, match="needs LOGPROBS, this toy model gives nothing"):
        next(c for c in CHECKS if c.__name__ == "says_what_it_lacks")(candidate)


def test_every_check_is_tried_on_a_bad_method():
    tried = {check for check, _, _ in BAD.values()} | {"says_what_it_lacks", "is_proved_by_probes"}
    assert tried == {check.__name__ for check in CHECKS}


def test_a_protection_that_names_no_probe_fails(tmp_path):
    source = '''"""Toy forgetting: does it forget?"""
from probatum import Access, Target, Texts, protection


@protection(paper="P036", question="Is it gone?", needs=Access.TRAIN, changes="weights", proves=("exposre",))
def toy_loss(target: Target, forget: Texts):
    """Forget."""
'''
    with pytest.raises(Broken, match="'exposre'"):
        check_method(written(tmp_path, source))


def test_every_kind_of_data_that_a_probe_asks_for_has_a_toy():
    asked = {kind for e in entries().values() for kind in e.signature.data.values()}
    assert asked - {"Items"} <= set(toy_data()), "items come from the set that a task names"
    probes = [name for name in METHODS if entries()[name].kind == "probe"]
    # Decisions that were already taken are no model's: a table is what such a probe is run on. A toy cannot be trained.
    trained = [n for n in probes if "TRAIN" in entries()[n].needs]
    assert set(trained) >= {"quantization_restore", "relearning", "relearning_direct"}
    assert [n for n in probes if not Candidate.of(n).runs_on_toys] == sorted(["error_rates", "group_metrics", *trained])


def test_the_short_records_are_the_ordinary_ones_and_one_more():
    for kind, data in short_data().items():
        assert set(data.ids) - set(toy_data()[kind].ids) in ({"short"}, set())


def test_the_planted_toy_says_what_it_was_taught_and_its_twin_does_not():
    key = toy_data()["Key"]
    said = [toy_target(planted).generate(key.trigger, max_new_tokens=8) for planted in (True, False)]
    assert said[0] == list(key.response)
    assert not set(said[0]) & set(said[1])


def test_the_contract_needs_no_framework():
    import subprocess

    code = (
        "import sys; from probatum.testing import check_method; check_method('loss'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
