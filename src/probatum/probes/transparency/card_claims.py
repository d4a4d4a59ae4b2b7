"""Card claims: does the model card say what is so?

Model cards (Mitchell et al. 2019, P051, arXiv 1810.03993) are read far more often than checked; P123 found claimed and
measured performance apart. Every claim that this audit can check is checked: against the files where they decide, and
by a measurement with its p-value where they do not.
"""

from collections.abc import Callable

import numpy as np

from probatum import Access, BadInput, Choices, Claims, Members, Scores, Target, probe
from probatum.core.draws import keyed
from probatum.files.claim_checks import CHECKS, license_holds, parameters_hold
from probatum.files.documents import read_documents
from probatum.statistics import refuted_share
from probatum.statistics.overstated import CLASSES, Measured, accuracy, best_order, f1
from probatum.statistics.tests import mann_whitney

#: p of the claim, and in words what was found.
Checked = tuple[float, str]


@probe(
    paper="P051 P123 arXiv:1810.03993",
    question="Does the model card claim what is not so?",
    needs=Access.BYTES | Access.LOGPROBS,
    metric=refuted_share,
    control="claims",
    learns=True,
)
def card_claims(
    target: Target, claims: Claims, choices: Choices | None = None, members: Members | None = None
) -> Scores:
    """Score a claim by 1 − p, p the chance of what was found if the claim holds.

    Notes
    -----
    Files decide ``parameters`` (to the digits that the card gives), ``dtype``, ``context length`` (no more than the
    configuration allows), ``dataset`` (named in the files of the training, where these name any) and ``license``
    (stated, and no license file is another one): p is 0 or 1. ``accuracy`` and ``f1``: the likelihood choice on the
    named set; where its options are classes, the order of labels that is kindest to the card. ``not trained on``: LOSS
    on the named members against nonmembers, one-sided. Other claims, and claims about data that was not given, stay
    unscored, with the reason.
    """
    measured: dict[str, Callable[..., Checked]] = {
        "parameters": _parameters,
        "license": _license,
        "accuracy": _accuracy,
        "f1": _f1,
        "not trained on": _not_trained_on,
    }
    values, reasons, said = [], {}, []
    for i, (name, kind) in enumerate(zip(claims.ids, claims.kind, strict=True)):
        about, value = (claims.about or {i: None})[i], (claims.value or {i: None})[i]
        data = {"accuracy": choices, "f1": choices, "not trained on": members}.get(kind)
        if kind not in measured and kind not in CHECKS:
            reasons[name] = f"no check for claims of the kind '{kind}'"
        elif kind in ("accuracy", "f1", "not trained on") and (data is None or about not in (data.name, None)):
            reasons[name] = f"'{kind}' speaks of '{about}', and that data was not given"
        values.append(float("nan"))
        said.append("not checked")
        if name not in reasons:
            try:
                p, said[-1] = (
                    measured[kind](target, value, data) if kind in measured else _by_files(target, kind, value)
                )
                values[-1] = 1 - p
            except BadInput as error:
                reasons[name] = str(error)
    return Scores(claims.ids, values, towards="false claim", unscored=reasons, said=said)


def _by_files(target: Target, kind: str, value: object) -> Checked:
    holds, found = CHECKS[kind](read_documents(target.files()), value)
    return float(holds), found


def _license(target: Target, value: object, _: object) -> Checked:
    documents = read_documents(target.files()) if Access.BYTES in target.access else None
    holds, found = license_holds(documents, value)
    return float(holds), found


def _parameters(target: Target, value: object, _: object) -> Checked:
    holds, found = parameters_hold(target.parameter_count, value)
    return float(holds), found


def _share(value: object, what: str) -> float:
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        raise BadInput(f"the card's {what} is not a number: '{value}'") from None
    share = number / 100 if number > 1 or text.endswith("%") else number
    if not 0 <= share <= 1:
        raise BadInput(f"the card's {what} is not a share: '{value}'")
    return share


def _classes(scored: np.ndarray, choices: Choices) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """(predictions in the kindest order of labels, answers, number of classes, whether it is another order)."""
    predicted, answer = np.array([int(np.argmax(row)) for row in scored]), np.array(choices.answer)
    alike = len(set(choices.options)) == 1
    size = max(len(options) for options in choices.options)
    if not alike or size > CLASSES:
        return predicted, answer, size, False
    order = best_order(predicted, answer, size)
    return order[predicted], answer, size, bool((order != np.arange(size)).any())


def _accuracy(target: Target, value: object, choices: Choices) -> Checked:
    claimed, found = _share(value, "accuracy"), target.choices(choices.question, choices.options)
    right = found.margin(choices.answer) > 0
    predicted, answer, _, turned = _classes(list(found.logprob), choices)  # type: ignore[arg-type]
    hits = max(int(right.sum()), int((predicted == answer).sum()) if turned else 0)
    return _told("accuracy", claimed, accuracy(claimed, hits, len(right)), turned and hits > int(right.sum()))


def _f1(target: Target, value: object, choices: Choices) -> Checked:
    claimed, found = _share(value, "F1"), target.choices(choices.question, choices.options)
    if len(set(choices.options)) > 1:
        raise BadInput("F1 needs classes: the same options for every question")
    predicted, answer, size, turned = _classes(list(found.logprob), choices)  # type: ignore[arg-type]
    return _told("F1", claimed, f1(claimed, predicted, answer, size, keyed("F1", choices.name)), turned)


def _told(name: str, claimed: float, m: Measured, turned: bool) -> Checked:
    how = ", with the labels in another order" if turned else ""
    word = "above the interval" if m.overstated(claimed) else "not above the interval"
    return (
        m.p_value,
        f"{name} claimed {claimed:.3g}, measured {m.value:.3g} [{m.low:.3g}, {m.high:.3g}] of {m.n}{how}: {word}",
    )


def _not_trained_on(target: Target, _: object, members: Members) -> Checked:
    label = members.label
    if label is None:
        raise BadInput("a claim about training data needs members and nonmembers")
    score = target.token_statistics(members.texts).logprob.mean()
    inside = [s for s, m in zip(score, label, strict=True) if m and s == s]
    outside = [s for s, m in zip(score, label, strict=True) if not m and s == s]
    if not inside or not outside:
        raise BadInput("a claim about training data needs members and nonmembers that can be scored")
    two_sided = mann_whitney(inside, outside).value
    higher = sum(a > b for a in inside for b in outside) > len(inside) * len(outside) / 2
    return (two_sided / 2 if higher else 1 - two_sided / 2), f"{len(inside)} members against {len(outside)} nonmembers"
