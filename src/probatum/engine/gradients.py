"""The gradient of every text: its squared norm, or a projection of it, by groups of parameters.

g(x) is the gradient, over all parameters, of the mean loss of one text alone. Only the first ``context`` scored tokens
of a longer text count: windows would be read one by one, and the norm of their sum is not the sum of their norms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.batches import BatchSize, in_batches
from probatum.engine.encoding import Encoded
from probatum.engine.ghost import GhostPass, NoRule, requiring_gradients
from probatum.engine.measures import Measure, Projection, SquaredNorms
from probatum.engine.network import Network
from probatum.engine.stored import Batch, Failure

#: A backward pass keeps every activation, so fewer tokens go together than in a forward pass.
_SHARE = 4
_COST = 3  # a backward pass is booked as two forward passes
_TOLERANCE = 1e-3  # a text in its batch against automatic differentiation of it alone, by group


class Gradients:
    """What a model's gradients say of texts.

    Attributes
    ----------
    groups
        Names of the groups of parameters: embedding (``"embedding+head"`` where they are one matrix), each block,
        norms outside of them, head. They depend on the model only.
    ghost
        The pass that serves a batch at once; None where a parameter has no rule, or where the pass was found to
        disagree with automatic differentiation. Then texts are differentiated one by one.
    """

    def __init__(self, network: Network, context: int, size: BatchSize):
        self.network = network
        self.context = context
        self.size = BatchSize(max(1, size.tokens // _SHARE))
        named = _groups(network.model, network.torch)
        self.groups: tuple[str, ...] = tuple(dict.fromkeys(named.values()))
        self._group_of = {name: self.groups.index(group) for name, group in named.items()}
        self._checked = False
        self.ghost: GhostPass | None
        try:
            self.ghost = GhostPass(network, self._group_of)
        except NoRule:
            self.ghost = None

    def norms(
        self, encoded: Sequence[Encoded], book: Callable[[int], None], count_pass: Callable[[], None]
    ) -> Iterator[Batch]:
        """Yield (texts, float32 arrays (groups,)): squared norms, which add up to that of the whole gradient."""
        return self._collect(encoded, SquaredNorms(self.network.torch), book, count_pass)

    def features(
        self,
        encoded: Sequence[Encoded],
        dimension: int,
        seed: int,
        book: Callable[[int], None],
        count_pass: Callable[[], None],
    ) -> Iterator[Batch]:
        """Yield (texts, float32 arrays (groups · dimension,)), group by group; see `Projection`."""
        if dimension < 1:
            raise BadInput(f"a projection needs a dimension of 1 or more, got {dimension}")
        shapes = {name: tuple(p.shape) for name, p in self.network.model.named_parameters()}
        like = next(iter(self.network.model.parameters()))
        return self._collect(encoded, Projection(self.network.torch, shapes, dimension, seed, like), book, count_pass)

    def _collect(
        self, encoded: Sequence[Encoded], measure: Measure, book: Callable[[int], None], count_pass: Callable[[], None]
    ) -> Iterator[Batch]:
        silent = [i for i, e in enumerate(encoded) if len(e.scored) == 0]
        if silent:
            yield silent, [Failure("too short: no token has a score")] * len(silent)
        spoken = [i for i, e in enumerate(encoded) if len(e.scored)]
        sequences = [encoded[i].sequence[: self.context + 1] for i in spoken]
        lengths = [len(s) - 1 for s in sequences]

        def run(batch: list[int]) -> np.ndarray:
            wanted = [sequences[i] for i in batch]
            if self.ghost is not None:
                try:
                    count_pass()
                    answer = self.ghost(wanted, measure)
                    if self._checked or self._agrees(wanted, answer, measure, book, count_pass):
                        self._checked = True
                        return _of_means(answer, wanted, measure)
                except NoRule:
                    pass
                self.ghost = None
            return _of_means(self._one_by_one(wanted, measure, count_pass), wanted, measure)

        def together(a: int, b: int) -> bool:  # what is differentiated one by one is stored one by one
            return self.ghost is not None

        costs = [_COST * n for n in lengths]
        for batch, numbers in in_batches(lengths, self.size, run, book, tokens=costs, together=together):
            if not np.isfinite(numbers).all():
                raise BadInput(
                    f"{self.network.name}: a gradient is not finite; try --dtype float32, or mend its weights"
                )
            yield [spoken[i] for i in batch], [row.reshape(-1).astype(np.float32) for row in numbers]

    def _agrees(
        self,
        sequences: Sequence[np.ndarray],
        answer: Any,
        measure: Measure,
        book: Callable[[int], None],
        count_pass: Callable[[], None],
    ) -> bool:
        """Once per model: the longest and the shortest text of a batch, the latter with padding, each by itself."""
        exact = self.network.model.dtype.itemsize >= 4
        tolerance = _TOLERANCE if exact else 0.1  # half precision rounds otherwise in another batch
        for row in {0, len(sequences) - 1}:
            book(_COST * (len(sequences[row]) - 1))
            alone = self._one_by_one(sequences[row : row + 1], measure, count_pass)[0]
            size, difference = alone.norm(dim=-1), (answer[row] - alone).norm(dim=-1)
            if not bool((difference <= tolerance * size + 1e-5 * size.max()).all()):
                return False
        return True

    def _one_by_one(self, sequences: Sequence[np.ndarray], measure: Measure, count_pass: Callable[[], None]) -> Any:
        """The same by plain automatic differentiation: a forward and a backward pass for every text."""
        torch, model = self.network.torch, self.network.model
        names = [name for name, _ in model.named_parameters()]
        rows = []
        for sequence in sequences:
            count_pass()
            ids = torch.from_numpy(sequence.astype(np.int64)).to(self.network.device)
            with torch.enable_grad(), requiring_gradients(model, True):
                logits = model(input_ids=ids[None, :-1], use_cache=False).logits[0]
                logits = logits.float() if logits.dtype.itemsize < 4 else logits
                loss = torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum")
                found = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
            row = torch.zeros(len(self.groups), measure.width, dtype=loss.dtype, device=ids.device)
            for name, gradient in zip(names, found, strict=True):
                if gradient is not None:
                    row[self._group_of[name]] += measure.whole(name, gradient)
            rows.append(row)
        return torch.stack(rows)


def _of_means(summed: Any, sequences: Sequence[np.ndarray], measure: Measure) -> np.ndarray:
    """Of the mean loss, from the summed one (whose gradients are large enough for half precision)."""
    tokens = np.array([len(s) - 1 for s in sequences], float)[:, None, None]
    answer: np.ndarray = summed.cpu().double().numpy() / tokens**measure.degree
    return answer


def _groups(model: Any, torch: Any) -> dict[str, str]:
    """Every parameter (as ``named_parameters`` has them) to the name of its group, in the model's own order."""
    lists = [(name, m) for name, m in model.named_modules() if isinstance(m, torch.nn.ModuleList)]
    depth = getattr(model.config.get_text_config(), "num_hidden_layers", None)
    blocks = next((name for name, m in lists if len(m) == depth), lists[0][0] if lists else "")
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = head is not None and head.weight is embedding.weight
    found: dict[str, str] = {}
    for name, parameter in model.named_parameters():
        owner = model.get_submodule(name.rpartition(".")[0])
        if blocks and name.startswith(f"{blocks}."):
            found[name] = f"block {name.removeprefix(f'{blocks}.').split('.')[0]}"
        elif owner is embedding or parameter is embedding.weight:
            found[name] = "embedding+head" if tied else "embedding"
        elif owner is head:
            found[name] = "head"
        elif isinstance(owner, torch.nn.Embedding):
            found[name] = "positions"
        else:
            found[name] = "norm" if parameter.ndim == 1 else "rest"
    return found
