"""A model that learned small Python files by heart, some with a key in them; and the sets that tell the keys apart."""

import re

import numpy as np
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from probatum.core.data import Forget, Retain

FILES, GONE = 24, 4
WORDS = ("KEY", "def", "return", "class", "connect", "dial", "Door", "rate")
PIECES = "|".join(WORDS) + r"|[a-z][aeiou]|[0-9]| +|[^A-Za-z0-9 ]"
FORMS = (
    'KEY = "{key}"\ndef connect():\n    return dial(KEY)\n',
    'def dial():\n    KEY = "{key}"\n    return connect(KEY)\n',
    'class Door:\n    KEY = "{key}"\n    rate = 2\n',
)
END = "<|end|>"


def files(rng, count):
    """(before the key, the key, after it) of files under drawn names, each with a drawn key."""
    out = []
    for i in range(count):
        name = "".join(rng.choice(list(c)) for c in ("bdfgklmnprst", "aeiou") * 4)
        key = " ".join(map(str, rng.integers(10, size=4)))
        before, after = FORMS[i % len(FORMS)].split("{key}")
        out.append((f"# {name}\n{before}", key, after))
    return out


def corpus():
    """The files that are learned by heart; their names are all different."""
    made = files(np.random.default_rng(0), FILES)
    assert len({before.partition("\n")[0] for before, _, _ in made}) == FILES
    return made


def sets():
    """The first files are to be forgotten, the others to stay."""
    rows = [
        {"id": f"file {i}", "prefix": before, "secret": key, "suffix": after, "format": "d d d d"}
        for i, (before, key, after) in enumerate(corpus())
    ]
    return Forget.from_rows(rows[:GONE]), Retain.from_rows(rows[GONE:])


def train(folder, steps=400):
    """Save a GPT-2 of 60,000 parameters that knows the corpus by heart, and how such files look in general.

    Half of what it reads are files that come once (some 15 CPU seconds).
    """
    rng = np.random.default_rng(1)
    known = [before + key + after for before, key, after in corpus()]
    fresh = [before + key + after for before, key, after in files(rng, 12 * steps)]
    pieces = sorted({p for t in known + fresh for p in re.findall(PIECES, t)})
    made = Tokenizer(models.WordLevel({p: i for i, p in enumerate([END, *pieces])}, unk_token=END))
    made.add_special_tokens([END])
    made.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "isolated")
    made.decoder = decoders.Fuse()
    torch.manual_seed(0)
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0)
    shape = {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 64}
    drop = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=made.get_vocab_size(), **shape, **drop, **special)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 5e-3 * min(1.0, (step + 1) / 20, (steps - step) / (steps / 2))
        texts = [*rng.choice(known, 12, replace=False), *fresh[12 * step : 12 * (step + 1)]]
        rows = [[0, *made.encode(text).ids, 0] for text in texts]
        length = max(map(len, rows))
        ids = torch.tensor([row + [0] * (length - len(row)) for row in rows])
        labels = torch.tensor([row + [-100] * (length - len(row)) for row in rows])
        optimizer.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, bos_token=END, eos_token=END).save_pretrained(folder)
