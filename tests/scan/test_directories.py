"""Directories as attackers and accidents leave them: what is planted is found, nothing blocks, nothing is followed."""

import io
import json
import os
import pickle
import subprocess
import sys
import threading
import time
import unicodedata
import zipfile
from pathlib import Path

import attacks
import benign
import numpy as np
import pytest
import samples
import torch
from test_benign import saved

import probatum
from probatum.scan import scan
from probatum.scan.show import lines, sentence

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="special files of Linux")


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def with_call(data: bytes) -> bytes:
    """A checkpoint whose pickle calls print before it does its own work."""
    call = attacks.CALL.removesuffix(b".") + b"0"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, body[:2] + call + body[2:] if name.endswith("data.pkl") else body)
    return out.getvalue()


def planted() -> dict[str, tuple[bytes, str, str]]:
    """File to (bytes, rule that must be found, least verdict); ten formats and more."""
    unknown, danger, partly = "executes unknown code", "dangerous", "not covered"
    objects = io.BytesIO()
    np.save(objects, np.array([1, None], dtype=object))
    start = objects.getvalue().index(b"\x80")
    lambda_layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "registered_name": None,
        "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
    }
    book = {"cells": [{"cell_type": "code", "source": ["!id\n"], "outputs": []}], "metadata": {}, "nbformat": 4}
    return {
        "scaler.pkl": (b"\x80\x02" + attacks.EVAL, "PKL003", danger),
        "pytorch_model.bin": (with_call(saved({"w": torch.zeros(3)}, True)), "PKL002", unknown),
        "old.pt": (attacks.CALL[:-1] + b"0" + saved({"w": torch.zeros(3)}, False), "PKL002", unknown),
        "labels.npy": (objects.getvalue()[:start] + attacks.EVAL, "PKL003", danger),
        "m.joblib": (benign.samples.gzip.compress(attacks.EVAL), "PKL003", danger),
        "model.safetensors": (samples.struct.pack("<Q", 2) + b"{}" + packed({"x": b"1"}), "SFT003", danger),
        "m.keras": (samples.keras(lambda_layer), "KER001", unknown),
        "saved_model.pb": (samples.saved_model("ReadFile"), "TFS001", danger),
        "m.onnx": (samples.onnx(samples.onnx_node("Evil", "com.x")), "ONX002", unknown),
        "m.gguf": (samples.gguf([samples.template("{{ ''.__class__ }}")]), "TPL001", danger),
        "tokenizer_config.json": (json.dumps({"chat_template": "{{ x.__class__ }}"}).encode(), "TPL001", danger),
        "config.json": (json.dumps({"auto_map": {"AutoModel": "x.Model"}}).encode(), "CFG001", unknown),
        "handler.py": (b"import os\nos.system('id')\n", "PYC003", danger),
        "params.yaml": (b"a: !!python/object/apply:os.system ['id']\n", "YML001", danger),
        "m.nemo": (samples.minimal({"w.ckpt": attacks.EVAL}), "PKL003", danger),
        "bundle.zip": (packed({"../../x": b"1", "in.zip": packed({"deep.pkl": attacks.EVAL})}), "ZIP003", danger),
        "m.pmml": (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///x">]><PMML/>', "XML001", danger),
        "libop.so": (samples.elf(), "EXE001", unknown),
        "demo.ipynb": (json.dumps(book).encode(), "NBK003", unknown),
        "site.pth": (b"import os; os.getcwd()\n", "REQ005", danger),
        "a.tflite": (bytes(4) + b"TFL3" + bytes(40), "FMT001", partly),
    }  # fmt: skip


def test_every_planted_fault_is_found(tmp_path):
    faults = planted()
    for name, (data, _, _) in faults.items():
        (tmp_path / name).write_bytes(data)
    found = {Path(f.path).name: f for f in scan([tmp_path]).files}
    order = ["proved inert", "not covered", "executes unknown code", "dangerous"]
    for name, (_, rule, verdict) in faults.items():
        assert rule in {f.rule for f in found[name].findings}, (name, [f.message for f in found[name].findings])
        assert order.index(found[name].verdict) >= order.index(verdict), name
    assert "PKL003" in {f.rule for f in found["bundle.zip"].findings if f.member == "in.zip/deep.pkl"}


def test_a_clean_directory_is_inert(tmp_path):
    kinds = [k for k in benign.KINDS if k not in ("pickles_in_a_row", "recognized", "objects")]
    seen = 0
    for n, kind in enumerate(kinds):
        name, data, verdict = getattr(benign.Made(benign.random.Random(n)), kind)()
        if verdict == benign.INERT:
            folder = tmp_path / f"{n}"
            folder.mkdir()
            (folder / name).write_bytes(data)
            seen += 1
    result = scan([tmp_path])
    assert [(f.path, f.findings) for f in result.files if f.verdict != "proved inert"] == []
    assert len(result.files) == seen > 20


def test_truncated_files_are_never_clean(tmp_path):
    """Any cut of a binary file, except where what is left is a whole file again."""
    whole = {k: v for k, v in samples.benign().items() if k not in ("tar", "msgpack")}
    whole["torch"] = saved({"w": torch.zeros(30)}, True)
    whole["legacy"] = saved({"w": torch.zeros(30)}, False)
    for name, data in whole.items():
        for part in (0.3, 0.6, 0.9, 0.99):
            (tmp_path / f"{name} {part}").write_bytes(data[: int(len(data) * part)])
    clean = [Path(f.path).name for f in scan([tmp_path]).files if f.verdict == "proved inert"]
    assert clean == []


def test_an_encrypted_zip_is_not_covered(tmp_path):
    data = bytearray(packed({"data.pkl": pickle.dumps([1]), "b.txt": b"hello"}))
    at = 0
    while (at := data.find(b"PK\x03\x04", at)) >= 0:
        data[at + 6] |= 1
        at += 4
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    (tmp_path / "secret.zip").write_bytes(data)
    (file,) = scan([tmp_path]).files
    assert (file.verdict, file.covered, "ZIP002" in {f.rule for f in file.findings}) == ("not covered", False, True)


SCAN = "import sys\nfrom probatum.scan import scan\nr = scan([sys.argv[1]])\n"
PEAK = "print(next(x.split()[1] for x in open('/proc/self/status') if x.startswith('VmHWM')))\n"


def apart(code: str, path: Path, timeout: float = 60) -> list[str]:
    """Scan in a process of its own; gives what it prints."""
    source = str(Path(probatum.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, "-c", SCAN + code, str(path)], env={"PYTHONPATH": source, "PYTHONIOENCODING": "utf-8"},
        capture_output=True, timeout=timeout, check=True,
    )  # fmt: skip
    return ran.stdout.decode().splitlines()


@linux
@pytest.mark.parametrize(
    "start", [b"", b"\x80\x04N.", b"PK\x03\x04", b"GGUF\x03\0\0\0", b"\x89HDF\r\n\x1a\n", b"hello\n"]
)
def test_a_sparse_file_of_10_gb_takes_little(tmp_path, start):
    path = tmp_path / "model.bin"
    with path.open("wb") as file:
        file.write(start)
        try:
            file.truncate(10 << 30)
        except OSError:
            pytest.skip("this file system has no sparse files")
    begin = time.monotonic()
    code = "print(r.verdict)\nimport resource\nprint(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))\n" + PEAK
    verdict, seconds, peak = apart(code, path)
    assert verdict == "not covered"
    assert float(seconds) < (5 if start[1:4] == b"HDF" else 2)  # HDF5 is searched up to 1 GB
    assert int(peak) < 120_000
    assert time.monotonic() - begin < 50


@linux
def test_links_pipes_and_what_cannot_be_read(tmp_path):
    root, outside = tmp_path / "model", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "evil.pkl").write_bytes(attacks.EVAL)
    (root / "inside.json").write_text("{}")
    (root / "loop").symlink_to("loop")
    (root / "up").symlink_to("..")
    (root / "round").symlink_to(".")
    (root / "out.pkl").symlink_to(outside / "evil.pkl")
    (root / "absolute").symlink_to("/etc")
    (root / "same.json").symlink_to("inside.json")
    (root / "gone").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    private = root / "private.pkl"
    private.write_bytes(attacks.EVAL)
    private.chmod(0)
    found = {Path(f.path).name: f for f in scan([root]).files}
    said = {name: {f.rule for f in file.findings} for name, file in found.items()}
    assert {n for n, r in said.items() if "DIR001" in r} == {"loop", "up", "out.pkl", "absolute", "gone"}
    assert said["pipe"] == {"DIR002"}
    assert (said["same.json"], said["inside.json"], said["round"]) == (set(), set(), set())
    assert said["private.pkl"] == ({"PKL003"} if os.access(private, os.R_OK) else {"DIR003"}) or os.geteuid() == 0
    assert len(found) == 10


