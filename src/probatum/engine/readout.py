"""What a vector of the residual stream says of the next token, and back: which vector says it otherwise."""

from __future__ import annotations

from typing import Any

from probatum.core.errors import BadInput

#: Numbers of the unembedding up to which it is held in double precision.
_DOUBLE = 1 << 26
#: A gain of the last norm below this share of its largest is taken as 0: that coordinate says nothing.
_SILENT = 1e-6


class Readout:
    """Logits W (g x̂ + b) of vectors x, with x̂ what the last norm makes of them; and back by the pseudo-inverse of W.

    Parameters
    ----------
    final_norm, unembed
        As `Sites` has them.

    Raises
    ------
    BadInput
        The norm is neither a LayerNorm nor an RMSNorm in what it computes.
    """

    def __init__(self, final_norm: Any, unembed: Any):
        import torch

        weight = unembed.weight.detach()
        self._weight = weight.to(torch.float64 if weight.numel() <= _DOUBLE else torch.float32)
        self._inverse = torch.linalg.pinv(self._weight.T @ self._weight, hermitian=True)
        self._gain = final_norm.weight.detach().to(self._weight)
        bias = getattr(final_norm, "bias", None)
        self._bias = torch.zeros_like(self._gain) if bias is None else bias.detach().to(self._weight)
        named = "eps" if hasattr(final_norm, "eps") else "variance_epsilon"
        self._epsilon = float(getattr(final_norm, named))
        probe = torch.linspace(-1, 2, len(self._gain)).to(self._weight)
        with torch.no_grad():
            given = final_norm(probe.to(weight)[None])[0].to(self._weight)
        for self._centered in (True, False):
            x, _, _ = self._normed(probe)
            if torch.allclose(x * self._gain + self._bias, given, atol=0.02, rtol=0.02):
                return
        raise BadInput("the last norm of this model is neither a LayerNorm nor an RMSNorm, and cannot be undone")

    def logits(self, x: Any) -> Any:
        """Shape (n, vocabulary), of vectors (n, width)."""
        hat, _, _ = self._normed(x.to(self._weight))
        return (hat * self._gain + self._bias) @ self._weight.T

    def rank(self, x: Any, token: int) -> Any:
        """How many tokens each vector says before this one, shape (n,); 0: it is the likeliest."""
        logits = self.logits(x)
        return (logits > logits[:, token, None]).sum(-1)

    def back(self, logits: Any, like: Any) -> Any:
        """The vectors that say this, shape (n, width), with mean and spread of ``like``.

        Exact where some vector of that mean and spread says it, which is rare when the vocabulary is larger than the
        width; else the nearest in the logits.
        """
        import torch

        hat, mean, spread = self._normed(like.to(self._weight))
        wanted = logits.to(self._weight) @ self._weight @ self._inverse - self._bias
        audible = self._gain.abs() > _SILENT * self._gain.abs().max()
        hat = torch.where(audible, wanted / torch.where(audible, self._gain, 1.0), hat)
        return hat * spread + mean

    def _normed(self, x: Any) -> tuple[Any, Any, Any]:
        """(x̂, mean, spread) with x = x̂ · spread + mean."""
        mean = x.mean(-1, keepdim=True) if self._centered else 0.0
        spread = ((x - mean).square().mean(-1, keepdim=True) + self._epsilon).sqrt()
        return (x - mean) / spread, mean, spread
