"""One forward and one backward pass that give something of the gradient of every text of a batch, apart.

The gradient of a layer with input a_t and output gradient b_t is Σ_t b_t a_tᵀ over the tokens of a text. Both are there
while the backward pass runs, so hooks hand them to a `Measure` text by text, and no gradient of a parameter is ever
made (Goodfellow 2015, arXiv 1510.01799; for sequences Li et al. 2022, arXiv 2110.05679). Rows are padded on the right;
a causal model gives a padded place the gradient 0.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.engine.batches import padded
from probatum.engine.measures import Measure, grams_are_cheaper
from probatum.engine.network import CHUNK_ROWS, Network


class NoRule(Exception):
    """A parameter whose gradient cannot be had text by text; plain automatic differentiation can."""


@dataclass(frozen=True)
class _Rule:
    """What to do with input and output gradient of one module, whose parameters are ``names`` (local name to full)."""

    module: Any
    names: Mapping[str, str]
    apply: Callable[[_Batch, _Rule, Any, Any], None]
    shadows: tuple[Any, ...] = ()


class GhostPass:
    """The rules of a model, and the pass.

    Parameters
    ----------
    network
        Its head must be chunked.
    group_of
        Full name of every parameter (as ``named_parameters`` has them) to the number of its group.

    Raises
    ------
    NoRule
        A module has parameters, and is not an affine layer, an embedding, or a norm that scales and shifts.
    """

    def __init__(self, network: Network, group_of: Mapping[str, int]):
        if network.head != "chunked":
            raise NoRule("the model keeps its output layer to itself")
        self.network, self.group_of = network, group_of
        self.output = network.model.get_output_embeddings()
        self.embedding = network.model.get_input_embeddings()
        name_of = {id(p): name for name, p in network.model.named_parameters()}
        owners: dict[str, list[Any]] = {}
        self.rules: list[_Rule] = []
        for module in network.model.modules():
            names = {local: name_of[id(p)] for local, p in module.named_parameters(recurse=False)}
            for name in names.values():
                owners.setdefault(name, []).append(module)
            if names and module is not self.output:
                self.rules.append(_rule(network.torch, module, names))
        self.output_names = {n: name_of[id(p)] for n, p in self.output.named_parameters(recurse=False)}
        if not isinstance(self.output, network.torch.nn.Linear):
            raise NoRule(f"the output layer is a {type(self.output).__name__}")
        self.tied = self.output.weight is getattr(self.embedding, "weight", None)
        for name, modules in owners.items():
            if len(modules) > 1 and not (self.tied and set(modules) == {self.output, self.embedding}):
                raise NoRule(f"{name} is shared by {len(modules)} modules")

    def __call__(self, sequences: Sequence[np.ndarray], measure: Measure) -> Any:
        """Shape (texts, groups, width): of the gradient of the *summed* loss of each text.

        Raises `NoRule` where a module does not see the batch as (texts, places, width), or sees it twice.
        """
        torch, network = self.network.torch, self.network
        lengths = [len(s) - 1 for s in sequences]
        ids = torch.from_numpy(padded([s[:-1] for s in sequences])[0]).to(network.device)
        batch = _Batch(self, measure, ids)
        with torch.enable_grad(), requiring_gradients(network.model, False), batch.hooked():
            out = network.decoder(input_ids=ids, use_cache=False)  # type: ignore[misc]
            hidden = out.last_hidden_state
            below = self._head(batch, hidden.detach(), lengths, [s[1:] for s in sequences])
            hidden.backward(below)
        return batch.kept

    def _head(self, batch: _Batch, hidden: Any, lengths: Sequence[int], following: Sequence[np.ndarray]) -> Any:
        """Gradient with respect to the last hidden states; the output layer's own is handed to the measure.

        Logits exist for some rows of short texts, or some rows of one long text, at a time.
        """
        torch, weight = self.network.torch, self.output.weight
        below = torch.zeros_like(hidden)
        targets = [torch.from_numpy(f.astype(np.int64)).to(hidden.device) for f in following]
        for texts in _parts(lengths):
            total = sum(lengths[i] for i in texts)
            if len(texts) == 1 and not grams_are_cheaper(total, *weight.shape):
                self._long_text(batch, texts[0], hidden[texts[0], :total], targets[texts[0]], below)
                continue
            rows = torch.cat([hidden[i, : lengths[i]] for i in texts])
            error = self.network.errors(rows, torch.cat([targets[i] for i in texts]))
            back = error.to(weight.dtype).matmul(weight)
            at = 0
            for i in texts:
                part = slice(at, at + lengths[i])
                below[i, : lengths[i]] = back[part]
                batch.output_short(i, error[part], rows[part])
                at += lengths[i]
        return below

    def _long_text(self, batch: _Batch, i: int, rows: Any, targets: Any, below: Any) -> None:
        """So long that the output layer's gradient is smaller than the logits: it is made, a few rows at a time."""
        torch, weight = self.network.torch, self.output.weight
        gradient = torch.zeros(weight.shape, dtype=batch.kept.dtype, device=rows.device)
        bias = torch.zeros(len(weight), dtype=batch.kept.dtype, device=rows.device)
        for start in range(0, len(rows), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            error = self.network.errors(rows[part], targets[part])
            below[i, : len(rows)][part] = error.to(weight.dtype).matmul(weight)
            gradient.addmm_(error.mT, rows[part].to(error.dtype))
            bias += error.sum(0)
        batch.output_long(i, gradient, bias)


class _Batch:
    """One batch under way: what the hooks have gathered so far."""

    def __init__(self, ghost: GhostPass, measure: Measure, ids: Any):
        torch = ghost.network.torch
        weight = ghost.output.weight
        self.ghost, self.measure, self.ids, self.torch = ghost, measure, ids, torch
        dtype = weight.dtype if weight.dtype.itemsize >= 4 else torch.float32
        shape = (len(ids), max(ghost.group_of.values()) + 1, measure.width)
        self.kept = torch.zeros(shape, dtype=dtype, device=ids.device)
        #: Of a tied matrix: the rows of its gradient as output layer that the text looks up as embedding.
        self.looked_up = (
            torch.zeros(*ids.shape, weight.shape[1], dtype=dtype, device=ids.device) if ghost.tied else None
        )
        self._seen: set[int] = set()

    def add(self, name: str, numbers: Any, texts: Any = slice(None)) -> None:
        """Add what a parameter contributes to its group."""
        self.kept[texts, self.ghost.group_of[name]] += numbers

    def output_short(self, i: int, error: Any, rows: Any) -> None:
        """The output layer, for a text whose logits are all there."""
        names, measure = self.ghost.output_names, self.measure
        rows = rows.to(error.dtype)
        self.add(names["weight"], measure.outer(names["weight"], error[None], rows[None])[0], i)
        if "bias" in names:
            self.add(names["bias"], measure.vector(names["bias"], error.sum(0)[None])[0], i)
        if self.looked_up is not None:
            n = len(rows)
            self.looked_up[i, :n] = error[:, self.ids[i, :n]].mT.matmul(rows)

    def output_long(self, i: int, gradient: Any, bias: Any) -> None:
        """The output layer, from its gradient."""
        names, measure = self.ghost.output_names, self.measure
        self.add(names["weight"], measure.whole(names["weight"], gradient), i)
        if "bias" in names:
            self.add(names["bias"], measure.vector(names["bias"], bias[None])[0], i)
        if self.looked_up is not None:
            self.looked_up[i] = gradient[self.ids[i]]

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """Forward hooks that keep a module's input until its output's gradient comes by."""
        handles = [rule.module.register_forward_hook(self._hook(rule)) for rule in self.ghost.rules]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _hook(self, rule: _Rule) -> Callable[[Any, Any, Any], Any]:
        def forward(module: Any, given: tuple[Any, ...], out: Any) -> Any:
            if id(module) in self._seen or not given:
                raise NoRule(f"{type(module).__name__} is called twice, or with names only")
            self._seen.add(id(module))
            if len(out) == 1:  # positions, looked up once for all texts
                out = out.expand(len(self.ids), *out.shape[1:])
            if not out.requires_grad:  # an embedding: nothing below it has parameters
                out = out.detach().requires_grad_().clone()  # not the leaf itself, which must not be changed in place
            out.register_hook(lambda gradient: rule.apply(self, rule, given[0], gradient))
            return out

        return forward


def _rule(torch: Any, module: Any, names: Mapping[str, str]) -> _Rule:
    from transformers.pytorch_utils import Conv1D

    if isinstance(module, torch.nn.Linear | Conv1D) and set(names) <= {"weight", "bias"}:
        return _Rule(module, names, _affine)
    if isinstance(module, torch.nn.Embedding) and set(names) == {"weight"}:
        return _Rule(module, names, _embedding)
    if set(names) <= {"weight", "bias"} and all(p.ndim == 1 for p in module.parameters()):
        return _Rule(module, names, _scaling, shadows(torch, module, names))
    raise NoRule(f"{type(module).__name__} has the parameters {', '.join(names)}")


def shadows(torch: Any, module: Any, names: Mapping[str, str]) -> tuple[Any, ...]:
    """Of a norm, whatever its class, which is linear in its parameters: with weight 1 and bias 0 it gives what the
    weight multiplies, and with weight 0 what some of them (such as Gemma's) add to that; left out where it is nothing.
    """
    one, zero = copy.deepcopy(module), copy.deepcopy(module)
    like = next(iter(module.parameters()))
    with torch.no_grad():
        for local in names:
            getattr(one, local).fill_(float(local == "weight"))
            getattr(zero, local).zero_()
        uneven = torch.linspace(-1, 2, len(like), dtype=like.dtype, device=like.device)
        try:
            return (one, zero) if zero(uneven[None, None]).any() else (one,)
        except (AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise NoRule(f"{type(module).__name__} wants more than one tensor") from error


def _affine(batch: _Batch, rule: _Rule, x: Any, gradient: Any) -> None:
    if x.shape[:-1] != batch.ids.shape:
        raise NoRule(f"{type(rule.module).__name__} sees an input of shape {tuple(x.shape)}")
    name = rule.names["weight"]
    # Conv1D keeps its weight the other way round, (inputs, outputs).
    sides = (gradient, x) if isinstance(rule.module, batch.torch.nn.Linear) else (x, gradient)
    batch.add(name, batch.measure.outer(name, *sides))
    if "bias" in rule.names:
        batch.add(rule.names["bias"], batch.measure.vector(rule.names["bias"], gradient.sum(1)))


def _embedding(batch: _Batch, rule: _Rule, x: Any, gradient: Any) -> None:
    if x.shape[1:] != batch.ids.shape[1:] or gradient.shape[:-1] != batch.ids.shape:
        raise NoRule(f"{type(rule.module).__name__} looks up rows of shape {tuple(x.shape)}")
    name, measure = rule.names["weight"], batch.measure
    rows = x.expand_as(batch.ids)
    gradient = gradient * getattr(rule.module, "embed_scale", 1)
    if rule.module.padding_idx is not None:  # its row is never trained
        gradient = gradient.masked_fill((rows == rule.module.padding_idx)[..., None], 0)
    batch.add(name, measure.lookup(name, rows, gradient))
    if rule.module is batch.ghost.embedding and batch.looked_up is not None:
        batch.add(name, measure.crossed(gradient, batch.looked_up))


def _scaling(batch: _Batch, rule: _Rule, x: Any, gradient: Any) -> None:
    if gradient.ndim < 3 or len(gradient) != len(batch.ids):
        raise NoRule(f"{type(rule.module).__name__} sees an input of shape {tuple(x.shape)}")
    if "weight" in rule.names:
        scaled = rule.shadows[0](x)
        for zero in rule.shadows[1:]:
            scaled = scaled - zero(x)
        name = rule.names["weight"]
        batch.add(name, batch.measure.vector(name, (gradient * scaled).flatten(1, -2).sum(1)))
    if "bias" in rule.names:
        batch.add(rule.names["bias"], batch.measure.vector(rule.names["bias"], gradient.flatten(1, -2).sum(1)))


def _parts(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Neighbors whose rows together are at most `CHUNK_ROWS`, or one text."""
    part: list[int] = []
    for i, n in enumerate(lengths):
        if part and sum(lengths[j] for j in part) + n > CHUNK_ROWS:
            yield part
            part = []
        part.append(i)
    yield part


@contextmanager
def requiring_gradients(model: Any, wanted: bool) -> Iterator[None]:
    """Whether parameters require gradients, until the end of the block."""
    before = [(p, p.requires_grad) for p in model.parameters()]
    try:
        model.requires_grad_(wanted)
        yield
    finally:
        for parameter, required in before:
            parameter.requires_grad_(required)
