"""Card claims: does the model card say what is so?

Model cards (Mitchell et al. 2019, P051, arXiv 1810.03993) are read far more often than checked; P123 found claimed and
measured performance apart. Every claim that this audit can check is checked: against the files where they decide, and
by a measurement with its p-value where they do not.
"""

import re
from collections.abc import Callable

from probatum import Access, BadInput, Choices, Claims, Members, Scores, Target, probe
from probatum.statistics import refuted_share
from probatum.statistics.tests import binomial_tail, mann_whitney

UNITS = {"trillion": 1e12, "billion": 1e9, "million": 1e6, "thousand": 1e3, "t": 1e12, "b": 1e9, "m": 1e6, "k": 1e3}


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
    ``parameters``: the files decide, to the digits that the card gives (p is 0 or 1). ``license``: stated or not.
    ``accuracy``: the likelihood choice on the named set, P(so few right | the claimed rate). ``not trained on``: LOSS
    on the named members against nonmembers, one-sided. Other claims, and claims about data that was not given, stay
    unscored, with the reason.
    """
    checks: dict[str, Callable[..., float]] = {
        "parameters": _parameters,
        "license": _license,
        "accuracy": _accuracy,
        "not trained on": _not_trained_on,
    }
    values, reasons = [], {}
    for i, (name, kind) in enumerate(zip(claims.ids, claims.kind, strict=True)):
        about, value = (claims.about or {i: None})[i], (claims.value or {i: None})[i]
        data = {"accuracy": choices, "not trained on": members}.get(kind)
        if kind not in checks:
            reasons[name] = f"no check for claims of the kind '{kind}'"
        elif kind in ("accuracy", "not trained on") and (data is None or about not in (data.name, None)):
            reasons[name] = f"'{kind}' speaks of '{about}', and that data was not given"
        values.append(float("nan"))
        if name not in reasons:
            try:
                values[-1] = 1 - checks[kind](target, value, data)
            except BadInput as error:
                reasons[name] = str(error)
    return Scores(claims.ids, values, towards="false claim", unscored=reasons)


def _parameters(target: Target, value: object, _: object) -> float:
    if target.parameter_count is None:
        raise BadInput("the number of parameters is not known")
    form = rf"(\d[\d,_ ]*(?:\.(\d+))?)\s*({'|'.join(UNITS)})?(\s*param\w*)?\.?"
    found = re.fullmatch(form, str(value).strip().lower())
    if found is None:
        raise BadInput(f"the card's number of parameters is not a number: '{value}'")
    unit = UNITS[found[3]] if found[3] else 1
    stated = float(re.sub(r"[,_ ]", "", found[1])) * unit
    half_digit = 0.5 * unit * 10 ** -len(found[2] or "") if found[3] or found[2] else 0.5
    return float(abs(stated - target.parameter_count) <= half_digit)


def _license(_: Target, value: object, __: object) -> float:
    return float(value not in (None, "", "unknown"))


def _accuracy(target: Target, value: object, choices: Choices) -> float:
    right = target.choices(choices.question, choices.options).margin(choices.answer) > 0
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        raise BadInput(f"the card's accuracy is not a number: '{value}'") from None
    share = number / 100 if number > 1 or text.endswith("%") else number
    if not 0 <= share <= 1:
        raise BadInput(f"the card's accuracy is not a share: '{value}'")
    stated = max(share - 0.005, 0.0)  # a card rounds to two digits
    return binomial_tail(int((~right).sum()), len(right), 1 - stated).value


def _not_trained_on(target: Target, _: object, members: Members) -> float:
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
    return two_sided / 2 if higher else 1 - two_sided / 2
