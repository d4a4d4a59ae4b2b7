"""Which layers a clipping pass knows, and the hooks that hand it their inputs and output gradients.

Known are affine layers (linear, and GPT-2's Conv1D, which is stored the other way round), embeddings (positions are
often looked up once for all rows: they are spread over the rows), and norms that scale and shift. A frozen layer needs
no rule. A trainable parameter without a rule is refused by name: left out of the norm, it would break the bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from probatum.core.errors import BadInput
from probatum.engine.clip_keep import Keep
from probatum.engine.ghost import NoRule, shadows
from probatum.engine.network import Network


@dataclass(frozen=True)
class Layer:
    """A module with trainable parameters ``names`` (local name to full).

    kind is "linear", "conv1d", "embedding" or "norm".
    """

    module: Any
    kind: str
    names: Mapping[str, str]
    shadows: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Layers:
    """Of a model: hooked layers, the trainable names of the output layer, and whether that is the embedding too."""

    hooked: tuple[Layer, ...]
    output: Mapping[str, str]
    embedding: Any
    tied: str | None
    trainable: Mapping[str, Any]


def layers_of(network: Network) -> Layers:
    """Find them.

    Raises
    ------
    BadInput
        Nothing is trainable, or a trainable parameter has no rule; the sentence names it.
    """
    torch, model = network.torch, network.model
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not trainable:
        raise BadInput(f"{network.name}: no parameter is trainable, so there is nothing to train")
    output, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    name_of = {id(p): name for name, p in trainable.items()}
    if network.head != "chunked":
        raise _refused(network, next(iter(trainable)), "the model does something unknown to its logits")
    owners: dict[str, list[Any]] = {}
    hooked, output_names, remaining = [], {}, dict(trainable)
    for module in model.modules():
        names = {k: name_of[id(p)] for k, p in module.named_parameters(recurse=False) if id(p) in name_of}
        for name in names.values():
            owners.setdefault(name, []).append(module)
            remaining.pop(name, None)
        if module is output:
            output_names = names
            if names and not isinstance(module, torch.nn.Linear):
                raise _refused(network, next(iter(names.values())), f"the output layer is a {type(module).__name__}")
        elif names:
            try:
                hooked.append(_layer(torch, module, names))
            except NoRule as error:
                raise _refused(network, next(iter(names.values())), str(error)) from error
    tied = None
    for name, modules in owners.items():
        if len(modules) > 1:
            if len(modules) != 2 or output not in modules or embedding not in modules:
                raise _refused(network, name, f"{len(modules)} modules share it")
            tied = name
    if remaining:
        raise _refused(network, next(iter(remaining)), "no module owns it")
    for name, parameter in trainable.items():
        if parameter.dtype == torch.float16 or not parameter.dtype.is_floating_point:
            raise _refused(network, name, f"its numbers are {str(parameter.dtype).removeprefix('torch.')}")
    return Layers(tuple(hooked), output_names, embedding, tied, trainable)


def _refused(network: Network, name: str, why: str) -> BadInput:
    return BadInput(
        f"{network.name}: {name} is trainable, but its gradient cannot be clipped unit by unit ({why}); freeze it, or "
        "train an adapter (LoRA) on the linear layers"
    )


def _layer(torch: Any, module: Any, names: Mapping[str, str]) -> Layer:
    from transformers.pytorch_utils import Conv1D

    if set(names) <= {"weight", "bias"}:
        if isinstance(module, torch.nn.Linear):
            return Layer(module, "linear", names)
        if isinstance(module, Conv1D):
            return Layer(module, "conv1d", names)
        if isinstance(module, torch.nn.Embedding):
            if module.max_norm is not None or module.scale_grad_by_freq:
                raise NoRule("an embedding that scales its rows by what the batch holds")
            return Layer(module, "embedding", names)
        if all(p.ndim == 1 for p in module.parameters(recurse=False)) and not hasattr(module, "running_mean"):
            return Layer(module, "norm", names, shadows(torch, module, names))
    raise NoRule(f"{type(module).__name__} has the parameters {', '.join(names)}")


class Hooks:
    """Forward hooks for one microbatch of ``units`` units with ``rows`` rows each, ``ids`` (units · rows, places)."""

    def __init__(self, layers: Layers, keeps: Mapping[str, Keep], ids: Any, units: int):
        self.layers, self.keeps, self.ids, self.units = layers, keeps, ids, units
        self._seen: set[int] = set()

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Until the end of the block."""
        handles = [layer.module.register_forward_hook(self._hook(layer)) for layer in self.layers.hooked]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _hook(self, layer: Layer) -> Callable[[Any, Any, Any], Any]:
        def forward(module: Any, given: tuple[Any, ...], out: Any) -> Any:
            name = next(iter(layer.names.values()))
            if id(module) in self._seen or not given:
                raise NoRule(f"{name}: its layer is called twice, or with names only")
            self._seen.add(id(module))
            if len(out) == 1 and len(self.ids) > 1:  # positions, looked up once for all rows
                out = out.expand(len(self.ids), *out.shape[1:])
            if not out.requires_grad:  # nothing below is trained
                out = out.detach().requires_grad_().clone()  # not the leaf itself, which must not be changed in place
            take = {"norm": self._norm, "embedding": self._embedding}.get(layer.kind, self._affine)
            kept = [given[0].detach()]
            # Let go as soon as it was used: memory that comes and goes in large pieces is paid for in page faults.
            out.register_hook(lambda gradient: take(layer, kept.pop(), gradient))
            return out

        return forward

    def _by_unit(self, x: Any) -> Any:
        """(rows, places, …) to (units, places of all its rows, …)."""
        return x.reshape(self.units, -1, *x.shape[2:])

    def _affine(self, layer: Layer, x: Any, gradient: Any) -> None:
        if x.shape[:-1] != self.ids.shape:
            raise NoRule(f"{next(iter(layer.names.values()))}: its layer sees an input of shape {tuple(x.shape)}")
        gradient = self._by_unit(gradient)
        if "weight" in layer.names:
            x = self._by_unit(x).to(gradient.dtype)  # what automatic mixed precision multiplied
            sides = (gradient, x) if layer.kind == "linear" else (x, gradient)
            self.keeps[layer.names["weight"]].outer(*sides)
        if "bias" in layer.names:
            self.keeps[layer.names["bias"]].vector(_sum(gradient))

    def _embedding(self, layer: Layer, x: Any, gradient: Any) -> None:
        if x.shape[1:] != self.ids.shape[1:] or gradient.shape[:-1] != self.ids.shape:
            raise NoRule(f"{layer.names['weight']}: its layer looks up rows of shape {tuple(x.shape)}")
        rows = x.expand_as(self.ids)
        scale = getattr(layer.module, "embed_scale", None)
        if scale is not None:
            gradient = gradient * scale
        if layer.module.padding_idx is not None:  # its row is never trained
            gradient = gradient.masked_fill((rows == layer.module.padding_idx)[..., None], 0)
        self.keeps[layer.names["weight"]].lookup(self._by_unit(rows), self._by_unit(gradient))

    def _norm(self, layer: Layer, x: Any, gradient: Any) -> None:
        if gradient.ndim < 3 or len(gradient) != len(self.ids):
            raise NoRule(f"{next(iter(layer.names.values()))}: its layer sees an input of shape {tuple(x.shape)}")
        wide = gradient.float() if gradient.dtype.itemsize < 4 else gradient
        if "weight" in layer.names:
            scaled = layer.shadows[0](x)
            for zero in layer.shadows[1:]:
                scaled = scaled - zero(x)
            self.keeps[layer.names["weight"]].vector((wide * scaled).reshape(self.units, -1, wide.shape[-1]).sum(1))
        if "bias" in layer.names:
            self.keeps[layer.names["bias"]].vector(wide.reshape(self.units, -1, wide.shape[-1]).sum(1))


def _sum(gradient: Any) -> Any:
    return (gradient.float() if gradient.dtype.itemsize < 4 else gradient).sum(1)
