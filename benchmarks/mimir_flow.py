"""mimir's control flow, re-created by us from its published source (2025-07-10, commit 1b6fd64); not its code.

Document by document, attack by attack. What it does with a document, its own order and policies kept:

- one pass for loss, zlib, Min-K% and Min-K%++, in windows that advance by half the context; labels go in with the
  tokens, so the model computes its loss as well; the whole table of log-probabilities is kept, row by row, and every
  token's number is taken out by itself;
- a second pass for DC-PDD, behind an end-of-text token, and distinct tokens found by looking through a list;
- a third pass for ReCaLL, over prefix and text, the prefix read anew for every text;
- after all documents a pass of the reference over each, its table kept as well.

Left out, as the issue has it: neighbors and gradients.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import torch
import transformers

K, A = 0.2, 0.01


class Peer:
    """A model asked for one document at a time."""

    def __init__(self, path, end=2):
        self.model = transformers.AutoModelForCausalLM.from_pretrained(path).eval()
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(path)
        self.context = self.model.config.max_position_embeddings
        self.end = end

    def tokens(self, text):
        return self.tokenizer(text, return_tensors="pt").input_ids

    @torch.no_grad()
    def probabilities(self, ids):
        """(log-probability of every token but the first, their whole distributions) of ids (1, tokens)."""
        own, rows = [], []
        stride = self.context // 2
        for start in range(0, ids.shape[1], stride):
            stop = min(start + stride, ids.shape[1])
            window = ids[:, max(start + stride - self.context, 0) : stop]
            labels = window.clone()
            labels[:, : start - stop] = -100
            logits = self.model(window, labels=labels).logits.cpu()
            table = logits[..., :-1, :].contiguous().log_softmax(-1)
            for place, token in enumerate(labels[..., 1:].contiguous()[0]):
                if token != -100:
                    own.append(table[0, place, token].item())
                    rows.append(table[0, place])
        return own, torch.stack(rows)

    @torch.no_grad()
    def loss_after(self, prefix, ids):
        """Mean loss of all tokens of a text behind a prefix, the first one too."""
        joint = torch.cat([prefix, ids], dim=1)
        labels = joint.clone()
        labels[:, : prefix.shape[1]] = -100
        return self.model(joint, labels=labels).loss.item()


def flow(path, reference, texts, prefix, corpus):
    """The work of a run: {attack: one score per text}, higher for members (the peer's are the other way round)."""
    peer, other = Peer(path), Peer(reference)
    count = torch.zeros(len(peer.tokenizer))
    for text in corpus:
        count[peer.tokens(text)[0].unique()] += 1  # an index that stands twice in a text is written once
    frequency = (1 + count) / (count.sum() + len(count))

    def work():
        scores = [one(peer, text, prefix, frequency) for text in texts]
        for row, text in zip(scores, texts, strict=True):
            row["reference_ratio"] = row["loss"] + np.mean(other.probabilities(other.tokens(text))[0])
        return {name: [-row[name] for row in scores] for name in scores[0]}

    return work


@torch.no_grad()
def one(peer, text, prefix, frequency):
    """Scores of a document, lower for members."""
    ids = peer.tokens(text)
    own, table = peer.probabilities(ids)
    loss = -np.mean(own)
    row = {"loss": loss, "zlib_entropy": loss / len(zlib.compress(text.encode()))}
    lowest = sorted(np.mean(own[i : i + 1]) for i in range(len(own)))
    row["min_k_prob"] = -np.mean(lowest[: int(K * len(own))])
    mean = (table.exp() * table).sum(-1)
    spread = (table.exp() * table.square()).sum(-1) - mean.square()
    z = (np.array(own) - mean.numpy()) / spread.sqrt().numpy()
    row["min_k_plus_plus"] = -np.mean(sorted(z)[: int(K * len(z))])
    row["recall"] = -peer.loss_after(peer.tokens(prefix), peer.tokens(text)) / loss
    row["dc_pdd"] = dc_pdd(peer, ids, frequency)
    return row


def dc_pdd(peer, ids, frequency):
    again = np.exp(peer.probabilities(torch.cat([torch.tensor([[peer.end]]), ids], dim=1))[0])
    places, seen = [], []
    for place, token in enumerate(ids[0]):
        if token not in seen:  # tensors in a list, compared one by one
            places.append(place)
            seen.append(token)
    terms = again[places] * np.log(1 / frequency[ids[0][places]].numpy())
    return -np.mean(np.minimum(terms, A))


def put_right(path, texts: Sequence[str], prefix: str, corpus: Sequence[str]):
    """Its scores of ReCaLL and DC-PDD by our conventions, from its own numbers; not timed."""
    peer = Peer(path)
    coded = [peer.tokens(text) for text in texts]
    counted = torch.cat([peer.tokens(text)[0] for text in corpus])
    known = torch.cat([counted, *(ids[0, 1:] for ids in coded)])
    count = torch.bincount(counted, minlength=len(peer.tokenizer)) + 1
    total = int(count[known.unique()].sum())
    before = peer.tokens(prefix)
    found = {"recall": [], "dc_pdd": []}
    for ids in coded:
        own, _ = peer.probabilities(ids)
        after, _ = peer.probabilities(torch.cat([before, ids], dim=1))
        found["recall"].append(np.mean(after[-len(own) :]) / np.mean(own))
        first = np.unique(ids[0, 1:].numpy(), return_index=True)[1]
        terms = np.exp(own)[first] * np.log(total / count[ids[0, 1:][first]].numpy())
        found["dc_pdd"].append(np.mean(np.minimum(terms, A)))
    return found
