"""DP certificate: does a private training promise more privacy than its own numbers give?

Libraries have returned half of the epsilon that was asked for, accounted shuffled batches as Poisson ones, and clipped
gradients of a batch's mean. A certificate says all that its epsilon follows from, so all can be done again: the
accountant's bound from noise, sampling and steps, the lower bounds that were measured, and, with the training records
at hand, the sensitivity of the clipped sum.
"""

import json

import numpy as np

from probatum import Access, BadInput, Certificate, Scores, Target, Texts, probe
from probatum.statistics import refuted_share
from probatum.statistics.certificate import recheck


@probe(
    paper="P016 P049 arXiv:2110.05679",
    question="Does the certificate promise more privacy than its training gives?",
    needs=Access(0),
    metric=refuted_share,
    control="certificates",
)
def dp_certificate(target: Target, certificate: Certificate, texts: Texts | None = None) -> Scores:
    """Score the certificate 1 if anything in it does not follow from the rest, else 0; the note says what.

    Notes
    -----
    With the training records (``--texts``) and the weights of a model of that architecture, the sensitivity probe runs
    again at the certificate's C: one unit must not move the clipped sum by more.
    """
    values, wrong = [], []
    for text in certificate.said:
        try:
            said = json.loads(text)
        except ValueError as error:
            raise BadInput(f"certificate.json is not JSON ({error})") from error
        if not isinstance(said, dict):
            raise BadInput("certificate.json holds no certificate: expected one object")
        found = recheck(said)
        if texts is not None and Access.TRAIN in target.access and not found:
            found = _sensitivity(target, texts, float(said["C"]))
        values.append(float(bool(found)))
        wrong += found
    return Scores(certificate.ids, values, towards="false promise", note="; ".join(wrong))


def _sensitivity(target: Target, texts: Texts, limit: float) -> list[str]:
    from probatum.engine.clipping import Clipping
    from probatum.engine.private_probe import sensitivity

    units: dict[str, list[np.ndarray]] = {}
    for name, row in zip(texts.cluster or texts.ids, target.sequences(texts.texts), strict=True):
        units.setdefault(name, []).append(row)
    with target.module() as model:
        found = sensitivity(Clipping(model, name=target.name), list(units.values()), limit, np.random.default_rng())
    return [] if found.holds else [f"one unit moves the clipped sum by {found.ratio:.4g} times C ({found.worst_kind})"]
