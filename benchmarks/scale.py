"""What everything but the model costs at 100,000 texts of 256 tokens: the engine with a null model, and the statistics.

Run: ``python benchmarks/scale.py [TEXTS]``. The null model hands out records that are there already, so that what is
measured is keys, checksums, the store and the arrays; tokenization is left out. One core.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from probatum.core.access import Access
from probatum.core.catalogue import load
from probatum.core.data import Members
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.core.target import RECORD
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.engine.stored import StoredTarget
from probatum.runner import Runner
from probatum.statistics import auroc
from probatum.statistics.multiplicity import max_t

TOKENS, ATTACKS, DRAWS, BATCH = 256, 20, 1000, 64


class Null(StoredTarget):
    """Answers every text with one of a few records, without any computation."""

    access = Access.LOGPROBS | Access.LOGITS
    name, digest, tokenizer_digest = "null", "null", "null"

    def __init__(self, session):
        super().__init__(session)
        rng = np.random.default_rng(0)
        self.pool = np.zeros((BATCH, TOKENS), RECORD)
        for name in ("logprob", "mean"):
            self.pool[name] = -rng.exponential(size=self.pool.shape)
        self.pool["std"] = 1

    def _compute_records(self, texts):
        for start in range(0, len(texts), BATCH):
            part = range(start, min(start + BATCH, len(texts)))
            self._book(TOKENS * len(part))
            yield part, list(self.pool[: len(part)])


def seconds(work):
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main():
    count = int((sys.argv[1:] or ["100000"])[0])
    texts = tuple(f"{i:07d} " + "lorem ipsum dolor " * 60 for i in range(count))
    members = Members(ids=tuple(map(str, range(count))), text=texts, label=tuple(i % 2 == 0 for i in range(count)))
    members = members.blind()
    print(f"{count:,} texts of {TOKENS} tokens\n\n| what | µs per text |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, store in (("in memory", None), ("with the store on disk", EvidenceStore(Path(folder)))):
            if store is None and count > 20_000:
                continue  # memory is where everything stays without a store
            target = Null(Session(store))
            runner = Runner(target, {"Members": members}, {}, target.session)
            for probe in ("loss", "min_k_plus_plus"):
                cpu = seconds(
                    lambda p=probe, r=runner, t=target: r.execute(
                        load(p), t, r.data, {}, {"k": 0.2} if p != "loss" else {}
                    )
                )
                print(f"| {probe}, {name} | {cpu / count * 1e6:.0f} |", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\npeak memory {peak:,.0f} MB; the records alone would be {count * TOKENS * RECORD.itemsize / 2**20:,.0f} MB"
    )
    rng = np.random.default_rng(0)
    label = rng.random(count) < 0.5
    table = [rng.normal(size=count) + 0.01 * i * label for i in range(ATTACKS)]
    ids = [str(i) for i in range(count)]
    intervals = seconds(lambda: [auroc(Scores(ids, s, "member"), Truth(label)) for s in table])
    joint = seconds(lambda: max_t(table, label, rng=rng, draws=DRAWS))
    tests = f"intervals, TPR, bands and tests {intervals:.1f} s; max-T over {DRAWS} draws {joint:.1f} s"
    print(f"\n{ATTACKS} attacks: {tests}")


if __name__ == "__main__":
    main()
