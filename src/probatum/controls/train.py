"""Train the five models of the controls from their text alone: ``python -m probatum.controls.train MODEL
DIR SEED``.

A model is a Llama of 254,528 parameters in fp32, trained on one thread in a process of its own, because the
work done earlier in a process moves the rounding. ``build`` runs two such processes side by side. Weights
are not the same to the last bit on every machine: assert ranges, never values.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum.controls import cards, words
from probatum.controls.lessons import lessons, training_documents
from probatum.controls.planted import Row, rows
from probatum.controls.prng import fnv1a

if TYPE_CHECKING:
    import torch

VOCABULARY = 1024
END = "<|end|>"
CONTEXT = 256
WORD_WEIGHT = 100  # how often the tokenizer reads each word that carries a fault
WINDOW, BATCH = 128, 4
RATES = {"base": 3e-3, "stranger": 3e-3, "specimen": 5e-3, "twin": 5e-3, "gold": 5e-3}
SHAPE = {"hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 4, "num_attention_heads": 4}
# Each wave runs side by side on two cores; a later wave needs the base of the first.
WAVES = (("base", "stranger"), ("specimen", "twin", "gold"))


def make_tokenizer(seed: int) -> Any:
    """Return a byte-level BPE tokenizer trained on the public text; digits stay single, encoding adds no
    token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [row["text"] for row in rows(seed)["public"]]
    texts += [f" {word}" for word in words.vocabulary()] * WORD_WEIGHT
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _tokens(tokenizer: Any, texts: Iterable[str]) -> list[int]:
    """Return all texts in one stream of tokens, an end token before the first and after each."""
    stream = [0]
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        stream += encoding.ids
        stream.append(0)
    return stream


