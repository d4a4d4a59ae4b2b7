"""Where the parts of a transformer stand: the one place that knows how architectures name their blocks and matrices.

Editors and objectives on hidden states ask here, and name no module themselves. What is found is tried on a short text
before anybody uses it, since an editor that reads the wrong place does damage and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.batches import padded


class _EnoughError(Exception):
    """Ends a pass through the model where nothing above is wanted."""


#: Tokens of the text on which the parts are tried.
_TRIED = 4


@dataclass(frozen=True)
class _Family:
    """Paths of the parts: of the list of blocks and of the last norm in the model, of the others in a block."""

    blocks: str
    norm: str
    attn: str
    mlp: str
    out: str


_LLAMA = _Family("model.layers", "model.norm", "self_attn", "mlp", "mlp.down_proj")
_FAMILIES = {
    "gpt2": _Family("transformer.h", "transformer.ln_f", "attn", "mlp", "mlp.c_proj"),
    "gpt_neox": _Family("gpt_neox.layers", "gpt_neox.final_layer_norm", "attention", "mlp", "mlp.dense_4h_to_h"),
    "llama": _LLAMA,
    "qwen2": _LLAMA,
}


class Sites:
    """The parts of a causal language model of transformers, found by its family and tried once.

    Attributes
    ----------
    blocks
        The decoder's blocks, first to last.
    final_norm, unembed
        What takes the output of the last block to the logits: ``unembed(final_norm(h))``. The weight of ``unembed``
        has shape (vocabulary, width) and may be the embedding's own.

    Raises
    ------
    BadInput
        The family is not known here, the weights are quantized, or the parts do not add up to what the model computes.

    Notes
    -----
    A model wrapped by peft is taken as what it wraps; then the matrices of an MLP cannot be edited (`mlp_out`).
    """

    def __init__(self, model: Any):
        model = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.model = model
        self.name = str(model.config.model_type)
        family = _FAMILIES.get(self.name)
        if family is None or model.get_output_embeddings() is None:
            raise BadInput(
                f"where the blocks of a model of type {self.name} stand is not known here; known are causal language "
                f"models of the types {', '.join(sorted(_FAMILIES))}"
            )
        self._family = family
        self.blocks: list[Any] = list(model.get_submodule(family.blocks))
        self.final_norm = model.get_submodule(family.norm)
        self.unembed = model.get_output_embeddings()
        self._refuse_quantized()
        self._try()

    def __len__(self) -> int:
        return len(self.blocks)

    def block(self, i: int) -> Any:
        """Block ``i`` from 0; its output is the residual stream."""
        if not 0 <= i < len(self.blocks):
            raise BadInput(f"the model has the blocks 0 to {len(self.blocks) - 1}, got {i}")
        return self.blocks[i]

    def attn(self, i: int) -> Any:
        """The attention of block ``i``: what it gives is added to the residual stream."""
        return self.block(i).get_submodule(self._family.attn)

    def mlp(self, i: int) -> Any:
        """The MLP of block ``i``: what it gives is added to the residual stream."""
        return self.block(i).get_submodule(self._family.mlp)

    def mlp_last(self, i: int) -> Any:
        """The layer of the MLP that holds `mlp_out`: it is given what the neurons do."""
        return self.block(i).get_submodule(self._family.out)

    def mlp_out(self, i: int) -> Any:
        """The MLP's output matrix, shape (neurons, width): row j is what neuron j adds to the residual stream.

        A view without gradient, however it is stored: what is written into it stands in the model.
        """
        import torch
        from transformers.pytorch_utils import Conv1D

        layer = self.mlp_last(i)
        if isinstance(layer, Conv1D):
            return layer.weight.detach()
        if isinstance(layer, torch.nn.Linear):
            return layer.weight.detach().T
        raise BadInput(f"block {i}: its MLP ends in a {type(layer).__name__}, whose matrix cannot be edited in place")

    def mlp_parameters(self, i: int) -> tuple[str, ...]:
        """The names of the parameters of block ``i``'s MLP, as the model's ``named_parameters`` has them."""
        own = {id(p) for p in self.mlp(i).parameters()}
        return tuple(name for name, p in self.model.named_parameters() if id(p) in own)

    def stream(self, rows: Sequence[np.ndarray], i: int) -> tuple[Any, Any]:
        """(h, real): the residual stream after block ``i``, shape (rows, length, width), with gradient, and where it
        belongs to a token and not to padding, shape (rows, length). The blocks above are not run."""
        import torch

        device = next(self.model.parameters()).device
        ids, real = (torch.from_numpy(np.asarray(a)).to(device) for a in padded(rows))
        seen: list[Any] = []

        def stop(module: Any, given: tuple[Any, ...], out: Any) -> None:
            seen.append(self.hidden(out))
            raise _EnoughError

        handle = self.block(i).register_forward_hook(stop)
        try:
            self.model(input_ids=ids.long(), attention_mask=real.long(), use_cache=False)
        except _EnoughError:
            pass
        finally:
            handle.remove()
        return seen[0], real.bool()

    @staticmethod
    def hidden(out: Any) -> Any:
        """The hidden states in what a part gives: blocks and MLPs give a tensor, attention a tuple that begins so."""
        return out[0] if isinstance(out, tuple) else out

    def _refuse_quantized(self) -> None:
        layers = [self.mlp_last(i) for i in range(len(self))]
        if getattr(self.model, "is_quantized", False) or not all(p.weight.is_floating_point() for p in layers):
            raise BadInput(
                f"the weights of this {self.name} are quantized, and what is written into them would be rounded; open "
                "the model as it was before that"
            )

    def _try(self) -> None:
        """Run a short text: the residual stream must be the sum of its parts, and the logits come from its end."""
        import torch

        model, device = self.model, next(self.model.parameters()).device
        ids = torch.arange(_TRIED, device=device)[None] % model.config.vocab_size
        each = range(len(self))
        was = model.training
        model.train(False)
        try:
            with (
                torch.no_grad(),
                captured(self.blocks, side="in") as before,
                captured(self.blocks) as after,
                captured([self.attn(i) for i in each]) as attn,
                captured([self.mlp(i) for i in each]) as mlp,
            ):
                logits = model(input_ids=ids, use_cache=False).logits
            for i in each:
                if not _close(before[i] + attn[i] + mlp[i], after[i]):
                    raise BadInput(
                        f"block {i} of this {self.name} is not the sum of its input, its attention and its MLP, so "
                        "its parts cannot be told apart"
                    )
            with torch.no_grad():
                again = self.unembed(self.final_norm(after[-1]))
            if not _close(again, logits):
                raise BadInput(f"the logits of this {self.name} are not a norm and a matrix away from its last block")
        finally:
            model.train(was)


@contextmanager
def captured(modules: Sequence[Any], *, side: Literal["in", "out"] = "out") -> Iterator[list[Any]]:
    """What each module was last given (its first tensor), or gave, while within the block; None before it ran.

    Gradients go through. The hooks are gone at the end, whatever happens.
    """
    seen: list[Any] = [None] * len(modules)

    def hook(k: int) -> Any:
        def before(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            seen[k] = given[0] if given else named["hidden_states"]

        def after(module: Any, given: tuple[Any, ...], out: Any) -> None:
            seen[k] = Sites.hidden(out)

        if side == "in":
            return modules[k].register_forward_pre_hook(before, with_kwargs=True)
        return modules[k].register_forward_hook(after)

    handles = [hook(k) for k in range(len(modules))]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _close(a: Any, b: Any) -> bool:
    """Equal but for a few roundings of the largest number."""
    import torch

    slack = 32 * torch.finfo(b.dtype).eps * float(b.abs().max())
    return bool((a - b).abs().max() <= slack)
