"""What is kept of every unit's gradient of one parameter until its norm is known, and how it joins the clipped sum.

A unit's gradient of a matrix is G = Σ_t l_t r_tᵀ. It is either made, unit by unit (`Dense`), or its two factors are
kept (`Factors`, whose norm comes from Gram matrices); an embedding's rows are kept as they were looked up (`Lookup`).
What is measured is what is added: both come from the same tensors, so that rounding cannot open a gap between the norm
and the sum. Norms are added up in double precision over rows in float32 (one long float32 sum of 6.4 million squares
is off by 2e-4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Keep(Protocol):
    """Of one parameter, for the units of a microbatch. Tensors are (units, places, width), or (units, width)."""

    def outer(self, left: Any, right: Any) -> None: ...

    def part(self, unit: int, left: Any, right: Any) -> None: ...

    def lookup(self, rows: Any, right: Any) -> None: ...

    def vector(self, gradient: Any) -> None: ...

    def squares(self) -> Any: ...

    def add(self, weights: Any, total: Any) -> None: ...


class Dense:
    """The gradient itself, in ``buffer`` (units, *shape), in float32 or wider. Its old content is ignored.

    With ``at_once`` one call of `outer` is all that comes, and it is measured while it is in the cache.
    """

    def __init__(self, torch: Any, buffer: Any, at_once: bool = False):
        self.torch, self.buffer, self.at_once = torch, buffer, at_once
        self._begun = [False] * len(buffer)
        self._squares: Any = None

    def outer(self, left: Any, right: Any) -> None:
        """Add Σ_t l_t r_tᵀ of every unit."""
        add = self._begin()
        if left.dtype == self.buffer.dtype:
            self.torch.baddbmm(self.buffer, left.mT, right, beta=float(add), out=self.buffer)
        else:
            self._put(self.buffer, left.mT.matmul(right), add)
        self._squares = self._measured() if self.at_once else None

    def part(self, unit: int, left: Any, right: Any) -> None:
        """Add Σ_t l_t r_tᵀ of one unit, from (places, width)."""
        out, add = self.buffer[unit], self._begun[unit]
        self._begun[unit] = True
        if left.dtype == out.dtype:
            self.torch.addmm(out, left.mT, right, beta=float(add), out=out)
        else:
            self._put(out, left.mT.matmul(right), add)

    def lookup(self, rows: Any, right: Any) -> None:
        """Add r_t to row ``rows[unit, t]``."""
        self._fill()
        first = self.torch.arange(len(rows), device=rows.device)[:, None] * self.buffer.shape[1]
        flat = self.buffer.view(-1, self.buffer.shape[-1])
        flat.index_add_(0, (rows + first).flatten(), right.flatten(0, 1).to(flat.dtype))

    def vector(self, gradient: Any) -> None:
        """Add (units, width)."""
        self._put(self.buffer, gradient, self._begin())

    def squares(self) -> Any:
        """Squared norms (units,), in double precision."""
        self._fill()
        return self._measured() if self._squares is None else self._squares

    def _measured(self) -> Any:
        if self.buffer.ndim == 2:
            return self.buffer.double().square().sum(1)
        of_rows = self.torch.linalg.vector_norm(self.buffer, dim=-1).double()
        return of_rows.square().flatten(1).sum(1)

    def add(self, weights: Any, total: Any) -> None:
        """``total`` += Σ_i weights_i G_i."""
        if len(self.buffer) == 1:
            total.add_(self.buffer[0], alpha=float(weights[0]))
        else:
            flat = total.view(-1)
            self.torch.addmv(flat, self.buffer.view(len(weights), -1).T, weights.to(flat.dtype), out=flat)

    def _put(self, out: Any, value: Any, add: bool) -> None:
        if add:
            out.add_(value)
        else:
            out.copy_(value)

    def _begin(self) -> bool:
        """Whether to add to what is there; units of which nothing is there while others have something start at 0."""
        if not any(self._begun):
            self._begun = [True] * len(self._begun)
            return False
        self._fill()
        return True

    def _fill(self) -> None:
        for unit, begun in enumerate(self._begun):
            if not begun:
                self.buffer[unit].zero_()
        self._begun = [True] * len(self._begun)


class Factors:
    """l and r themselves: 2 T² (rows + columns) for a norm, and one matrix product for the sum of all units.

    A matrix that is both output layer and embedding has a second part, rows that were looked up; the square of the
    whole is ‖G‖² + ‖G′‖² + 2 Σ_t ⟨r′_t, G[x_t]⟩, where G[x] = Σ_s l_s[x] r_s.
    """

    def __init__(self, torch: Any, units: int):
        self.torch, self.units = torch, units
        self._pairs: dict[int, tuple[Any, Any]] = {}
        self._batch: tuple[Any, Any] | None = None
        self._looked_up: Lookup | None = None

    def outer(self, left: Any, right: Any) -> None:
        """Keep the factors of all units; once."""
        assert self._batch is None
        self._batch = (_wide(left), _wide(right))

    def part(self, unit: int, left: Any, right: Any) -> None:
        """Keep the factors of one unit; once."""
        assert unit not in self._pairs
        self._pairs[unit] = (_wide(left), _wide(right))

    def lookup(self, rows: Any, right: Any) -> None:
        """Keep what was looked up."""
        self._looked_up = Lookup(self.torch)
        self._looked_up.lookup(rows, right)

    def vector(self, gradient: Any) -> None:
        raise NotImplementedError("a vector has no factors")

    def squares(self) -> Any:
        """Squared norms (units,), in double precision."""
        if self._batch is not None:
            left, right = self._batch
            out = _gram(left).mul_(_gram(right)).sum(-1).double().sum(1)
        else:
            out = self.torch.zeros(self.units, dtype=self.torch.float64)
            for unit, (left, right) in self._pairs.items():
                out[unit] = _gram(left).mul_(_gram(right)).sum(-1).double().sum()
                out = out.to(left.device)
        if self._looked_up is not None:
            rows, below = self._looked_up.rows, self._looked_up.right
            out = out.to(below.device) + self._looked_up.squares()
            for unit, (left, right) in self._pairs.items():
                met = left[:, rows[unit]].mT.matmul(right)  # (places, width): the rows of G that the unit looked up
                out[unit] += 2 * (met * below[unit]).sum(-1).double().sum()
        return out.clamp_(min=0)

    def add(self, weights: Any, total: Any) -> None:
        """``total`` += Σ_i weights_i G_i."""
        if self._batch is not None:
            left, right = self._batch
            scaled = right * weights.to(right.dtype)[:, None, None]
            total.addmm_(left.flatten(0, 1).mT, scaled.flatten(0, 1))
        for unit, (left, right) in self._pairs.items():
            total.addmm_(left.mT, right * float(weights[unit]))
        if self._looked_up is not None:
            self._looked_up.add(weights, total)


class Lookup:
    """Rows (units, places) of an embedding and what is to be added to each, (units, places, width)."""

    def __init__(self, torch: Any):
        self.torch = torch
        self.rows: Any = None
        self.right: Any = None

    def outer(self, left: Any, right: Any) -> None:
        raise NotImplementedError("an embedding has no outer products")

    def part(self, unit: int, left: Any, right: Any) -> None:
        raise NotImplementedError("an embedding has no outer products")

    def lookup(self, rows: Any, right: Any) -> None:
        """Keep; once."""
        assert self.rows is None
        self.rows, self.right = rows, _wide(right)

    def vector(self, gradient: Any) -> None:
        raise NotImplementedError("an embedding is no vector")

    def squares(self) -> Any:
        """Squared norms (units,): what fell on the same row is added before it is squared."""
        torch, rows, right = self.torch, self.rows, self.right
        unit = torch.arange(len(rows), device=rows.device)[:, None].expand_as(rows)
        distinct, where = torch.unique(rows + unit * (rows.max() + 1), return_inverse=True)
        sums = torch.zeros(len(distinct), right.shape[-1], dtype=right.dtype, device=right.device)
        sums.index_add_(0, where.flatten(), right.flatten(0, 1))
        owner = torch.empty_like(distinct).index_copy_(0, where.flatten(), unit.flatten())
        out = torch.zeros(len(rows), dtype=torch.float64, device=right.device)
        return out.index_add_(0, owner, sums.square_().sum(-1).double())

    def add(self, weights: Any, total: Any) -> None:
        """``total`` += Σ_i weights_i G_i."""
        scaled = self.right * weights.to(self.right.dtype)[:, None, None]
        total.index_add_(0, self.rows.flatten(), scaled.flatten(0, 1).to(total.dtype))


def summed_squares(keeps: Sequence[Keep], units: int, torch: Any, device: Any) -> Any:
    """Squared norms (units,) over all parameters, in double precision."""
    total = torch.zeros(units, dtype=torch.float64, device=device)
    for keep in keeps:
        total += keep.squares().to(device)
    return total


def _gram(x: Any) -> Any:
    return x.matmul(x.mT)


def _wide(x: Any) -> Any:
    return x.float() if x.dtype.itemsize < 4 else x
