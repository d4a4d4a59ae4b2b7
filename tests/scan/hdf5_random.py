"""Honest HDF5 files, drawn at random and written by h5py: all versions of the format, all kinds of storage.

    python tests/scan/hdf5_random.py COUNT [SEED]

Each must read `proved inert`, and the configuration that the scanner judges must be the one that h5py reads.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import samples
from drive import scan_bytes

from probatum.scan import Budget
from probatum.scan.formats import keras_

VERSIONS = [("earliest", "latest"), ("latest", "latest"), ("v108", "v108"), ("v110", "v110"), ("v112", "v112"),
            ("v114", "v114"), ("earliest", "v110")]  # fmt: skip
KINDS = ["f4", "f8", "f2", ">f4", "i4", "u1", "c8", "?", "i1"]
TEXT = h5py.string_dtype()


def settings(rng: random.Random) -> dict[str, object]:
    lowest, highest = rng.choice(VERSIONS)
    out: dict[str, object] = {"libver": (lowest, highest), "track_order": rng.random() < 0.3}
    if rng.random() < 0.15:
        out["userblock_size"] = rng.choice([512, 1024, 4096])
    elif rng.random() < 0.2 and highest != "v108":
        out |= {"fs_strategy": rng.choice(["page", "fsm", "aggregate", "none"]), "fs_persist": rng.random() < 0.5}
    return out


def storage(rng: random.Random, shape: tuple[int, ...]) -> dict[str, object]:
    if not shape or 0 in shape or rng.random() < 0.4:
        return {}
    out: dict[str, object] = {"chunks": rng.choice([True, tuple(rng.randrange(1, n + 1) for n in shape)])}
    out |= {"compression": rng.choice(["gzip", "lzf"])} if rng.random() < 0.5 else {}
    out |= {"shuffle": True} if rng.random() < 0.4 else {}
    out |= {"fletcher32": True} if rng.random() < 0.3 else {}
    return out | ({"maxshape": tuple(rng.choice([None, n]) for n in shape)} if rng.random() < 0.4 else {})


def configuration(file: h5py.File, rng: random.Random, old: bool) -> None:
    layer = {"module": "keras.layers", "class_name": "Dense", "registered_name": None}
    many = rng.choice([0, 1, 5, 200, 200 if old else 2000])
    text = json.dumps(samples.keras_config(*[layer | {"config": {"units": n}} for n in range(many)]))
    ways = [text, text.encode(), np.array(text, dtype=TEXT)]
    ways += [np.bytes_(text.encode())] if len(text) < 60000 or not old else []
    for _ in range(rng.choice([1, 1, 2])):
        file.attrs["model_config"] = rng.choice(ways)
    file.attrs["keras_version"], file.attrs["backend"] = "3.4.1", b"jax"


def weights(file: h5py.File, rng: random.Random, draw: np.random.Generator) -> None:
    top = file.create_group("model_weights", track_order=rng.random() < 0.3)
    many = rng.choice([0, 1, 3, 12, 40])
    top.attrs["layer_names"] = np.array([b"layer_%d" % n for n in range(many)], dtype="S10") if many else []
    for n in range(rng.choice([0, 0, 3, 9, 30])):  # more than eight are kept in a heap
        top.attrs[f"x{n}"] = rng.choice([1, 2.5, "text", b"abc", np.arange(4), ["a", "bb"]])
    for n in range(many):
        group = top.create_group(f"layer_{n}/vars")
        for m in range(rng.choice([0, 1, 2, 9])):
            shape = tuple(rng.choice([1, 2, 3, 17, 64]) for _ in range(rng.randrange(4)))
            data = draw.standard_normal(shape).astype(rng.choice(KINDS))
            made = group.create_dataset(str(m), data=data, **storage(rng, shape))
            if rng.random() < 0.2:
                made.attrs["name"] = "kernel:0"
            if rng.random() < 0.1:
                made.make_scale("s")
            if rng.random() < 0.1 and shape:
                made.dims[0].label = "z"


def texts(file: h5py.File, rng: random.Random) -> None:
    count = rng.choice([0, 1, 10, 500])
    how = storage(rng, (count,)) if count else {}
    how.pop("fletcher32", None)  # not for texts of variable length
    file.create_dataset("texts", data=np.array([f"word {n} é." for n in range(count)], dtype=object), dtype=TEXT, **how)
    file.create_dataset("fixed", data=np.array([b"word %d (a)." % n for n in range(count)], dtype="S20"), **how)
    file.create_dataset("filled", (3,), dtype=TEXT, fillvalue="abc")
    if count:
        file.create_dataset("regions", (1,), dtype=h5py.regionref_dtype)[0] = file["fixed"].regionref[0:1]


def kinds(file: h5py.File, rng: random.Random) -> None:
    inner = [("x", "i8", (2, 2)), ("t", "S3")]
    file.create_dataset("rows", data=np.zeros(5, dtype=[("a", "f4"), ("s", "S5"), ("n", inner)]))
    file["committed"] = np.dtype([("q", "f4"), ("w", TEXT)])
    file.create_dataset("of committed", (4,), dtype=file["committed"])
    ragged = file.create_dataset("ragged", (6,), dtype=h5py.vlen_dtype("i4"))
    for n in range(6):
        ragged[n] = np.arange(n)
    file.create_dataset("named", data=np.array([0, 1, 1]), dtype=h5py.enum_dtype({"A": 0, "BB": 1}))
    file["opaque"], file["empty"] = np.void(b"opaque bytes"), h5py.Empty("S10")
    file["soft"], file["hard"] = h5py.SoftLink("/model_weights"), file["model_weights"]
    file.create_dataset("references", (2,), dtype=h5py.ref_dtype)[0] = file["model_weights"].ref
    if rng.random() < 0.5:
        file.create_dataset("scaled", data=np.arange(100), chunks=(10,), scaleoffset=0)


def growing(file: h5py.File, rng: random.Random) -> None:
    maxshape, chunks = (rng.choice([10, None]), None), (rng.randrange(1, 11), 7)
    data = file.create_dataset("wide", (10, 0), maxshape=maxshape, chunks=chunks, dtype="f4")
    for _ in range(rng.choice([1, 5, 40])):
        data.resize(data.shape[1] + 50, axis=1)
        data[:, -50:] = 1
    data = file.create_dataset(
        "long", (0,), maxshape=(None,), chunks=(rng.choice([1, 4]),), dtype=rng.choice(["S8", "i4"])
    )
    data.resize((rng.choice([3, 100, 3000]),))
    data[:] = np.zeros(len(data), data.dtype)
    for n in range(rng.choice([5, 100, 600])):
        file.create_group(f"many/{n}")
    file["gone"] = np.arange(1000.0)
    file.flush()
    del file["gone"]


def virtual(file: h5py.File, rng: random.Random) -> None:
    file["source"] = np.zeros(3, "f4")
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource(".", "source", (3,))
    file.create_virtual_dataset("virtual", layout)


def honest(seed: int, folder: str) -> Path:
    """One file."""
    rng, draw = random.Random(seed), np.random.default_rng(seed)
    path, how = Path(folder) / f"{seed}.h5", settings(rng)
    old = how["libver"][0] in ("earliest", "v108")
    with h5py.File(path, "w", **how) as file:
        configuration(file, rng, how["libver"][0] == "earliest")
        weights(file, rng, draw)
        for part in (texts, kinds, growing, *([] if old else [virtual])):
            if rng.random() < 0.35:
                part(file, rng)
    return path


def judged(path: Path, budget: Budget) -> tuple[list[object], list[tuple[str, str]]]:
    """(configurations that the scanner judged, findings)."""
    seen: list[object] = []
    real = keras_.judge

    def judge(value: object, *more: object) -> None:
        seen.append(value)
        real(value, *more)

    keras_.judge = judge
    try:
        result = scan_bytes(path.read_bytes(), path.name, budget)
    finally:
        keras_.judge = real
    return seen, [(f.rule, f.message) for f in result.findings if f.verdict != "proved inert"]


def check(count: int, seed: int) -> list[object]:
    """What is wrong, file by file."""
    wrong: list[object] = []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(seed, seed + count):
            path, budget = honest(n, folder), Budget()
            with h5py.File(path) as file:
                text = file.attrs["model_config"]
            seen, findings = judged(path, budget)
            if json.loads(text) not in seen or findings:
                wrong.append((n, json.loads(text) in seen, findings))
            if budget.steps_used > 4096 + 16 * (path.stat().st_size + budget.inflated_used):
                wrong.append((n, "steps", budget.steps_used))
            path.unlink()
    return wrong


if __name__ == "__main__":
    print(check(int(sys.argv[1]), int((*sys.argv, "0")[2])))
