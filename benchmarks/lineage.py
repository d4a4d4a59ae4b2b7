"""How long `compare` takes over two directories of weights, and how much memory: random bf16 shards of growing size.

    python benchmarks/lineage.py             # 0.25, 0.5 and 1 GB a model
    python benchmarks/lineage.py --layers 32 # one size: 32 layers of a 7 B model (14 GB a model on the disk)
    python benchmarks/lineage.py --scheme nf4 --scheme gptq   # the child is the base, in four bits

Every size is a base and a tuned child of the shapes of a 7 B model (4096 wide, 11008 hidden units), fewer layers. The
relation is found in a process of its own; time is that process's from start to end, memory its peak resident set
(VmHWM: pages of the mapped files count). `cold` drops the files from the page cache first, where the system lets it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

WIDTH, HIDDEN, VOCABULARY = 4096, 11008, 16000

CHILD = """
import json, sys, time
start = time.perf_counter()
from probatum.lineage.relation import relate
found = relate(sys.argv[1], sys.argv[2])
peak = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM"))
read = next(int(l.split()[1]) for l in open("/proc/self/io") if l.startswith("read_bytes"))
print(json.dumps({"kind": found.kind, "seconds": time.perf_counter() - start, "peak": peak / 1024, "read": read / 1e9,
                  "numbers": found.numbers["numbers compared"]}))
"""


def write(folder: Path, layers: int, seed: int, base: Path | None = None) -> int:
    """Shards of two layers each; a child adds noise to its base. Gives the number of parameters."""
    folder.mkdir()
    rng, total, index = np.random.default_rng(seed), 0, {}
    shapes: list[dict[str, tuple[int, ...]]] = [{"model.embed_tokens.weight": (VOCABULARY, WIDTH)}]
    for i in range(layers):
        p = f"model.layers.{i}."
        shapes.append(
            {p + f"self_attn.{x}_proj.weight": (WIDTH, WIDTH) for x in "qkvo"}
            | {p + f"mlp.{x}_proj.weight": (HIDDEN, WIDTH) for x in ("gate", "up")}
            | {p + "mlp.down_proj.weight": (WIDTH, HIDDEN), p + "input_layernorm.weight": (WIDTH,)}
        )
    for k, tensors in enumerate(shapes):
        name, offset, header = f"model-{k:05d}.safetensors", 0, {}
        for tensor, shape in tensors.items():
            size = 2 * int(np.prod(shape))
            header[tensor] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
            index[tensor], offset, total = name, offset + size, total + size // 2
        head = json.dumps(header).encode()
        with (folder / name).open("wb") as out:
            out.write(len(head).to_bytes(8, "little") + head)
            parent = (base / name).open("rb") if base else None
            if parent:
                parent.seek(8 + int.from_bytes(parent.read(8), "little"))
            for _, shape in tensors.items():
                left = int(np.prod(shape))
                while left:
                    n = min(left, 1 << 22)
                    numbers = rng.standard_normal(n, np.float32) * np.float32(0.02)
                    if parent:
                        before = np.frombuffer(parent.read(2 * n), np.uint16).astype(np.uint32) << 16
                        numbers = before.view(np.float32) + np.float32(0.02) * numbers
                    out.write(((numbers.view(np.uint32) + 0x8000) >> 16).astype(np.uint16).tobytes())
                    left -= n
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return total


NF4 = np.array([-1, -0.69619, -0.52507, -0.39492, -0.28444, -0.18477, -0.09105, 0, 0.07958, 0.16093, 0.24611, 0.33792,
                0.44071, 0.56262, 0.72296, 1], np.float32)  # fmt: skip
PLACES = np.argmin(np.abs(np.linspace(-1, 1, 4096, dtype=np.float32)[:, None] - NF4), axis=1).astype(np.uint8)


def packed(folder: Path, base: Path, scheme: str) -> None:
    """A child that is its base in four bits: nf4 in blocks of 64 numbers, or GPTQ's layout in groups of 128 inputs."""
    folder.mkdir()
    for file in sorted(base.glob("*.safetensors")):
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
            start, out = stream.tell(), {}
            for name, entry in header.items():
                stream.seek(start + entry["data_offsets"][0])
                raw = np.frombuffer(stream.read(2 * int(np.prod(entry["shape"]))), np.uint16).reshape(entry["shape"])
                if raw.ndim == 2 and "embed" not in name:
                    out |= (nf4 if scheme == "nf4" else gptq)(name, (raw.astype(np.uint32) << 16).view(np.float32))
                else:
                    out[name] = (raw.astype(np.uint32) << 16).view(np.float32)
        save_file(out, folder / file.name)


