"""What is kept of a text's gradient: its squared norm, or a random projection of it; never the gradient itself.

Both are told the gradient of a matrix as it arises, G = Σ_t l_t r_tᵀ (an output gradient l_t and an input r_t), and say
what they keep. A measure is quadratic in the gradient (``degree`` 2) or linear (1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from probatum.core.draws import keyed


class Measure(Protocol):
    """``width`` numbers for every text. All tensors are of a batch: texts first, then places.

    ``outer``: Σ_t l_t r_tᵀ, from (n, T, rows) and (n, T, columns). ``lookup``: a row a place, from (n, T) row numbers
    and (n, T, columns). ``vector``: a gradient of one dimension, (n, d). ``whole``: the gradient of one text, in the
    parameter's shape. ``crossed``: what a matrix adds that serves as embedding and as output layer, beyond the two
    parts alone; from (n, T, columns), the rows of the one part that the other looks up.
    """

    degree: int
    width: int

    def outer(self, name: str, left: Any, right: Any) -> Any: ...

    def lookup(self, name: str, rows: Any, right: Any) -> Any: ...

    def vector(self, name: str, gradient: Any) -> Any: ...

    def whole(self, name: str, gradient: Any) -> Any: ...

    def crossed(self, right: Any, other: Any) -> Any: ...


class SquaredNorms:
    """‖G‖² = Σ_{t,s} ⟨l_t, l_s⟩⟨r_t, r_s⟩: two small Gram matrices instead of the matrix G."""

    degree = 2
    width = 1

    def __init__(self, torch: Any):
        self.torch = torch
        self._inputs: Any = None
        self._inputs_gram: Any = None

    def outer(self, name: str, left: Any, right: Any) -> Any:
        """Whichever is cheaper: the Gram matrices, T²(rows + columns), or G itself, T · rows · columns."""
        if grams_are_cheaper(left.shape[1], left.shape[2], right.shape[2]):
            return (_gram(left) * self._gram_of_inputs(right)).sum((1, 2))[:, None]
        return _wide(left).mT.matmul(_wide(right)).square_().sum((1, 2))[:, None]

    def lookup(self, name: str, rows: Any, right: Any) -> Any:
        """Gradients of places that looked up the same row are added before they are squared."""
        torch = self.torch
        text = torch.arange(len(rows), device=rows.device)[:, None].expand_as(rows)
        distinct, where = torch.unique(rows + text * (rows.max() + 1), return_inverse=True)
        sums = torch.zeros(len(distinct), right.shape[2], dtype=_wide(right).dtype, device=right.device)
        sums.index_add_(0, where.flatten(), _wide(right).flatten(0, 1))
        owner = torch.empty_like(distinct).index_copy_(0, where.flatten(), text.flatten())
        out = torch.zeros(len(rows), dtype=sums.dtype, device=right.device)
        return out.index_add_(0, owner, sums.square_().sum(1))[:, None]

    def vector(self, name: str, gradient: Any) -> Any:
        """Σ g²."""
        return _wide(gradient).square().sum(1, keepdim=True)

    def whole(self, name: str, gradient: Any) -> Any:
        """Σ g²."""
        return _wide(gradient).square().sum()[None]

    def crossed(self, right: Any, other: Any) -> Any:
        """2⟨G, G′⟩, which is 3 to 8 % of the norm of a tied matrix."""
        return 2 * (_wide(right) * other).sum((1, 2))[:, None]

    def _gram_of_inputs(self, x: Any) -> Any:
        """The last one is kept, since query, key and value have one input; with it its memory, so that it is known."""
        last = self._inputs
        if last is None or last.data_ptr() != x.data_ptr() or last.shape != x.shape or last.stride() != x.stride():
            self._inputs, self._inputs_gram = x.detach(), _gram(x)
        return self._inputs_gram


class Projection:
    """k numbers ⟨R_j, g⟩ / √k with random signs R_j (Johnson–Lindenstrauss), the same for every text.

    For a matrix R_j = u_j v_jᵀ, so that ⟨R_j, G⟩ = Σ_t ⟨u_j, l_t⟩⟨v_j, r_t⟩ needs no G. The parameters of a group are
    projected independently and added. Over the draws of R, the inner product of two projections has the inner product
    of the two gradients as its mean; its spread falls as 1/√k.
    """

    degree = 1

    def __init__(self, torch: Any, shapes: Mapping[str, tuple[int, ...]], dimension: int, seed: int, like: Any):
        self.torch, self.width, self._shapes, self._seed = torch, dimension, shapes, seed
        self._dtype, self._device = _wide(like).dtype, like.device
        self._signs: dict[str, list[Any]] = {}

    def outer(self, name: str, left: Any, right: Any) -> Any:
        """Σ_t ⟨u_j, l_t⟩⟨v_j, r_t⟩."""
        u, v = self._sides(name)
        return (_wide(left).matmul(u) * _wide(right).matmul(v)).sum(1)

    def lookup(self, name: str, rows: Any, right: Any) -> Any:
        """The same, where l_t is one-hot."""
        u, v = self._sides(name)
        return (u[rows] * _wide(right).matmul(v)).sum(1)

    def vector(self, name: str, gradient: Any) -> Any:
        """Dense signs."""
        return _wide(gradient).matmul(self._sides(name)[0])

    def whole(self, name: str, gradient: Any) -> Any:
        """As the others have it, from the gradient itself."""
        first, *second = self._sides(name)
        if not second:
            return self.vector(name, gradient.reshape(1, -1))[0]
        return (first * _wide(gradient).reshape(len(first), -1).matmul(second[0])).sum(0)

    def crossed(self, right: Any, other: Any) -> Any:
        """Nothing: a projection of a sum is the sum of the projections."""
        return 0

    def _sides(self, name: str) -> list[Any]:
        """Signs (rows, k) and (columns, k), the first divided by √k; of a vector only the first."""
        if name not in self._signs:
            *leading, last = self._shapes[name] or (1,)
            sizes = [last] if not leading else [int(self.torch.Size(leading).numel()), last]
            rng = keyed("projection", self._seed, name)
            drawn = [rng.integers(2, size=(n, self.width), dtype="int8") * 2 - 1 for n in sizes]
            sides = [self.torch.from_numpy(d).to(self._device, self._dtype) for d in drawn]
            sides[0] /= self.width**0.5
            self._signs[name] = sides
        return self._signs[name]


def grams_are_cheaper(places: int, rows: int, columns: int) -> bool:
    """Whether two Gram matrices over the places of a text cost less than a matrix (rows, columns)."""
    return places * (rows + columns) <= rows * columns


def _gram(x: Any) -> Any:
    wide = _wide(x)
    return wide.matmul(wide.mT)


def _wide(x: Any) -> Any:
    """In float32 at least: squares of half-precision gradients vanish."""
    return x.float() if x.dtype.itemsize < 4 else x
