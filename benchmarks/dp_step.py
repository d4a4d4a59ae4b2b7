"""What a differentially private step costs, beside an ordinary step and Opacus.

Run: ``python benchmarks/dp_step.py [WORDS…]``; words choose shapes, such as ``gpt2 tied T512 V1024`` or ``lora``. Small
GPT-2 and Llama shapes (4 layers of width 128), AdamW, noise on, one thread; every way in one process, in turns. The
ordinary step and ours have the best of some microbatches, Opacus one of 1,024 tokens. CPU seconds are the number
to read on a shared machine; a ratio is to the ordinary step.
Opacus is left out where it is not installed. All steps divide one gradient by what a batch is expected to hold.
"""

import contextlib
import copy
import os
import platform
import sys
import time
import warnings

import numpy as np
import torch
import transformers

from probatum.engine.clipping import Clipping
from probatum.engine.lora import adapted
from probatum.engine.private_noise import Draws

LIMIT, SIGMA, RATE = 1.0, 1.0, 1e-4
TOKENS = {1024: 4096, 50257: 1024}  # of a batch, by vocabulary
ROUNDS = {1024: 8, 50257: 4}  # by vocabulary
ROUNDS_OF_PEERS = 3
#: Memory that was freed stays with the process: else page faults, up to a fifth of a step, fall on a way by chance.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 33)}


def build(kind, tied, vocabulary, places):
    common = {"vocab_size": vocabulary, "tie_word_embeddings": tied, "bos_token_id": None, "eos_token_id": None}
    still = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    torch.manual_seed(0)
    if kind == "gpt2":
        config = transformers.GPT2Config(n_embd=128, n_layer=4, n_head=4, n_positions=places, **common, **still)
    else:
        sizes = {"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4}
        config = transformers.LlamaConfig(max_position_embeddings=places, **sizes, **common)
    return transformers.AutoModelForCausalLM.from_config(config).eval()


def losses(model, ids, positions=False):
    """Mean −log p of every record, (records,)."""
    more = {"position_ids": torch.arange(ids.shape[1] - 1).repeat(len(ids), 1)} if positions else {}
    logits = model(input_ids=ids[:, :-1].contiguous(), use_cache=False, **more).logits
    flat = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return flat.view(len(ids), -1).mean(1)


def adam(model):
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.0)


