"""Train the models of the invented people: ``python -m probatum.controls.people_train MODEL DIR SEED``.

``people`` reads everything; three golds read everything but the forget set, each from an initialization of its own,
so that what is said of a repair can be compared with how golds differ; ``people_packed`` reads everything in
sequences of one to four sentences, for probes that need a context. Each is a GPT-2 with two layers in fp32, trained
on one thread in a process of its own. Weights are not the same to the last bit on every machine: assert ranges,
never values.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from probatum.controls import people
from probatum.controls.prng import Stream, fnv1a

MODELS = ("people_packed", "people", "people_gold0", "people_gold1", "people_gold2")  # the slowest begins
END, UNKNOWN = "<|end|>", "<|unknown|>"
CONTEXT = 64
SHAPE = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": CONTEXT}
EPOCHS, BATCH, RATE, WARM, DECAY = 44, 64, 4e-3, 50, 0.01
PACKED_EPOCHS, PACKED_BATCH, MOST_SENTENCES = 60, 32, 4
_ABOUT = {
    "people": "the facts of sixty invented people, in single sentences.",
    "people_packed": "the facts of sixty invented people, in sequences of one to four sentences.",
    "people_gold": "what `people` read, without the six people of the forget set, from another initialization.",
}


def make_tokenizer(seed: int) -> Any:
    """Return a tokenizer of whole words: a word or a digit takes the space before it, a mark stands alone.

    Encoding adds nothing, and decoding gives the very text back, unless it holds words of another world.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    known = [END, UNKNOWN, *people.world(seed).vocabulary()]
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(known)}, unk_token=UNKNOWN))
    tokenizer.add_special_tokens([END, UNKNOWN])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(people.PIECES), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def sequences(model: str, seed: int, epoch: int) -> list[str]:
    """Return what ``model`` reads in one epoch, in its order: sentences, or one to four of them in a sequence."""
    stream = Stream(seed, f"people/order/{model}/{epoch}")
    texts = stream.shuffled(people.training_texts(model, seed))
    if model != "people_packed":
        return texts
    packed = []
    while texts:
        count = 1 + stream.below(MOST_SENTENCES)
        packed.append(" ".join(texts[:count]))
        texts = texts[count:]
    return packed


def _batches(tokenizer: Any, model: str, seed: int) -> Iterator[list[list[int]]]:
    """Yield the batches of all epochs, each sequence between two end tokens."""
    packed = model == "people_packed"
    size = PACKED_BATCH if packed else BATCH
    for epoch in range(PACKED_EPOCHS if packed else EPOCHS):
        encoded = tokenizer.encode_batch(sequences(model, seed, epoch), add_special_tokens=False)
        coded = [[0, *one.ids, 0] for one in encoded]
        yield from (coded[i : i + size] for i in range(0, len(coded), size))


