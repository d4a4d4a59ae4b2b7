"""CodeEraser: up the loss of a secret inside code, down the loss of the code around it.

P146: the spans of a text are told apart. L = −nll(secret) + a nll(context of the same text) + b KL(π₀ ‖ π) on retained
code, each per token. Ascent alone leaves open what shall stand in the secret's place, and a model that writes a line
break into a string writes code that does not parse; so two things are added here, both off at 0 or inf: the ascent ends
at a floor, and at the secret's tokens the distribution over all other tokens is pulled to the form of secrets: what the
model held possible beside the truth, on average over all tokens of all secrets. At one place alone that can be noise,
where the model was sure of the truth.
"""

from typing import Any

import numpy as np

from probatum import Access, BadInput, Forget, Retain, Target, protection
from probatum.core.change import Change
from probatum.engine.answers import Answers, answers_of
from probatum.engine.batches import padded
from probatum.engine.keeping import keeper
from probatum.engine.tuning import schedule, tune, vocabulary_logprob

_NEVER = -1e9  # log-probability of a token that is left out; finite, so that 0 times it is 0


@protection(
    paper="P146",
    question="Can the model be made to forget these texts and keep the rest?",
    needs=Access.TRAIN | Access.WEIGHTS | Access.LOGPROBS,
    changes="weights",
    proves=("discoverable_extraction", "exposure"),
)
def code_eraser(
    target: Target,
    forget: Forget,
    retain: Retain,
    *,
    rng: np.random.Generator,
    floor: float = 4.0,
    context_weight: float = 1.0,
    form_weight: float = 1.0,
    retain_weight: float = 5.0,
    steps: int = 300,
    learning_rate: float = 1e-3,
    batch_size: int = 16,
    rank: int = 0,
) -> Change:
    """Minimize −min(nll(secret), floor) + context_weight · nll(context) + form_weight · KL without the secret's token
    + retain_weight · KL on the retain set, each per token.

    Parameters
    ----------
    floor
        Where the ascent on a token of a secret ends, in nats; inf: nowhere, as in the paper, which stops the whole
        training when memorization is down.
    context_weight
        a: weight of the code before and after a secret.
    form_weight
        Weight of KL(form ‖ π) at a secret's tokens, both without the true token; the paper has none: 0.
    retain_weight
        b: weight of what holds the retain set.
    steps, learning_rate, batch_size, rank
        AdamW steps, their constant rate, the facts of each set that a step sees; above 0 the rank of a LoRA. The
        defaults are for small models.

    Notes
    -----
    A fact's secret is the span; ``prefix`` and ``suffix`` are the code around it. Of its tokens those without a letter
    or a digit (blanks, dashes, quotes) are syntax, and count as context.
    """
    import torch

    if floor <= 0:
        raise BadInput(f"the floor of code_eraser must be above 0 nats, got {floor:g}")
    gone = answers_of(target, forget)
    spans = spans_of(target, forget, gone)
    chosen = schedule(len(gone), batch_size, steps, rng)
    keep = keeper(target, retain, term="kl", weight=retain_weight, steps=steps, batch_size=batch_size, rng=rng)
    with target.module() as model:
        logprob = vocabulary_logprob(model, gone.rows)
    places = [torch.from_numpy(np.flatnonzero(span)) for span in spans]
    true = [torch.from_numpy(row[1:][span].astype(np.int64)) for row, span in zip(gone.rows, spans, strict=True)]
    others = torch.cat([without(logprob[i][at], t).exp() for i, (at, t) in enumerate(zip(places, true, strict=True))])
    form = others.mean(0, keepdim=True).clamp(min=torch.finfo(others.dtype).tiny).log()  # 0 times log 0 is nan
    del logprob, others

    def loss(model: Any, step: int) -> Any:
        index, device = chosen[step], next(model.parameters()).device
        ids, real = (torch.from_numpy(a).to(device) for a in padded([gone.rows[i] for i in index]))
        logprob = torch.log_softmax(model(input_ids=ids, attention_mask=real.long()).logits[:, :-1].float(), -1)
        following = ids[:, 1:]
        secret = torch.zeros_like(following, dtype=torch.bool)
        for k, i in enumerate(index):
            secret[k, : len(spans[i])] = torch.from_numpy(spans[i])
        nll = -logprob.gather(-1, following[..., None])[..., 0]
        value = keep(model, step) - nll[secret].clamp(max=floor).mean()
        if (around := real[:, 1:] & ~secret).any():
            value = value + context_weight * nll[around].mean()
        first = without(form.to(device).expand(int(secret.sum()), -1), following[secret])
        held = (first.exp() * (first - without(logprob[secret], following[secret]))).sum(-1).mean()
        return value + form_weight * held

    return tune(target, loss, steps=steps, learning_rate=learning_rate, rank=rank)


def without(logprob: Any, token: Any) -> Any:
    """The distributions (n, vocabulary) with one token of each left out."""
    return logprob.scatter(1, token[:, None], _NEVER).log_softmax(-1)


def spans_of(target: Target, forget: Forget, gone: Answers) -> list[np.ndarray]:
    """Of every row, for each token but the first: whether it is of the secret and has a letter or a digit.

    A secret that has none at all counts whole.
    """
    tokens = target.token_statistics(forget.texts)
    spans = []
    for text, row, counted, ends in zip(forget.texts, gone.rows, gone.counted, tokens.end, strict=True):
        end = ends[: len(row) - 1]
        start = np.concatenate([[0], end[:-1]])
        word = np.array([any(c.isalnum() for c in text[a:b]) for a, b in zip(start, end, strict=True)], bool)
        spans.append(counted[1:] & word if word[counted[1:]].any() else counted[1:])
    return spans
