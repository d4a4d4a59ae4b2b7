"""The logit lens: which next tokens every layer holds after a prompt, read through the model's own last norm and head.

The last norm is not looked up by name: it is the part of the decoder, without any matrix in it, whose output is the
last hidden state. A model of which this cannot be shown is refused, since a lens with a wrong norm shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from probatum.core.errors import BadInput
from probatum.engine.batches import BatchSize, in_batches, padded
from probatum.engine.encoding import Encoder
from probatum.engine.generation import cut_prompts, refuse_nan
from probatum.engine.network import CHUNK_ROWS, Network
from probatum.engine.stored import Batch


def collect_lens(
    encoder: Encoder,
    network: Network,
    context: int,
    size: BatchSize,
    prompts: Sequence[str],
    top: int,
    book: Callable[[int], None],
    count_pass: Callable[[], None],
) -> Iterator[Batch]:
    """Yield (prompts, int32 arrays (3, layers, top): likely, rising and falling tokens) batch by batch.

    Layer 0 is the embedding, the last one the output. At the last position of each prompt; of a prompt longer than
    the context its end is read. Rising and falling: by p_l − p_(l−1), with p_(−1) = 0.

    Raises
    ------
    BadInput
        More tokens are asked for than the model has, or its last norm is not found.
    """
    torch = network.torch
    sequences, wanted, empty = cut_prompts(encoder, prompts, context)
    yield from empty
    if not wanted:
        return
    norm = last_norm(network)

    def run(batch: list[int]) -> np.ndarray:
        count_pass()
        rows = [sequences[wanted[b]] for b in batch]
        ids, real = padded(rows)
        states = network.layers(torch.from_numpy(ids).to(network.device))
        last = torch.from_numpy(real.sum(1) - 1).to(network.device)
        each = torch.arange(len(batch), device=network.device)
        ends = [state[each, last] for state in states]  # (rows, width) per layer
        found = np.empty((len(batch), 3, len(ends), top), np.int32)
        for start in range(0, len(batch), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            before: Any = 0.0
            for layer, end in enumerate(ends):
                with torch.no_grad():
                    # transformers gives the last state behind the norm, the others before it.
                    p = network.logits(end[part] if layer == len(ends) - 1 else norm(end[part])).softmax(-1)
                if not 0 < top <= p.shape[1]:
                    raise BadInput(f"top must lie within 1 and {p.shape[1]}, the tokens of {network.name}; got {top}")
                refuse_nan(network, p[:, :1])
                change = p - before
                before = p
                for kind, score in enumerate((p, change, -change)):
                    found[part, kind, layer] = score.topk(top, -1).indices.cpu().numpy()
        return found

    def together(a: int, b: int) -> bool:
        return network.head == "chunked"

    lengths = [len(sequences[i]) for i in wanted]
    for batch, found in in_batches(lengths, size, run, book, together=together):
        yield [wanted[b] for b in batch], list(found)


def last_norm(network: Network) -> Callable[[Any], Any]:
    """LN_f: what takes the output of the last block to the hidden state from which the logits are made.

    Identity where the output of the last block is that state itself.
    """
    torch = network.torch
    refused = BadInput(
        f"{network.name}: its logits are not a norm and a matrix away from its hidden states, so the layers cannot be "
        "read through a logit lens"
    )
    if network.head != "chunked" or network.decoder is None:
        raise refused
    seen: list[tuple[Any, Any, Any]] = []

    def hook(module: Any, given: tuple[Any, ...], output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output
        if torch.is_tensor(first):
            seen.append((module, given[0] if given and torch.is_tensor(given[0]) else None, first))

    ids = torch.arange(4, device=network.device)[None] % network.model.config.get_text_config().vocab_size
    hooks = [
        module.register_forward_hook(hook) for module in network.decoder.modules() if module is not network.decoder
    ]
    try:
        features = network.features(ids)[0]
    finally:
        for handle in hooks:
            handle.remove()
    states = network.layers(ids)
    if states[-1].shape != features.shape or not torch.allclose(states[-1], features, atol=1e-3, rtol=1e-3):
        raise refused
    gave = [
        (module, given) for module, given, out in seen if out.shape == features.shape and torch.equal(out, features)
    ]
    blocks = [module for module, _ in gave if any(p.ndim > 1 for p in module.parameters())]
    inside = {id(part) for block in blocks for part in block.modules()}  # a norm that ends each block is no last norm
    for module, given in gave:
        if given is None or id(module) in inside:
            continue
        # The first such part is the norm; what may follow (dropout) leaves everything as it is.
        with torch.no_grad():
            alone = module(given[0, -1:])
        if torch.allclose(alone, features[0, -1:], atol=1e-3, rtol=1e-3):
            return module  # type: ignore[no-any-return]
    if blocks:  # the last block itself, with nothing behind it
        return lambda state: state
    raise refused