def ordinary(model, ids, size):
    optimizer = adam(model)

    def step():
        for start in range(0, len(ids), size):
            (losses(model, ids[start : start + size]).sum() / len(ids)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    return step


def ours(model, units):
    optimizer, clipping = adam(model), Clipping(model)
    sums, draws = clipping.zeros(), Draws(torch, clipping.device)

    def step():
        for total in sums.values():
            total.zero_()
        clipping(units, LIMIT, sums)
        draws.add_noise(0, sums, SIGMA * LIMIT)
        for name, parameter in clipping.layers.trainable.items():
            parameter.grad = sums[name].div_(len(units))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def opacus_hooks(model, ids, size, functorch=False):
    from opacus.grad_sample import GradSampleModule
    from opacus.optimizers import DPOptimizer

    wrapped = GradSampleModule(model.train(), loss_reduction="sum", force_functorch=functorch)
    given = {"noise_multiplier": SIGMA, "max_grad_norm": LIMIT, "expected_batch_size": len(ids)}
    optimizer = DPOptimizer(adam(model), loss_reduction="mean", **given)

    def step():
        for start in range(0, len(ids), size):
            losses(wrapped, ids[start : start + size], positions=True).sum().backward()
            optimizer.signal_skip_step(start + size < len(ids))
            optimizer.step()
            optimizer.zero_grad()

    return step


def opacus_ghost(model, ids, size):
    from opacus.grad_sample import GradSampleModuleFastGradientClipping
    from opacus.optimizers import DPOptimizerFastGradientClipping
    from opacus.utils.fast_gradient_clipping_utils import DPTensorFastGradientClipping

    wrapped = GradSampleModuleFastGradientClipping(
        model.train(), max_grad_norm=LIMIT, use_ghost_clipping=True, loss_reduction="sum"
    )
    given = {"noise_multiplier": SIGMA, "max_grad_norm": LIMIT, "expected_batch_size": len(ids)}
    optimizer = DPOptimizerFastGradientClipping(adam(model), loss_reduction="mean", **given)

    def step():
        for start in range(0, len(ids), size):
            each = losses(wrapped, ids[start : start + size], positions=True)
            optimizer.signal_skip_step(start + size < len(ids))
            DPTensorFastGradientClipping(wrapped, optimizer, each, "sum").backward()
            optimizer.step()
            optimizer.zero_grad()

    return step


def equality(model, units):
    """Largest relative difference of a parameter's clipped sum to automatic differentiation, record by record."""
    some = units[:3]
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    expected, clipping = {n: torch.zeros_like(p) for n, p in trained.items()}, Clipping(model)
    norms = clipping(some, float("inf"))[1]
    limit = float(np.median(norms))
    for unit in some:
        ids = torch.from_numpy(unit[0].astype(np.int64))[None]
        found = torch.autograd.grad(losses(model, ids)[0], list(trained.values()))
        norm = sum(float(g.double().square().sum()) for g in found) ** 0.5
        for total, g in zip(expected.values(), found, strict=True):
            total.add_(g, alpha=min(1.0, limit / norm))
    got = clipping(some, limit)[0]
    return max(float((got[n] - e).norm() / e.norm().clamp(min=1e-12)) for n, e in expected.items())


def cpu(step):
    begin = time.process_time()
    step()
    return time.process_time() - begin


def shape_of(kind, tied, vocabulary, places, lora, functorch):
    model = build(kind, tied, vocabulary, places)
    records = max(1, TOKENS[vocabulary] // places)
    if lora:
        model = adapted(model, seed=0)
    rng = np.random.default_rng(0)
    units = [[rng.integers(0, vocabulary, places + 1).astype(np.int32)] for _ in range(records)]
    ids = torch.from_numpy(np.array([u[0] for u in units]).astype(np.int64))
    off = equality(model, units)
    sizes = sorted({max(1, min(records, tokens // places)) for tokens in (places, 512, 1024, 2048)})
    makers = {"ordinary": ordinary, "Opacus hooks": opacus_hooks, "Opacus ghost": opacus_ghost}
    if functorch:
        makers["Opacus functorch"] = lambda model, ids, size: opacus_hooks(model, ids, size, True)
    with contextlib.suppress(ImportError):
        import opacus  # noqa: F401

        functorch = None
    ways, said = {"ours": ours(copy.deepcopy(model), units)}, {}
    for _ in range(14):
        cpu(ways["ours"])  # finds its quickest microbatch, as the others' is found below
    for way, make in makers.items():
        if way != "ordinary" and functorch is not None:
            continue
        tried = {}
        for size in sizes if way == "ordinary" else [max(1, 1024 // places)]:
            try:
                step = make(copy.deepcopy(model), ids, size)
                tried[cpu(step)] = step
            except (NotImplementedError, ValueError, RuntimeError, AttributeError) as error:
                said[way] = type(error).__name__
        if tried:
            ways[way] = tried[min(tried)]
            said.pop(way, None)
    best = dict.fromkeys(ways, float("inf"))
    for number in range(ROUNDS[vocabulary]):
        for way, step in ways.items():  # in turns, so that a busy minute does not fall on one way alone
            if number < ROUNDS_OF_PEERS or not way.startswith("Opacus"):
                best[way] = min(best[way], cpu(step))
    return best, said, off


def main(words):
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    peers = ["Opacus hooks", "Opacus ghost", "Opacus functorch"]
    print(f"{time.strftime('%Y-%m-%d')}, torch {torch.__version__}, {platform.machine()}, one thread, CPU ms a step\n")
    print("| shape | records | ordinary | **ours** | ratio | " + " | ".join(peers) + " | equality |")
    print("|---|---|---|---|---|---|---|---|---|")
    shapes = [
        (kind, tied, vocabulary, places, False)
        for vocabulary in (1024, 50257)
        for places in (128, 512)
        for kind in ("gpt2", "llama")
        for tied in (False, True)
    ]
    shapes += [(kind, False, 1024, 128, True) for kind in ("gpt2", "llama")]
    for kind, tied, vocabulary, places, lora in shapes:
        tags = {kind, "tied" if tied else "untied", f"T{places}", f"V{vocabulary}", "lora" if lora else "full"}
        if not set(words) <= tags:
            continue
        functorch = (tied, vocabulary, places, lora) == (False, 1024, 128, False)
        best, said, off = shape_of(kind, tied, vocabulary, places, lora, functorch)
        mine = best["ours"]
        name = f"{kind} {'LoRA' if lora else 'tied' if tied else 'untied'}, T {places}, V {vocabulary:,}"
        row = [name, TOKENS[vocabulary] // places, f"{best['ordinary'] * 1e3:.0f}", f"**{mine * 1e3:.0f}**"]
        row.append(f"{mine / best['ordinary']:.2f}")
        for way in peers:
            row.append(f"{best[way] * 1e3:.0f} ({best[way] / mine:.2f} ×)" if way in best else said.get(way, "–"))
        print("| " + " | ".join(map(str, [*row, f"{off:.0e}"])) + " |", flush=True)


if __name__ == "__main__":
    if not os.environ.keys() >= ALLOCATOR.keys():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ALLOCATOR})
    main(sys.argv[1:])
