"""The sum of clipped gradients, one gradient a privacy unit: Σ_i g_i · min(1, C / ‖g_i‖).

g_i is the gradient of one scalar: the loss of unit i, which sees no other unit. A batch's mean loss is no such thing:
there the lengths of other records scale g_i before it is clipped, and the bound on the sum is void. One forward and one
backward pass per microbatch, with the gradients of parameters off; inputs and output gradients of every layer are kept
until the norms are known, so there is no second backward pass (book-keeping, Bu et al. 2023, arXiv 2210.00038; norms
from Gram matrices, Goodfellow 2015, arXiv 1510.01799). A matrix that is embedding and output layer is one matrix.

Rows are padded on the right; a causal model gives padded places no gradient. Dropout is off.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.batches import OutOfMemory, unless_out_of_memory
from probatum.engine.clip_check import check_against_autograd
from probatum.engine.clip_head import Head, Loss
from probatum.engine.clip_keep import Dense, Factors, Keep, Lookup, summed_squares
from probatum.engine.clip_layers import Hooks, layers_of
from probatum.engine.clip_plan import Costs, Pace, Plan, Unit, plans
from probatum.engine.ghost import NoRule, requiring_gradients
from probatum.engine.network import Network
from probatum.engine.tuning import free_bytes

#: Padded tokens that go together at most: what is tried (1 is one unit at a time).
TOKENS = (1024, 512, 1, 2048)
TOKENS_ON_GPU = (1 << 14, 1 << 12, 1 << 16)

_SHARE_OF_FREE_MEMORY = 4
_AT_LEAST = 1 << 28


class Clipping:
    """Clipped sums of one model's trainable parameters.

    Parameters
    ----------
    model
        A causal language model of transformers, also with LoRA around it (peft). It is put in evaluation mode.
    loss
        A row's loss from its tokens' −log p: ``"mean"``, ``"sum"``, or a function ``(nll, scored) -> (rows,)`` of two
        tensors (rows, places), which must not mix rows. A unit's loss is the sum over its rows.
    byte_budget
        Bytes for what is kept of a microbatch, beside the model; by default a quarter of the free memory.
    tokens
        Padded tokens that go together at most; 1 for one unit at a time. By default the quickest is found.
    autocast
        ``"bfloat16"``: products in that precision; norms and sums stay in float32.

    Raises
    ------
    BadInput
        A trainable parameter cannot be clipped unit by unit, or nothing is trainable.
    """

    def __init__(
        self,
        model: Any,
        *,
        name: str = "the model",
        loss: str | Loss = "mean",
        byte_budget: int | None = None,
        tokens: int | None = None,
        autocast: str | None = None,
    ):
        import torch

        if isinstance(loss, str) and loss not in ("mean", "sum"):
            raise BadInput(f'loss: expected "mean" or "sum" over the tokens of a row, got {loss!r}')
        if autocast not in (None, "bfloat16"):
            raise BadInput(f'autocast: expected "bfloat16", got {autocast!r}')
        self.torch, self.model, self.name, self.loss = torch, model.eval(), name, loss
        self.network = Network(model, name)
        self.layers = layers_of(self.network)
        self.device = self.network.device
        self.precision = torch.bfloat16 if autocast else None
        self.head = Head(self.network, self.precision or model.get_output_embeddings().weight.dtype)
        gpu = self.device.type == "cuda"
        self.pace = Pace((tokens,) if tokens else TOKENS_ON_GPU if gpu else TOKENS)
        self._clock = time.perf_counter if gpu else time.process_time
        self.budget = byte_budget or max(_AT_LEAST, free_bytes(str(self.device)) // _SHARE_OF_FREE_MEMORY)
        self.costs = self._costs()
        self._buffers: dict[str, Any] = {}
        self._checked = False

    def zeros(self) -> dict[str, Any]:
        """Sums to add to, {name: tensor} in float32 or wider."""
        return {name: self._zeros(p.shape, p.dtype) for name, p in self.layers.trainable.items()}

    def __call__(
        self,
        units: Sequence[Unit],
        max_grad_norm: float,
        sums: dict[str, Any] | None = None,
        *,
        together: int = 0,
    ) -> tuple[dict[str, Any], np.ndarray]:
        """(sums, norms): clipped gradients added to ``sums`` (default zeros); norms (units,) before clipping.

        ``max_grad_norm`` may be infinite. A unit without a second token has the gradient 0. ``together``: units of all
        lengths in one microbatch, padded to so many places, to see whether they disturb each other.

        Raises
        ------
        BadInput
            A row is longer than the model's context or has a token beyond its vocabulary, a gradient is not finite, or
            (at the first call) the gradients made here are not those of automatic differentiation.
        OutOfMemory
            Not even a single unit fits.
        """
        self._refuse_rows(units)
        if not max_grad_norm > 0:
            raise BadInput(f"max_grad_norm: expected a number above 0, got {max_grad_norm}")
        if not self._checked:
            check_against_autograd(self, units)
            self._checked = any(len(r) > 1 for rows in units for r in rows)
        return self.unchecked(units, max_grad_norm, sums, together=together)

    def unchecked(
        self,
        units: Sequence[Unit],
        max_grad_norm: float,
        sums: dict[str, Any] | None = None,
        loss: str | Loss | None = None,
        together: int = 0,
    ) -> tuple[dict[str, Any], np.ndarray]:
        """The same without a look at the input; ``loss`` instead of the own one."""
        sums = self.zeros() if sums is None else sums
        norms = np.zeros(len(units))
        kept = [[np.asarray(r) for r in rows if len(r) > 1] for rows in units]
        waiting = [[i for i, rows in enumerate(kept) if rows]]
        self.head.prepare()
        tokens, begin = self.pace.tokens, self._clock()
        with requiring_gradients(self.model, False):
            while waiting:
                some = waiting.pop()
                for plan in plans([kept[i] for i in some], self.costs, self.budget, tokens, together):
                    mine = [some[i] for i in plan.units]
                    run = partial(self._gradients, plan, [kept[i] for i in mine], self.loss if loss is None else loss)
                    found = unless_out_of_memory(run)  # nothing is added to the sums meanwhile
                    if found is None:
                        tokens, together = self._shrink(plan), 0
                        waiting.append(mine)
                    else:
                        norms[mine] = self._join(found, len(mine), max_grad_norm, sums)
        if not together and self._checked:
            self.pace.took(sum(len(r) - 1 for rows in kept for r in rows), self._clock() - begin, tokens)
        return sums, norms

    def _gradients(self, plan: Plan, units: Sequence[Unit], loss: str | Loss) -> dict[str, Keep]:
        """Of one microbatch, before clipping."""
        whole, tied = plan.chunk >= plan.rows, self.layers.tied
        keeps = {n: self._keep(n, way, len(units), whole and n != tied) for n, way in plan.way.items()}
        try:
            for first in range(0, plan.rows, plan.chunk):
                rows = [r for unit in units for r in unit[first : first + plan.chunk]]
                self._pass(rows, len(units), plan.places, keeps, loss)
        except NoRule as error:
            raise BadInput(f"{self.name}: cannot be clipped unit by unit ({error}); freeze it, or use LoRA") from error
        return keeps

    def _pass(
        self, rows: Sequence[np.ndarray], units: int, places: int, keeps: dict[str, Keep], loss: str | Loss
    ) -> None:
        """Forward and backward."""
        torch = self.torch
        given = np.zeros((len(rows), places), np.int64)
        for row, filled in zip(rows, given, strict=True):
            filled[: len(row) - 1] = row[:-1]
        ids = torch.from_numpy(given).to(self.device)
        targets = [torch.from_numpy(r[1:].astype(np.int64)).to(self.device) for r in rows]
        mixed = torch.autocast(self.device.type, self.precision) if self.precision else nullcontext()
        with torch.enable_grad(), Hooks(self.layers, keeps, ids, units).placed():
            with mixed:
                hidden = self.network.decoder(input_ids=ids, use_cache=False).last_hidden_state  # type: ignore[misc]
            rows_of_unit = len(rows) // units
            with torch.no_grad():
                weights = self.head.token_weights(loss, hidden.detach(), targets)
                own = {local: keeps[name] for local, name in self.layers.output.items()}
                below = self.head.backward(hidden.detach(), targets, weights, rows_of_unit, own)
            if hidden.requires_grad:
                hidden.backward(below)

    def _join(self, keeps: dict[str, Keep], units: int, limit: float, sums: dict[str, Any]) -> np.ndarray:
        """Add to the sums what is left after clipping; the norms before it."""
        norms = summed_squares(list(keeps.values()), units, self.torch, self.device).sqrt_()
        if not bool(norms.isfinite().all()):
            raise BadInput(f"{self.name}: a gradient is not finite; try float32, or mend its weights")
        weights = (limit / norms).clamp_(max=1.0)  # a norm of 0 gives 1
        for name, keep in keeps.items():
            keep.add(weights, sums[name])
        return norms.cpu().numpy()  # type: ignore[no-any-return]

    def _keep(self, name: str, way: str, units: int, at_once: bool) -> Keep:
        if way == "lookup":
            return Lookup(self.torch)
        if way == "factors":
            return Factors(self.torch, units)
        buffer = self._buffers.get(name)
        if buffer is None or len(buffer) < units:
            parameter = self.layers.trainable[name]
            self._buffers.pop(name, None)
            buffer = self._buffers[name] = self._zeros((units, *parameter.shape), parameter.dtype)
        return Dense(self.torch, buffer[:units], at_once)

    def _shrink(self, plan: Plan) -> int:
        """Memory ran out; how many tokens to try instead."""
        self._buffers.clear()
        if len(plan.units) == 1:
            raise OutOfMemory(plan.rows * plan.places)
        fewer = max(1, len(plan.units) * plan.rows * plan.places // 2)
        self.pace.at_most(fewer)
        return fewer

    def _zeros(self, shape: Any, dtype: Any) -> Any:
        wide = dtype if dtype.itemsize >= 4 else self.torch.float32
        return self.torch.zeros(shape, dtype=wide, device=self.device)

    def _costs(self) -> Costs:
        layers, decoder = self.layers, self.network.decoder
        embeddings = {layer.names["weight"] for layer in layers.hooked if layer.kind == "embedding"}
        widths = 0
        for module in decoder.modules():  # type: ignore[union-attr]
            weight: Any = getattr(module, "weight", None)
            if getattr(weight, "ndim", 0) == 2 and not isinstance(module, self.torch.nn.Embedding):
                widths += sum(weight.shape)
        size = max(p.dtype.itemsize for p in layers.trainable.values())
        half = self.precision is not None or any(p.dtype.itemsize < 4 for p in self.model.parameters())
        shapes = {name: tuple(p.shape) for name, p in layers.trainable.items()}
        looked_up = frozenset(embeddings - set(layers.output.values()))
        context = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        # Inputs and outputs of every product, and about as much again for what lies between them.
        return Costs(shapes, looked_up, 2 * size * widths, max(4, size), half, context)

    def _refuse_rows(self, units: Sequence[Unit]) -> None:
        config = self.model.config.get_text_config()
        context, vocabulary = getattr(config, "max_position_embeddings", None), config.vocab_size
        for number, rows in enumerate(units):
            for row in rows:
                if context is not None and len(row) - 1 > context:
                    raise BadInput(
                        f"unit {number} has a row of {len(row)} tokens, and {self.name} takes {context + 1} at most; "
                        "cut rows before training, never into more units"
                    )
                if len(row) and not 0 <= int(np.min(row)) <= int(np.max(row)) < vocabulary:
                    raise BadInput(f"unit {number} has a token outside the vocabulary of {vocabulary}")


def clipped_sum(
    model: Any, units: Sequence[Unit], max_grad_norm: float, **options: Any
) -> tuple[dict[str, Any], np.ndarray]:
    """({name: Σ_i clip(g_i)}, norms (units,)) of the trainable parameters, once; ``options`` as `Clipping` has them."""
    return Clipping(model, **options)(units, max_grad_norm)
