"""A causal language model of transformers, opened up: last hidden states here, vocabulary logits there.

Keeping the two apart is what makes the one pass cheap: logits exist for a few rows at a time, never for a batch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from probatum.core.errors import BadInput

#: Rows of logits that exist at the same time; 128 rows of a vocabulary of 16,384 are 8 MB and stay in the cache.
CHUNK_ROWS = 128

_TOLERANCE = 1e-3


class Network:
    """What the collectors need of a model.

    Attributes
    ----------
    exact
        Rows of a batch must be of equal length when a cache is kept (sliding windows, recurrent layers, or models
        that take no position ids, or that have no cache).
    caches, shares_cache
        Whether it keeps keys and values, and whether their rows may be chosen, repeated and padded; the latter is
        checked once (``cache_checked``) against texts that were read whole.
    plain_cache, slots_checked
        (heads, width of a key, width of a value, dtype) of every layer if the cache is keys and values and nothing
        else, so that slots of our own can stand in for it (`engine.slots`), else None; and where they were found to do
        so: for rows that were read whole (False) and for rows after a common start (True).
    head
        How logits come from hidden states: ``"chunked"``, or ``"model"`` when the model does something to its
        logits that we do not know; then texts go one by one, and ``features`` are the logits themselves.
    """

    def __init__(self, model: Any, name: str):
        import torch

        self.torch = torch
        self.model = model
        self.name = name
        self.device = next(model.parameters()).device
        decoder = model.get_decoder()
        self.decoder = decoder if decoder is not model else None
        self._output = model.get_output_embeddings()
        self._after: Callable[[Any], Any] = lambda logits: logits
        self.head = "chunked"
        parameters = inspect.signature((self.decoder or model).forward).parameters
        self._takes_positions = "position_ids" in parameters
        config = model.config.get_text_config()
        kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
        self.exact = (
            not self._takes_positions
            or kinds != {"full_attention"}
            or getattr(config, "sliding_window", None) is not None
            or bool(getattr(model, "_is_stateful", False))
        )
        self._choose_head(config)
        self._check_causal()
        cache = self.features(torch.zeros(1, 2, dtype=torch.long, device=self.device), keep=True)[1]
        self.caches = cache is not None
        self.exact = self.exact or not self.caches
        self.cache_checked = False
        self.shares_cache = not self.exact and self.head == "chunked" and hasattr(cache, "batch_select_indices")
        self.slots_checked: set[bool] = set()
        self.plain_cache = _plain(cache) if self.shares_cache else None

    def features(
        self, ids: Any, *, mask: Any = None, positions: Any = None, cache: Any = None, keep: bool = False
    ) -> tuple[Any, Any]:
        """(last hidden states (rows, length, width), cache or None).

        Without a mask, rows are padded on the right: a causal model never looks ahead, so no real position sees
        padding, and attention without a mask is faster. The check on every run (`one_pass`) guards this.
        """
        given: dict[str, Any] = {"input_ids": ids, "use_cache": keep}
        if mask is not None:
            given["attention_mask"] = mask
        if positions is not None and self._takes_positions:
            given["position_ids"] = positions
        if cache is not None:
            given["past_key_values"] = cache
        with self.torch.no_grad():
            if self.head == "model":
                out = self.model(**given)
                return out.logits, getattr(out, "past_key_values", None)
            out = self.decoder(**given)  # type: ignore[misc]
            return out.last_hidden_state, getattr(out, "past_key_values", None)

    def layers(self, ids: Any) -> tuple[Any, ...]:
        """Hidden states (rows, length, width) of the embedding and of every block; padded as in `features`."""
        module = self.decoder if self.decoder is not None else self.model
        with self.torch.no_grad():
            out = module(input_ids=ids, use_cache=False, output_hidden_states=True)
        return tuple(out.hidden_states)

    def same_sum(self, joint: float, other: float) -> bool:
        """Whether a sum of log-probabilities is that of the joint text, but for rounding."""
        exact = self.model.dtype == self.torch.float32
        return not abs(joint - other) > (1e-4 + 1e-5 * abs(joint) if exact else 0.02 * max(1.0, abs(joint)))

    def logits(self, features: Any) -> Any:
        """(rows, vocabulary) in float32, of at most `CHUNK_ROWS` rows of features; may be overwritten."""
        if self.head == "model":
            return features.to(self.torch.float32, copy=True)
        with self.torch.no_grad():
            return self._after(self._output(features)).float()

    def errors(self, features: Any, targets: Any) -> Any:
        """(rows, vocabulary): the derivative of −log p(target) of each row with respect to what the output layer gives.

        That is softmax − one-hot, through whatever the model does to its logits. Only where the head is chunked.
        """
        torch = self.torch
        with torch.no_grad():
            given = self._output(features)
            given = given.float() if given.dtype.itemsize < 4 else given
        with torch.enable_grad():
            logits = self._after(given.requires_grad_())
        error = logits.detach().softmax(-1)
        error[torch.arange(len(targets), device=error.device), targets] -= 1
        return error if logits is given else torch.autograd.grad(logits, given, error)[0]

    def _choose_head(self, config: Any) -> None:
        """Take the cheap head only if it gives the model's own logits on a short text."""
        torch = self.torch
        ids = torch.arange(min(8, config.vocab_size), device=self.device)[None]
        with torch.no_grad():
            own = self.model(input_ids=ids, use_cache=False).logits[0].float()
        if bool(torch.isnan(own).any(-1).all()):  # a comparison with NaN fails, and would lead to another sentence
            raise BadInput(f"{self.name}: the model gives NaN; try --dtype float32, or mend its weights")
        slack = _TOLERANCE
        if own.dtype != self.model.dtype:  # half precision: two roundings of the largest logit
            slack = max(slack, 4 * torch.finfo(self.model.dtype).eps * float(own.abs().max()))
        if self.decoder is not None and self._output is not None:
            for after in _after_head(config, torch):
                self._after = after
                try:
                    mine = self.logits(self.features(ids)[0][0])
                except (AttributeError, TypeError, RuntimeError):  # custom code with other ideas of a decoder
                    break
                if mine.shape == own.shape and float((mine - own).abs().max()) <= slack:
                    return
        self.head = "model"
        self._after = lambda logits: logits

    def _check_causal(self) -> None:
        torch = self.torch
        ids = torch.arange(6, device=self.device)[None] % self.model.config.get_text_config().vocab_size
        other = ids.clone()
        other[0, -1] = 0
        first, second = (self.features(i)[0][0, :-1].float() for i in (ids, other))
        slack = 64 * torch.finfo(self.model.dtype).eps * max(1.0, float(first.abs().max()))
        if float((first - second).abs().max()) > slack:
            raise BadInput(
                f"{self.name}: earlier tokens see later ones, so this is not a causal language model and its "
                "log-probabilities mean nothing"
            )


def _plain(cache: Any) -> list[tuple[int, int, int, Any]] | None:
    """See ``plain_cache``; layers that do more than to append what comes are subclasses, and not plain."""
    layers = list(getattr(cache, "layers", ()))
    if not layers or any(type(layer).__name__ != "DynamicLayer" or layer.keys is None for layer in layers):
        return None
    return [(layer.keys.shape[1], layer.keys.shape[3], layer.values.shape[3], layer.keys.dtype) for layer in layers]


def _after_head(config: Any, torch: Any) -> list[Callable[[Any], Any]]:
    """What models are known to do to their logits; each is believed only if it reproduces them."""
    known: list[Callable[[Any], Any]] = [lambda logits: logits]
    if cap := getattr(config, "final_logit_softcapping", None):
        known.append(lambda logits: torch.tanh(logits / cap) * cap)
    if scale := getattr(config, "logit_scale", None):
        known.append(lambda logits: logits * scale)
    if scaling := getattr(config, "logits_scaling", None):
        known.append(lambda logits: logits / scaling)
    return known