@linux
def test_a_pipe_that_is_named_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert apart("print(r.verdict)", tmp_path / "pipe", timeout=20) == ["not covered"]


HOSTILE = [
    b"new\nline.json", b"ansi\x1b[2J\x1b]0;title\x07.json", b"bidi\xe2\x80\xaegnp.exe.json", b"invalid\xff\xfe.json",
    b"<script>alert(1)<!script>.json", b"x" * 250 + b".json", b"zero\xe2\x80\x8bwidth.json", b"$(id).json",
    b"-rf", b" ", b"c1\xc2\x9b31m.json", b"tab\tcr\r.json", b"soft\xc2\xadhyphen.json", b"sur\xed\xa0\x80rogate.json",
]  # fmt: skip


@linux
def test_hostile_names_reach_no_terminal_raw(tmp_path):
    """Neither names of files nor of members nor of globals bring control characters into the output."""
    for name in HOSTILE:
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as file:
            file.write(b"{}" if name.endswith(b".json") else attacks.EVAL)
    evil = "\x1b[31m\u202e\n<script>"
    (tmp_path / "a.zip").write_bytes(packed({evil + ".pkl": attacks.EVAL}))
    (tmp_path / "b.pkl").write_bytes(b"\x80\x04" + attacks.text(evil) + attacks.text(evil + "x") + b"\x93.")
    (tmp_path / "c.pkl").write_bytes(
        b"\x80\x02X" + (9).to_bytes(4, "little") + b"\x1b[31m\x9b\r\n\x07"[:9].ljust(9) + b"Q."
    )
    (tmp_path / "d.json").write_text(json.dumps({"auto_map": {"A": evil}, "chat_template": "{{ " + evil}))
    (tmp_path / "e.py").write_text(f"import os\nos.system({evil!r})\neval('{evil[:5]}')\n")
    (tmp_path / "f.onnx").write_bytes(samples.onnx(samples.onnx_node(evil, evil)))
    result = scan([tmp_path])
    assert len(result.files) == len(HOSTILE) + 6
    shown = "\n".join([*lines(result), sentence(result)]).split("\n")
    for line in [*shown, *json.dumps(result.to_json(), ensure_ascii=False).split("\n")]:
        wrong = [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
        assert wrong == [], ascii(line)
    count = sum(line.startswith(("proved", "not cov", "exec", "danger")) for line in shown)
    assert count == len(result.files)  # a newline in a name adds no line that looks like a verdict


@linux
def test_the_command_prints_no_control_characters(tmp_path):
    for name in HOSTILE:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(attacks.EVAL)
    for options in ([], ["--json"]):
        ran = subprocess.run(
            [sys.executable, "-m", "probatum.scan", *options, str(tmp_path)], capture_output=True, check=False,
            env={**os.environ, "PYTHONPATH": str(Path(probatum.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        assert ran.returncode == 1
        text = ran.stdout.decode() + ran.stderr.decode()
        assert [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")] == []


def test_deep_folders_and_deep_archives(tmp_path):
    deep = tmp_path
    for _ in range(150):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "x.pkl").write_bytes(attacks.EVAL)
    data = attacks.EVAL
    for n in range(40):
        data = packed({f"{n}.zip": data})
    (tmp_path / "nested.zip").write_bytes(data)
    found = {Path(f.path).name: f for f in scan([tmp_path]).files}
    assert found["x.pkl"].verdict == "dangerous"
    assert (found["nested.zip"].verdict, found["nested.zip"].covered) == ("not covered", False)
    assert {f.rule for f in found["nested.zip"].findings} == {"BUD001"}


@linux
def test_a_file_that_changes_while_it_is_read(tmp_path):
    """It is cut and grown all the time, and the scan ends. (Above 16 MB it is mapped, and a cut ends the process.)"""
    path, stop = tmp_path / "m.bin", threading.Event()
    small, large = pickle.dumps(list(range(500)), 4), pickle.dumps(list(range(400_000)), 4) + bytes(8 << 20)

    def change() -> None:
        while not stop.is_set():
            path.write_bytes(large)
            os.truncate(path, len(small) // 2)

    path.write_bytes(large)
    worker = threading.Thread(target=change)
    worker.start()
    try:
        for _ in range(8):
            out = apart("print(r.verdict, sorted({x.rule for f in r.files for x in f.findings}))", tmp_path)
            assert "FIL004" not in out[0]
    finally:
        stop.set()
        worker.join()
