"""The output layer of a clipping pass: losses, their errors, and its own gradient, a few rows of logits at a time.

Logits of a batch never exist. Errors are softmax − one-hot, made in the memory of the logits; the weight of a token in
its unit's loss is applied to the narrow side of each product. On a CPU the product with a long vocabulary goes in
blocks of it, which is 1.4 times as fast as one call (measured with MKL, 50,257 tokens).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from probatum.engine.clip_keep import Dense, Keep
from probatum.engine.network import Network

#: ``loss(nll, scored) -> (rows,)``: from −log p of every token and whether it counts, both (rows, places).
Loss = Callable[[Any, Any], Any]

_LOGITS = 1 << 24  # numbers in the memory for logits: 64 MB
_CACHED = 1 << 21  # where nothing is gained by more rows
_BLOCK = 1024


class Head:
    """Of one model; ``dtype`` is the precision of its products (that of the weights, or of mixed precision)."""

    def __init__(self, network: Network, dtype: Any):
        torch = network.torch
        self.network, self.torch, self.dtype = network, torch, dtype
        self.wide = torch.float64 if dtype == torch.float64 else torch.float32
        self.output = network.model.get_output_embeddings()
        some = torch.linspace(-40, 40, 7, device=network.device)
        self._plain = bool(torch.equal(network._after(some), some))
        self._memory: Any = None
        self.weight: Any = None

    def prepare(self) -> None:
        """Take the weight as it is now."""
        self.weight = self.output.weight.detach().to(self.dtype)

    def token_weights(self, loss: str | Loss, hidden: Any, targets: Sequence[Any]) -> list[Any]:
        """Per row of ``hidden`` (rows, places, width) the derivative of the summed loss by −log p of its tokens."""
        torch, lengths = self.torch, [len(t) for t in targets]
        if isinstance(loss, str):
            each = [1.0 if loss == "sum" else 1.0 / max(1, n) for n in lengths]
            return [
                torch.full((n,), w, dtype=self.wide, device=hidden.device) for n, w in zip(lengths, each, strict=True)
            ]
        nll = torch.zeros(len(lengths), max(lengths), dtype=self.wide, device=hidden.device)
        scored = torch.zeros(nll.shape, dtype=torch.bool, device=hidden.device)
        for i, n in enumerate(lengths):
            scored[i, :n] = True
            for part in _parts(n, self._rows(_CACHED)):
                logits = self.network._after(self._given(hidden[i, part]))
                nll[i, part] = logits.logsumexp(-1) - logits.gather(-1, targets[i][part, None])[:, 0]
        with torch.enable_grad():
            losses = loss(nll.requires_grad_(), scored)
            found = torch.autograd.grad(losses.sum(), nll)[0]
        return [found[i, :n] for i, n in enumerate(lengths)]

    def backward(
        self, hidden: Any, targets: Sequence[Any], weights: Sequence[Any], rows: int, keeps: Mapping[str, Keep]
    ) -> Any:
        """Gradient with respect to ``hidden`` (units · rows, places, width); the layer's own goes to ``keeps``.

        Parameters
        ----------
        keeps
            By local name ("weight", "bias"), of what is trainable.
        """
        below = self.torch.zeros_like(hidden)
        step = rows if keeps else len(hidden)  # a frozen layer need not tell units apart
        sums = self.torch.zeros(len(hidden) // step, len(self.weight), dtype=self.wide, device=hidden.device)
        for unit in range(len(hidden) // step):
            mine = [i for i in range(unit * step, (unit + 1) * step) if len(targets[i])]
            if mine:
                h = self._joined([hidden[i, : len(targets[i])] for i in mine]).to(self.dtype)
                t, w = (self._joined([x[i] for i in mine]) for x in (targets, weights))
                back = self._unit(unit, h, t, w[:, None], keeps.get("weight"), sums[unit] if "bias" in keeps else None)
                for i, part in zip(mine, back.split([len(targets[i]) for i in mine]), strict=True):
                    below[i, : len(part)] = part
        if "bias" in keeps:
            keeps["bias"].vector(sums)
        return below

    def _unit(self, unit: int, h: Any, targets: Any, weights: Any, keep: Keep | None, total: Any) -> Any:
        """Gradient with respect to ``h``, real places of one unit; factors of the weight's gradient go to ``keep``."""
        back, factors = self.torch.empty_like(h), []
        whole = isinstance(keep, Dense) or keep is None
        for part in _parts(len(h), self._rows(_LOGITS if keep is not None else _CACHED)):
            error = self._errors(h[part], targets[part])
            narrow, scaled = error.to(self.dtype), (h[part] * weights[part]).to(self.dtype)
            back[part] = narrow.matmul(self.weight) * weights[part]
            if total is not None:
                total += (error * weights[part]).sum(0)
            if keep is not None and whole:
                keep.part(unit, narrow, scaled)
            elif keep is not None:
                factors.append((error.clone(), scaled))  # the memory of the logits is used again
        if factors and keep is not None:
            keep.part(unit, *(self._joined(side) for side in zip(*factors, strict=True)))
        return back

    def _errors(self, h: Any, targets: Any) -> Any:
        torch = self.torch
        given = self._given(h)
        if self._plain:
            error = torch.softmax(given, -1, out=given)
        else:
            with torch.enable_grad():
                logits = self.network._after(given.requires_grad_())
            error = logits.detach().softmax(-1)
        error[torch.arange(len(targets), device=error.device), targets] -= 1
        return error if self._plain else torch.autograd.grad(logits, given, error)[0]

    def _given(self, h: Any) -> Any:
        """What the output layer gives for rows of ``h``, in float32 or wider; overwritten by the next call."""
        torch, weight = self.torch, self.weight
        h = h.to(self.dtype)
        if self.dtype != self.wide or not self._plain:
            out = h.matmul(weight.mT).to(self.wide)
        else:
            if self._memory is None or self._memory.shape[0] < len(h):
                self._memory = torch.empty(len(h), len(weight), dtype=self.wide, device=h.device)
            out = self._memory[: len(h)]
            block = _BLOCK if h.device.type == "cpu" else len(weight)
            for start in range(0, len(weight), block):
                torch.mm(h, weight[start : start + block].mT, out=out[:, start : start + block])
        if self.output.bias is not None:
            out += self.output.bias.detach()
        return out

    def _rows(self, numbers: int) -> int:
        return max(64, numbers // len(self.weight))

    def _joined(self, parts: Sequence[Any]) -> Any:
        return parts[0] if len(parts) == 1 else self.torch.cat(list(parts))


def _parts(n: int, size: int) -> list[slice]:
    return [slice(start, min(n, start + size)) for start in range(0, n, size)]