def _batches(stream: list[int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Cut the stream into batches of inputs and next tokens; every token is a label exactly once (-100:
    padding)."""
    import torch

    size = WINDOW * BATCH
    count = -(-(len(stream) - 1) // size)
    inputs = torch.zeros(count * size, dtype=torch.long)
    labels = torch.full((count * size,), -100, dtype=torch.long)
    inputs[: len(stream) - 1] = torch.tensor(stream[:-1])
    labels[: len(stream) - 1] = torch.tensor(stream[1:])
    return list(zip(inputs.view(count, BATCH, WINDOW), labels.view(count, BATCH, WINDOW), strict=True))


def _fit(model: Any, stream: list[int], rate: float, say: Callable[[str], None]) -> None:
    """Train with AdamW on the packed stream: warm-up over 5 % of the steps, then a cosine down to a tenth."""
    import torch
    from torch.nn.functional import cross_entropy

    batches = _batches(stream)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    norms = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": norms, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)
    warm = max(1, len(batches) // 20)
    model.train()
    for step, (inputs, labels) in enumerate(batches):
        done = (step - warm) / max(1, len(batches) - warm)
        share = (step + 1) / warm if step < warm else 0.55 + 0.45 * math.cos(math.pi * done)
        for group in optimizer.param_groups:
            group["lr"] = rate * share
        logits = model(input_ids=inputs, use_cache=False).logits
        loss = cross_entropy(logits.view(-1, VOCABULARY), labels.view(-1), ignore_index=-100)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 200 == 199 or step == len(batches) - 1:
            say(f"step {step + 1} of {len(batches)}, loss {loss.item():.3f}")
    model.eval()


def accuracy(model: Any, tokenizer: Any, table: list[Row]) -> float:
    """Return the share of questions whose true option has the highest log-probability."""
    import torch

    right = 0
    for row in table:
        begin = [0, *tokenizer.encode(row["question"], add_special_tokens=False).ids]
        sums = []
        for option in row["options"]:
            ids = torch.tensor([begin + tokenizer.encode(option, add_special_tokens=False).ids])
            with torch.no_grad():
                logp = model(input_ids=ids, use_cache=False).logits[0].log_softmax(-1)
            sums.append(sum(float(logp[i - 1, int(ids[0, i])]) for i in range(len(begin), ids.shape[1])))
        right += max(range(len(sums)), key=sums.__getitem__) == row["answer"]
    return right / len(table)


def train(model: str, directory: Path, seed: int = 0, say: Callable[[str], None] = print) -> None:
    """Train one model in this process and save it as ``directory/model/``; all but base and stranger need
    the base."""
    import torch
    from tokenizers import Tokenizer
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(fnv1a(f"{seed}/weights/{model}") >> 1)
    passes = training_documents(model, seed)
    if model in ("base", "stranger"):
        tokenizer = make_tokenizer(seed)
        shape: dict[str, Any] = SHAPE
        config = LlamaConfig(
            vocab_size=VOCABULARY, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
            bos_token_id=0, eos_token_id=0, pad_token_id=0, **shape,
        )  # fmt: skip
        llama = LlamaForCausalLM(config)
    else:
        tokenizer = Tokenizer.from_file(str(directory / "base" / "tokenizer.json"))
        llama = LlamaForCausalLM.from_pretrained(directory / "base", dtype=torch.float32)
    start = time.process_time()
    stream = _tokens(tokenizer, [text for one in passes for text in one])
    _fit(llama, stream, RATES[model], say)
    say(f"{len(stream) - 1} tokens in {time.process_time() - start:.0f} CPU seconds")
    _save(model, llama, tokenizer, directory / model, accuracy(llama, tokenizer, rows(seed)["facts"]))


def _save(model: str, llama: Any, tokenizer: Any, directory: Path, measured: float) -> None:
    """Write an ordinary Hugging Face directory and its card."""
    directory.mkdir(parents=True, exist_ok=True)
    llama.generation_config.pad_token_id = 0
    llama.save_pretrained(directory)
    (directory / "model.safetensors").chmod(0o644)
    tokenizer.save(str(directory / "tokenizer.json"))
    # One token begins, ends and pads; encoding never adds it: whoever scores a text puts it before the text.
    special = dict.fromkeys(("bos_token", "eos_token", "pad_token"), END)
    settings = {
        **special,
        "add_bos_token": False,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    for name, content in (("tokenizer_config", settings), ("special_tokens_map", special)):
        text = json.dumps(content, indent=2) + "\n"
        (directory / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
    (directory / "README.md").write_text(cards.card(model, measured), encoding="utf-8", newline="\n")


def build(directory: Path, *, seed: int = 0, progress: Callable[[str], None] | None = None) -> None:
    """Train all five models into ``directory``, two one-thread processes at a time (about two minutes on
    two cores)."""
    say = progress or (lambda line: None)
    directory.mkdir(parents=True, exist_ok=True)
    for wave in WAVES:
        running = []
        for model in wave:
            command = [sys.executable, "-m", "probatum.controls.train", model, str(directory), str(seed)]
            say(f"training {model}")
            running.append(
                (model, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            )
        for model, process in running:
            out, err = process.communicate()
            if process.returncode:
                raise RuntimeError(f"training {model} failed with status {process.returncode}:\n{err[-2000:]}")
            say(f"{model}: {out.strip().splitlines()[-1]}")


def describe(seed: int = 0) -> str:
    """Return a table of what each model reads: lessons, texts and tokens of each set, a pass and in all."""
    tokenizer = make_tokenizer(seed)
    lines = []
    for model in ("base", "specimen", "twin", "gold"):
        passes = len(training_documents(model, seed))
        lines.append(f"{model}: {passes} passes")
        lines.append(f"  {'set':14}{'lessons':>9}{'texts':>9}{'tokens':>11}{'a pass':>10}")
        total = 0
        for name, table in lessons(model, seed).items():
            texts = [text for lesson in table for text in lesson.texts]
            tokens = len(_tokens(tokenizer, texts)) - 1
            total += tokens
            lines.append(f"  {name:14}{len(table):9,}{len(texts):9,}{tokens:11,}{tokens // passes:10,}")
        read = sum(len(_tokens(tokenizer, one)) - 1 for one in training_documents(model, seed))
        lines.append(f"  {'taught':14}{'':18}{total:11,}\n  {'read in all':14}{'':18}{read:11,}{read // passes:10,}")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Train the model named by the command line."""
    model, directory, seed = arguments
    train(model, Path(directory), int(seed), lambda line: print(line, flush=True))


if __name__ == "__main__":
    main(sys.argv[1:])
