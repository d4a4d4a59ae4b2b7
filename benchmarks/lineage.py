"""How long `compare` takes over two directories of weights, and how much memory: random bf16 shards of growing size.

    python benchmarks/lineage.py             # 0.25, 0.5 and 1 GB a model
    python benchmarks/lineage.py --layers 32 # one size: 32 layers of a 7 B model (14 GB a model on the disk)

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


def forget(folder: Path) -> None:
    """Ask the system to drop a folder's files from its cache."""
    for file in folder.iterdir():
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, action="append", help="layers of a model; may stand several times")
    parser.add_argument("--into", type=Path, help="where the files go (default: a temporary folder)")
    chosen = parser.parse_args()
    print(f"{'layers':>6} {'GB each':>8} {'cache':>6} {'seconds':>8} {'peak MB':>8} {'GB read':>8}  relation")
    for layers in chosen.layers or [1, 2, 4]:
        with tempfile.TemporaryDirectory(dir=chosen.into) as place:
            base, child = Path(place) / "base", Path(place) / "child"
            total = write(base, layers, 1)
            write(child, layers, 2, base)
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
                    f"{layers:6d} {2 * total / 1e9:8.2f} {cache:>6} {seconds:8.2f} {found['peak']:8.0f} "
                    f"{found['read']:8.2f}  {found['kind']}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