def nf4(name: str, w: np.ndarray) -> dict[str, np.ndarray]:
    blocks = w.reshape(-1, 64)
    absmax = np.abs(blocks).max(axis=1)
    codes = PLACES[((blocks / absmax[:, None] + 1) * 2047.5).astype(np.uint16)].reshape(-1, 2)
    state = json.dumps({"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": w.shape})
    return {
        name: codes[:, :1] << 4 | codes[:, 1:], name + ".absmax": absmax, name + ".quant_map": NF4,
        name + ".quant_state.bitsandbytes__nf4": np.frombuffer(state.encode(), np.uint8),
    }  # fmt: skip


def gptq(name: str, w: np.ndarray) -> dict[str, np.ndarray]:
    groups = np.ascontiguousarray(w.T).reshape(-1, 128, len(w))
    scale = (np.abs(groups).max(axis=1) / 7.5).astype(np.float16)
    codes = np.clip(np.round(groups / scale[:, None].astype(np.float32)) + 8, 0, 15).astype(np.uint32)
    codes = codes.reshape(-1, 8, len(w))
    words = sum(codes[:, k] << np.uint32(4 * k) for k in range(8)).view(np.int32)
    stem = name.removesuffix("weight")
    zeros = np.full((len(scale), len(w) // 8), 0x77777777, np.int32)  # 8, less one
    return {stem + "qweight": words, stem + "qzeros": zeros, stem + "scales": scale,
            stem + "g_idx": (np.arange(w.shape[1]) // 128).astype(np.int32)}  # fmt: skip


def forget(folder: Path) -> None:
    """Ask the system to drop a folder's files from its cache."""
    for file in folder.iterdir():
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, action="append", help="layers of a model; may stand several times")
    parser.add_argument("--scheme", action="append", choices=["tuned", "nf4", "gptq"], help="what the child is")
    parser.add_argument("--into", type=Path, help="where the files go (default: a temporary folder)")
    chosen = parser.parse_args()
    print(
        f"{'layers':>6} {'child':>6} {'GB base':>8} {'cache':>6} {'seconds':>8} {'peak MB':>8} {'GB read':>8}  relation"
    )
    for layers, scheme in ((n, s) for n in chosen.layers or [1, 2, 4] for s in chosen.scheme or ["tuned", "nf4"]):
        with tempfile.TemporaryDirectory(dir=chosen.into) as place:
            base, child = Path(place) / "base", Path(place) / "child"
            total = write(base, layers, 1)
            if scheme == "tuned":
                write(child, layers, 2, base)
            else:
                packed(child, base, scheme)
            for cache in ("cold", "warm"):
                if cache == "cold":
                    forget(base)
                    forget(child)
                began = time.perf_counter()
                ran = subprocess.run([sys.executable, "-c", CHILD, child, base], capture_output=True, text=True)
                seconds = time.perf_counter() - began
                if ran.returncode:
                    raise SystemExit(ran.stderr)
                found = json.loads(ran.stdout)
                print(
                    f"{layers:6d} {scheme:>6} {2 * total / 1e9:8.2f} {cache:>6} {seconds:8.2f} {found['peak']:8.0f} "
                    f"{found['read']:8.2f}  {found['kind']}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
