"""The scanner beside picklescan, modelscan, fickling and modelaudit: CPU seconds, peak memory, alarms.

Run: ``python benchmarks/scan_peers.py PEERS [FOLDER]``: PEERS is a virtual environment with any of the four (they pin
what we do not want to depend on), FOLDER keeps the inputs. A tool that is not there has a dash. CPU is user and system
time of the whole process with its start, the least of several runs; memory is the peak resident size. Prints the table
of docs/performance.md. What each tool misses is counted and never named: some of these streams defeat current releases.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
#: Telemetry off; the scanner from source, and nothing else of ours on the path of the peers.
QUIET = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "1",
    "CI": "1",
    "OMP_NUM_THREADS": "1",
}
SMALL, SOME = 200, 20

FICKLING = """
import json, sys
from pathlib import Path
from fickling.analysis import Severity, check_safety
from fickling.fickle import StackedPickle
out = {}
for path in map(Path, sys.argv[1:]):
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        try:
            if file.suffix == ".pt" and file.open("rb").read(2) == b"PK":
                from fickling.pytorch import PyTorchModelWrapper
                pickles = [PyTorchModelWrapper(file).pickled]
            else:
                with file.open("rb") as data:
                    pickles = list(StackedPickle.load(data))
            out[file.name] = any(check_safety(p).severity >= Severity.LIKELY_UNSAFE for p in pickles)
        except Exception:
            out[file.name] = None
print(json.dumps(out))
"""


def make(folder: Path) -> None:
    """The inputs; in a process of its own, since a child's peak counts what its parent had."""
    import pickle
    import random

    import numpy as np
    import torch

    sys.path.insert(0, str(HERE / "tests" / "scan"))
    import attacks
    from test_directories import planted

    rng = random.Random(0)
    for name, count in (("small", SMALL), ("some", SOME)):
        (folder / name).mkdir()
        for n in range(count):
            value = [
                {"a": np.arange(rng.randrange(5, 600), dtype=rng.choice(["f4", "f8", "i8"])), "n": n, "t": "text" * 5},
                {"list": list(range(rng.randrange(300))), "d": {str(k): k * 0.5 for k in range(60)}},
                [np.float64(1), np.array(["ab", "c"]), np.zeros((3, 4), order="F")],
            ][n % 3]
            (folder / name / f"{n:03}.pkl").write_bytes(pickle.dumps(value, n % 6))
    state = {f"layer.{n}.weight": torch.zeros(597, 585) for n in range(144)}
    torch.save(state, folder / "zip.pt")
    torch.save(state, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    rows = [(n % 250, n, float(n)) for n in range(450_000)]
    (folder / "opcodes.pkl").write_bytes(pickle.dumps(rows, 4))
    (folder / "planted").mkdir()
    inert = "proved inert"
    for n, (_, data, verdict) in enumerate(attacks.streams()):
        if verdict != inert:
            (folder / "planted" / f"{n:03}.pkl").write_bytes(data)
    (folder / "formats").mkdir()
    for name, (data, _, _) in planted().items():
        (folder / "formats" / name).write_bytes(data)


def spent(command: list[str], environment: dict[str, str], times: int = 1) -> tuple[float, float, int, str]:
    """(least CPU seconds, MB at the peak, exit code, what it printed) of a command."""
    least, peak, code, said = float("inf"), 0.0, 0, ""
    for _ in range(times):
        with tempfile.TemporaryFile("w+") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=environment)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = code = os.waitstatus_to_exitcode(status)
            out.seek(0)
            said = out.read()
        least, peak = min(least, used.ru_utime + used.ru_stime), max(peak, used.ru_maxrss / 1024)
    return least, peak, code, said


class Tool:
    """One scanner: how it is called on a path, and how many files it raises an alarm on."""

    times = 5

    def __init__(self, peers: Path) -> None:
        self.bin = peers / "bin"
        self.environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | QUIET

    def there(self) -> bool:
        return (self.bin / type(self).__name__.lower()).exists()

    def run(self, *paths: Path, times: int = 0) -> tuple[float, float, int, str]:
        return spent(self.command(*paths), self.environment, times or self.times)

    def command(self, *paths: Path) -> list[str]:
        raise NotImplementedError

    def alarms(self, folder: Path) -> str:
        """How many files of a folder, each by itself."""
        return str(sum(self.run(file, times=1)[2] == 1 for file in sorted(folder.iterdir())))