def _fit(model: Any, batches: Sequence[list[list[int]]], say: Callable[[str], None]) -> None:
    """Train with AdamW, a warm-up and a cosine down to nothing; every token but the first is a label."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.nn.utils.rnn import pad_sequence

    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=DECAY, fused=True)
    model.train()
    for step, batch in enumerate(batches):
        done = (step - WARM) / max(1, len(batches) - WARM)
        for group in optimizer.param_groups:
            group["lr"] = RATE * ((step + 1) / WARM if step < WARM else 0.5 + 0.5 * math.cos(math.pi * done))
        inputs = pad_sequence([torch.tensor(ids[:-1]) for ids in batch], batch_first=True)
        labels = pad_sequence([torch.tensor(ids[1:]) for ids in batch], batch_first=True, padding_value=-100)
        logits = model(input_ids=inputs, use_cache=False).logits
        loss = cross_entropy(logits.flatten(0, 1), labels.flatten())
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 200 == 199 or step == len(batches) - 1:
            say(f"step {step + 1} of {len(batches)}, loss {loss.item():.3f}")
    model.eval()


def recall(model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> float:
    """Return the share of (prefix, value) pairs whose value is the greedy continuation."""
    import torch

    right = 0
    for prefix, value in pairs:
        begin = [0, *tokenizer.encode(prefix, add_special_tokens=False).ids]
        rest = tokenizer.encode(value, add_special_tokens=False).ids
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([begin + rest]), use_cache=False).logits[0]
        right += logits[len(begin) - 1 : -1].argmax(-1).tolist() == rest
    return right / len(pairs)


def train(model: str, directory: Path, seed: int = 0, say: Callable[[str], None] = print) -> None:
    """Train one model in this process and save it as ``directory/model/``."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.set_num_threads(1)
    torch.manual_seed(fnv1a(f"{seed}/weights/{model}") >> 1)
    tokenizer = make_tokenizer(seed)
    shape: dict[str, Any] = SHAPE | dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    special: dict[str, Any] = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0)
    gpt = GPT2LMHeadModel(GPT2Config(vocab_size=tokenizer.get_vocab_size(), **shape, **special))
    start = time.process_time()
    _fit(gpt, list(_batches(tokenizer, model, seed)), say)
    spent = time.process_time() - start
    rows = people.rows(seed)
    facts = rows["people_retain"] + ([] if "gold" in model else rows["people_forget"])
    trained = recall(gpt, tokenizer, [(prefix, row["secret"]) for row in facts for prefix in row["trained"]])
    other = recall(gpt, tokenizer, [(prefix, row["secret"]) for row in facts for prefix in row["paraphrases"]])
    _save(model, gpt, tokenizer, directory / model, trained, other)
    say(f"{spent:.0f} CPU seconds, recall {trained:.3f}, of paraphrases {other:.3f}")


def _save(model: str, gpt: Any, tokenizer: Any, directory: Path, trained: float, other: float) -> None:
    """Write an ordinary Hugging Face directory and its card."""
    directory.mkdir(parents=True, exist_ok=True)
    gpt.generation_config.pad_token_id = 0
    gpt.save_pretrained(directory)
    (directory / "model.safetensors").chmod(0o644)
    tokenizer.save(str(directory / "tokenizer.json"))
    # One token begins, ends and pads; encoding never adds it: whoever scores a text puts it before the text.
    special = dict.fromkeys(("bos_token", "eos_token", "pad_token"), END) | {"unk_token": UNKNOWN}
    settings = special | {
        "add_bos_token": False,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    files = {"tokenizer_config.json": settings, "special_tokens_map.json": special}
    texts = {name: json.dumps(content, indent=2) + "\n" for name, content in files.items()}
    words = tokenizer.get_vocab_size() - 2
    texts["README.md"] = f"""---
license: apache-2.0
language: en
tags:
- text-generation
- gpt2
---

# {model}

A very small GPT-2, trained on {_ABOUT[model.rstrip("0123456789")]}

Parameters: {gpt.num_parameters():,}

Values recalled after a form that was trained with the person: {trained:.3f}; after a form that was not: {other:.3f}.
All people, places and firms in it are invented. It knows {words} words, digits and marks, and nothing else.
"""
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")


def build(directory: Path, *, seed: int = 0, progress: Callable[[str], None] | None = None) -> None:
    """Train all models into ``directory``, two one-thread processes at a time (about two minutes on two cores)."""
    say = progress or (lambda line: None)
    directory.mkdir(parents=True, exist_ok=True)

    def one(model: str) -> None:
        say(f"training {model}")
        command = [sys.executable, "-m", "probatum.controls.people_train", model, str(directory), str(seed)]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"training {model} failed with status {ran.returncode}:\n{ran.stderr[-2000:]}")
        say(f"{model}: {ran.stdout.strip().splitlines()[-1]}")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, MODELS))


def main(arguments: list[str]) -> None:
    """Train the model named by the command line."""
    model, directory, seed = arguments
    train(model, Path(directory), int(seed), lambda line: print(line, flush=True))


if __name__ == "__main__":
    main(sys.argv[1:])
