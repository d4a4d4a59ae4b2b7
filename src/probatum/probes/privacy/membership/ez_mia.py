"""EZ-MIA: where the model is wrong, did training still push it towards these texts?

Ilić et al. 2026 (arXiv 2601.12104), §3. At positions that a model predicts wrongly its base knows as little; if
training raised the true token there nonetheless, and hardly ever lowered it, the text was in the training data.
"""

import numpy as np

from probatum import Access, BadInput, Members, Scores, Target, probe
from probatum.statistics import auroc


@probe(
    paper="arXiv:2601.12104",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def ez_mia(target: Target, data: Members, *, reference: Target) -> Scores:
    """Score a text by the upward share of the moves of its wrongly predicted tokens, P / (P + N).

    Notes
    -----
    P = Σ max(Δ, 0) and N = Σ max(−Δ, 0) over the error positions, those at which the target's likeliest token is not
    the true one, with Δ the log-probability under the target less that under the reference. The paper's score is P / N;
    P / (P + N) ranks texts alike and is finite where nothing was lowered. The first token is left out, since there is
    hardly a context to be wrong in. A text without any error is the strongest sign of membership (appendix E.5) and
    scores 1; with a single error, or where nothing moved, it is unscored.
    """
    if target.tokenizer_digest != reference.tokenizer_digest:
        raise BadInput("target and reference cut texts into different tokens, and ez_mia compares them token by token")
    tokens, other = target.token_statistics(data.texts), reference.token_statistics(data.texts).logprob
    inside = tokens.id.lengths > 1
    wrong = (tokens.argmax != tokens.id) & (tokens.id.position > 0)
    moves = (tokens.logprob - other).where(wrong)
    up, down, errors = np.maximum(moves, 0).sum(), np.maximum(-moves, 0).sum(), moves.lengths
    score = np.divide(up, up + down, out=np.full(len(data), np.nan), where=up + down > 0)
    score[inside & (errors == 0)] = 1.0
    unscored = {}
    for i, name in enumerate(data.ids):
        if not inside[i]:
            unscored[name] = "too short: no token after the first"
        elif errors[i] == 1:
            unscored[name] = "a single error position"
        elif np.isnan(score[i]):
            unscored[name] = "target and reference agree at every error position"
    return Scores(data.ids, score, towards="member", unscored=unscored)