class Probatum(Tool):
    def there(self) -> bool:
        self.environment |= {"PYTHONPATH": str(HERE / "src")}
        return True

    def command(self, *paths: Path) -> list[str]:
        return [sys.executable, "-m", "probatum.scan", *map(str, paths)]


class Picklescan(Tool):
    def command(self, *paths: Path) -> list[str]:
        return [str(self.bin / "picklescan"), "-p", *map(str, paths)]


class Modelscan(Tool):
    def command(self, *paths: Path) -> list[str]:
        return [str(self.bin / "modelscan"), "-p", *map(str, paths)]


class Fickling(Tool):
    times = 3

    def command(self, *paths: Path) -> list[str]:
        return [str(self.bin / "python"), "-c", FICKLING, *map(str, paths)]

    def alarms(self, folder: Path) -> str:
        """Errors are neither found nor clean."""
        found = json.loads(self.run(folder, times=1)[3].splitlines()[-1]).values()
        return f"{sum(v is True for v in found)} ({sum(v is None for v in found)} errors)"


class Modelaudit(Tool):
    times = 1

    def command(self, *paths: Path) -> list[str]:
        return [str(self.bin / "modelaudit"), "scan", "--no-cache", "--quiet", "--format", "json", *map(str, paths)]

    def alarms(self, folder: Path) -> str:
        """Files with a warning or worse, in one run over the folder."""
        said = self.run(folder, times=1)[3]
        issues = json.loads(said[said.index("{") :])["issues"]
        names = [Path(i["location"].split(" (")[0].split(":")[0]).name for i in issues
                 if i.get("severity") in ("warning", "critical") and i.get("location")]  # fmt: skip
        return str(len(set(names) & {f.name for f in folder.iterdir()}))


def main(peers: Path, folder: Path) -> None:
    if not (folder / "zip.pt").exists():
        subprocess.run([sys.executable, __file__, "make", str(folder)], check=True, env={**os.environ, "PYTHONPATH": (
            f"{HERE / 'src'}")})  # fmt: skip
    print("load", *(f"{x:.1f}" for x in os.getloadavg()))
    tools = [kind(peers) for kind in (Probatum, Picklescan, Modelscan, Fickling, Modelaudit)]
    planted, formats = len(list((folder / "planted").iterdir())), len(list((folder / "formats").iterdir()))
    print(f"| input | {' | '.join(type(t).__name__.lower() for t in tools)} |\n|---|{'---|' * len(tools)}")
    rows = (
        ("201 MB torch zip", folder / "zip.pt"), ("201 MB torch legacy", folder / "legacy.pt"),
        (f"{SMALL} small pickles", folder / "small"), ("2.25 M opcodes", folder / "opcodes.pkl"),
    )  # fmt: skip
    for title, path in rows:
        cells = []
        for tool in tools:
            slow = isinstance(tool, Modelaudit) and path.is_dir()
            if not tool.there():
                cells.append("-")
                continue
            seconds, peak, code, _ = tool.run(folder / "some" if slow else path)
            note = f" for {SOME} of them" if slow else ""
            cells.append(f"{seconds:.3f} s, {peak:.0f} MB{note}" + (f", exit {code}" if code else ""))
        print(f"| {title} | {' | '.join(cells)} |", flush=True)
    for title, path in (
        (f"alarms on the {SMALL} honest ones", folder / "small"), (f"found of {planted} streams", folder / "planted"),
        (f"found of {formats} files with planted faults", folder / "formats"),
    ):  # fmt: skip
        cells = []
        for tool in tools:
            slow = isinstance(tool, Modelaudit) and path.name == "small"
            if not tool.there():
                cells.append("-")
            else:
                cells.append(tool.alarms(folder / "some") + f" of {SOME}" if slow else tool.alarms(path))
        print(f"| {title} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        kept = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp())
        kept.mkdir(exist_ok=True)
        main(Path(sys.argv[1]), kept)
