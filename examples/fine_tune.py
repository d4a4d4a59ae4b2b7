"""An ordinary fine-tuning, in few lines: every line of a JSONL file is read once an epoch, in shuffled batches.

``python examples/fine_tune.py BASE DATA.jsonl OUT [EPOCHS [RATE]]``. It stands for a training of one's own; Probatum
needs nothing of it but the directory that it leaves.
"""

import json
import sys
from pathlib import Path


def texts_of(file: Path) -> list[str]:
    """The column ``text`` of a JSONL file."""
    return [json.loads(line)["text"] for line in file.open(encoding="utf-8")]


def fine_tune(base: Path, texts: list[str], out: Path, *, epochs: int = 3, rate: float = 2e-3, size: int = 16) -> None:
    """Train all weights of ``base`` on ``texts`` with AdamW, and save model and tokenizer in ``out``."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).train()
    end = tokenizer.eos_token_id
    rows = [torch.tensor([end, *tokenizer.encode(text, add_special_tokens=False), end]) for text in texts]
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    for _ in range(epochs):
        for batch in torch.randperm(len(rows)).split(size):
            ids = torch.nn.utils.rnn.pad_sequence([rows[i] for i in batch], batch_first=True, padding_value=end)
            real = torch.arange(ids.shape[1]) < torch.tensor([[len(rows[i])] for i in batch])
            loss = model(input_ids=ids, labels=ids.masked_fill(~real, -100)).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    model.eval().save_pretrained(out)
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    base, data, out, *more = sys.argv[1:]
    epochs, rate = int((more or ["3"])[0]), float((more[1:] or ["2e-3"])[0])
    fine_tune(Path(base), texts_of(Path(data)), Path(out), epochs=epochs, rate=rate)
