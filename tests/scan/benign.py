"""Honest files of every format, as many as wanted: what the libraries write where they are here, else byte by byte.

``files(count, seed)`` gives (kind, name, bytes, verdict); the verdict is the one that an honest file of this kind has:
`proved inert`, or `executes unknown code` for estimators, programs and scripts, or `not covered` for what is only
recognized. Nothing may read `dangerous`.
"""

from __future__ import annotations

import bz2
import collections
import datetime
import gzip
import io
import json
import lzma
import pickle
import random
import struct
import tarfile
import types
import zipfile
import zlib

import joblib
import numpy as np
import pictures
import samples
import torch
from safetensors.torch import save as save_safetensors

INERT, PARTLY, UNKNOWN = "proved inert", "not covered", "executes unknown code"
TEXT = """the model reads a table of words and gives one number for each row (see below) Ice Set No. caf\xe9 \u20ac x2
    IN License apache Phase two . , # * ] } weights biases attention layer norm 0.5 1e-5 F1 I think so s a b c d"""
WORDS = TEXT.split()
DTYPES = ("?", "i1", "i2", "<i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "S5", "U3", "M8[ns]",
          "m8[s]", ">f4", ">i8")  # fmt: skip
TORCH = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.int64, torch.uint8, torch.bool)


class Made:
    """Draws from one generator."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.numbers = np.random.default_rng(rng.getrandbits(32))

    def words(self, most: int = 40) -> str:
        return " ".join(self.rng.choices(WORDS, k=self.rng.randrange(1, most)))

    def array(self, dtype: str = "") -> np.ndarray:
        shape = tuple(self.rng.randrange(5) for _ in range(self.rng.randrange(4)))
        if self.rng.random() < 0.3:
            shape = (self.rng.randrange(1, 400),)
        raw = self.numbers.random(shape) * 200
        made = np.asarray(raw.astype(dtype or self.rng.choice(DTYPES)))
        return np.asfortranarray(made) if self.rng.random() < 0.3 else made

    def value(self, depth: int = 3) -> object:
        """A plain value as pickles hold them."""
        rng = self.rng
        leaf = [
            lambda: None, lambda: rng.random() < 0.5, lambda: rng.getrandbits(rng.randrange(1, 90)) - 5, rng.random,
            lambda: self.words(), lambda: rng.randbytes(rng.randrange(40)), lambda: bytearray(rng.randbytes(9)),
            lambda: complex(rng.random(), 1), lambda: datetime.datetime(2020, 1, rng.randrange(1, 28), 3, 4),
            lambda: datetime.timedelta(rng.randrange(9)), lambda: np.float32(rng.random()), self.array,
            lambda: self.words()[:1] * rng.choice([30, 300, 70_000]), lambda: rng.randbytes(rng.choice([300, 70_000])),
            lambda: range(rng.randrange(9)), lambda: types.SimpleNamespace(a=1), lambda: np.dtype(rng.choice(DTYPES)),
        ]  # fmt: skip
        if depth == 0 or rng.random() < 0.3:
            return rng.choice(leaf)()
        many = [self.value(depth - 1) for _ in range(rng.randrange(6))]
        keys = [rng.choice([self.words(4), rng.randrange(99), (1, "x")]) for _ in many]
        pairs = list(zip(keys, many, strict=True))
        shared = [many, many]
        return rng.choice([
            many, tuple(many), dict(pairs), collections.OrderedDict(pairs), collections.defaultdict(list, pairs),
            set(keys), frozenset(keys), collections.deque(many, 9), collections.Counter(self.words()), shared,
        ])  # fmt: skip

    def packed(self, data: bytes) -> tuple[str, bytes]:
        """(ending, compressed)."""
        ways = {
            ".gz": lambda: gzip.compress(data, self.rng.randrange(1, 10), mtime=0), ".bz2": lambda: bz2.compress(data),
            ".xz": lambda: lzma.compress(data), ".lzma": lambda: lzma.compress(data, lzma.FORMAT_ALONE),
            ".zlib": lambda: zlib.compress(data, self.rng.randrange(1, 10)),
        }  # fmt: skip
        end = self.rng.choice(list(ways))
        return end, ways[end]()

    # one method for each kind: (name, bytes, verdict)

    def pickle(self) -> tuple[str, bytes, str]:
        write = self.rng.choice([pickle.dumps, pickle._dumps])
        return self.rng.choice(["m.pkl", "data.dat", "noextension"]), write(self.value(), self.rng.randrange(6)), INERT

    def pickles_in_a_row(self) -> tuple[str, bytes, str]:
        """An Unpickler that reads both would misread the second, now and then so that it seems to call (PKL019)."""
        return "log.pkl", b"".join(pickle.dumps(self.value(2), self.rng.randrange(6)) for _ in range(2)), INERT

    def numpy_pickle(self) -> tuple[str, bytes, str]:
        value = {"a": self.array(), "b": [self.array() for _ in range(3)], "c": np.dtype(self.rng.choice(DTYPES))}
        return "arrays.pkl", pickle.dumps(value, self.rng.randrange(6)), INERT

    def joblib(self) -> tuple[str, bytes, str]:
        value = [self.array() for _ in range(self.rng.randrange(1, 5))]
        value.append({"x": self.value(2), "same": value[0], "table": np.zeros(3, dtype=[("a", "f4"), ("b", "i8", 2)])})
        return "m.joblib", dumped(value, 0, self.rng.randrange(6)), INERT

    def joblib_packed(self) -> tuple[str, bytes, str]:
        method = self.rng.choice(["zlib", "gzip", "bz2", "lzma", "xz"])
        return "m.joblib", dumped({"w": self.array(), "n": self.words()}, (method, 3), self.rng.choice([4, 5])), INERT

    def joblib_z_file(self) -> tuple[str, bytes, str]:
        data = pickle.dumps(self.value(), 2)
        size = hex(len(data)).ljust(self.rng.choice([19, 20])).encode()
        return "old.pkl.z", b"ZF" + size + zlib.compress(data), INERT

    def estimator(self) -> tuple[str, bytes, str]:
        made = estimators()[self.rng.randrange(len(estimators()))]
        if self.rng.random() < 0.5:
            method = self.rng.choice([0, ("zlib", 3), ("gzip", 3)])
            return "m.joblib", dumped(made, method, self.rng.choice([4, 5])), UNKNOWN
        return "m.pkl", pickle.dumps(made, self.rng.randrange(2, 6)), UNKNOWN

    def objects(self) -> tuple[str, bytes, str]:
        """Arrays of objects, whose number NumPy does not check."""
        made = np.array([self.words(3), None, 3], dtype=object)
        way = self.rng.randrange(3)
        if way == 0:
            return "a.npy", samples.npy(made), INERT
        data = dumped({"x": self.array(), "o": made}, 0, 4) if way == 1 else pickle.dumps(made, self.rng.randrange(6))
        return "a.joblib", data, INERT

    def torch(self) -> tuple[str, bytes, str]:
        rng = self.rng
        state = {self.words(3) + str(n): self.tensor() for n in range(rng.randrange(1, 6))}
        first = next(iter(state.values()))
        state["view"] = first.flatten()[1:] if first.numel() > 2 else first
        value = rng.choice([state, collections.OrderedDict(state), {"state": state, "epoch": 3, "lr": [0.5]}])
        out = io.BytesIO()
        torch.save(value, out, _use_new_zipfile_serialization=rng.random() < 0.6)
        return rng.choice(["pytorch_model.bin", "x.pt", "last.ckpt"]), out.getvalue(), INERT

    def tensor(self) -> torch.Tensor:
        shape = [self.rng.randrange(5) for _ in range(self.rng.randrange(3))]
        return (torch.rand(shape) * 100).to(self.rng.choice(TORCH))

    def safetensors(self) -> tuple[str, bytes, str]:
        state = {f"layer.{n}": self.tensor() for n in range(self.rng.randrange(6))}
        return "model.safetensors", save_safetensors(state, {"format": "pt", "note": self.words()}), INERT

    def npy(self) -> tuple[str, bytes, str]:
        return "a.npy", b"".join(samples.npy(self.array()) for _ in range(self.rng.choice([1, 1, 1, 3]))), INERT

    def npz(self) -> tuple[str, bytes, str]:
        out = io.BytesIO()
        self.rng.choice([np.savez, np.savez_compressed])(out, a=self.array(), b=self.array())
        return "a.npz", out.getvalue(), INERT

    def zip(self) -> tuple[str, bytes, str]:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", self.rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
            for n in range(self.rng.randrange(1, 5)):
                name, data, _ = self.rng.choice([self.pickle, self.npy, self.text, self.json])()
                archive.writestr(f"folder{n}/{name}", data)
        return "a.zip", out.getvalue(), INERT

    def tar(self) -> tuple[str, bytes, str]:
        form = self.rng.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
        members = {f"d{n}/{'long' * self.rng.randrange(20)}.pkl": self.pickle()[1] for n in range(2)}
        data = samples.tarred({**members, "README.md": self.text()[1], "w.npy": self.npy()[1]}, form)
        if self.rng.random() < 0.5:
            return "a.nemo", data, INERT
        end, data = self.packed(data)
        return "a.tar" + end, data, INERT

    def compressed(self) -> tuple[str, bytes, str]:
        name, data, verdict = self.rng.choice([self.pickle, self.npy, self.text, self.json, self.yaml])()
        end, data = self.packed(data)
        return self.rng.choice([name, "README"]) + end, data, verdict

    def gguf(self) -> tuple[str, bytes, str]:
        pairs = [samples.text("general.name") + struct.pack("<I", 8) + samples.text(self.words())]
        pairs += [samples.text(f"k{n}") + struct.pack("<II", 4, self.rng.randrange(99)) for n in range(3)]
        if self.rng.random() < 0.5:
            pairs.append(samples.template("{% for m in messages %}{{ m['content'] }}{% endfor %}"))
        return "m.gguf", samples.gguf(pairs), INERT

    def onnx(self) -> tuple[str, bytes, str]:
        nodes = [samples.onnx_node(self.rng.choice(["MatMul", "Relu", "Conv", "Add", "Softmax"])) for _ in range(4)]
        return "m.onnx", samples.onnx(*nodes, samples.onnx_tensor(raw=self.rng.randbytes(16))), INERT

    def saved_model(self) -> tuple[str, bytes, str]:
        ops = self.rng.choices(["Placeholder", "MatMul", "Relu", "Identity", "Const"], k=4)
        return "saved_model.pb", samples.saved_model(*ops), INERT

    def msgpack(self) -> tuple[str, bytes, str]:
        return "flax_model.msgpack", samples.flax(samples.marray((self.rng.randrange(1, 9),))), INERT

    def keras(self) -> tuple[str, bytes, str]:
        layer = {"module": "keras.layers", "class_name": "Dense", "registered_name": None,
                 "config": {"units": self.rng.randrange(99), "name": self.words(3)}}  # fmt: skip
        return "m.keras", samples.keras(layer), INERT

    def keras_config(self) -> tuple[str, bytes, str]:
        return "model.json", json.dumps(samples.keras_config()).encode(), INERT

    def sentencepiece(self) -> tuple[str, bytes, str]:
        pieces = ["<unk>", "<s>", "</s>", *[f"\u2581{w}{n}" for n, w in enumerate(self.words(60).split())]]
        out = b"".join(
            samples.block(1, samples.block(1, p) + b"\x15" + struct.pack("<f", -n) + samples.number(3, 1))
            for n, p in enumerate(pieces)
        )
        trainer = samples.number(3, 2) + samples.number(4, len(pieces)) + samples.block(30, "<pad>")
        return "tokenizer.model", out + samples.block(2, trainer) + samples.block(3, samples.block(1, "nfkc")), INERT

    def text(self) -> tuple[str, bytes, str]:
        lines = [self.words() for _ in range(self.rng.randrange(1, 12))]
        if self.rng.random() < 0.3:
            lines = ["---", "license: mit", "tags:", "- text", "---", "# A model", *lines]
        name = self.rng.choice(["README.md", "LICENSE", "notes.txt", "vocab.txt", "merges.txt", "data.csv"])
        return name, ("\n".join(lines) + "\n").encode(), INERT

    def json(self) -> tuple[str, bytes, str]:
        value = {"hidden_size": self.rng.randrange(999), "architectures": ["X"], "text": self.words(), "n": [1, None]}
        if self.rng.random() < 0.3:
            return "data.jsonl", "".join(json.dumps({"text": self.words()}) + "\n" for _ in range(4)).encode(), INERT
        name = self.rng.choice(["config.json", "vocab.json", "tokenizer.json", "model.safetensors.index.json"])
        return name, json.dumps(value, indent=self.rng.choice([None, 1])).encode(), INERT

    def yaml(self) -> tuple[str, bytes, str]:
        lines = [f"key{n}: {self.rng.choice(['1', 'true', 'text here', '[1, 2]', '0.5'])}" for n in range(5)]
        return "params.yaml", ("\n".join(lines) + "\nnested:\n  - a: 1\n  - b\n").encode(), INERT

    def xml(self) -> tuple[str, bytes, str]:
        n = self.rng.randrange(9)
        return self.rng.choice([
            ("m.pmml", b'<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/></PMML>', INERT),
            ("m.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="%d"/></svg>' % n, INERT),
            ("m.xml", b'<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0" type="Add" '
             b'version="opset%d"/></layers></net>' % (n + 1), INERT),
        ])  # fmt: skip

    def html(self) -> tuple[str, bytes, str]:
        page = "<!DOCTYPE html>\n<html><head><title>t</title></head><body><p>b &lt; c</p><p>%s</p></body></html>"
        return "report.html", (page % "words and words").encode(), INERT

    def jinja(self) -> tuple[str, bytes, str]:
        begin = self.rng.choice(["<|im_start|>", "[INST] ", ""])
        body = "{% for message in messages %}" + begin + "{{ message['role'] }}\n{{ message['content'] }}{% endfor %}"
        return "chat_template.jinja", body.encode(), INERT

    def requirements(self) -> tuple[str, bytes, str]:
        return "requirements.txt", f"numpy=={self.rng.randrange(9)}.1\ntorch>=2\n# why\n".encode(), INERT

    def toml(self) -> tuple[str, bytes, str]:
        return "settings.toml", f'[a]\nb = {self.rng.randrange(99)}\nc = "text"\n'.encode(), INERT

    def constants(self) -> tuple[str, bytes, str]:
        return "constants.py", f'"""Sizes."""\n\nSIZE = {self.rng.randrange(999)}\nNAMES = ["a", "b"]\n'.encode(), INERT

    def python(self) -> tuple[str, bytes, str]:
        code = "import torch\n\n\nclass Model(torch.nn.Module):\n    def forward(self, x):\n        return x * {}\n"
        return "modeling_x.py", code.format(self.rng.randrange(9)).encode(), UNKNOWN

    def notebook(self) -> tuple[str, bytes, str]:
        cells = [{"cell_type": "markdown", "source": ["# " + self.words(5)]}]
        code = self.rng.random() < 0.5
        if code:
            cells.append({"cell_type": "code", "source": ["import torch\n"], "outputs": []})
        book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        return "a.ipynb", json.dumps(book).encode(), UNKNOWN if code else INERT

    def shell(self) -> tuple[str, bytes, str]:
        return "run.sh", b"#!/bin/sh\nset -e\npython train.py --epochs %d\n" % self.rng.randrange(9), UNKNOWN

    def program(self) -> tuple[str, bytes, str]:
        return "lib.so", samples.elf() + self.rng.randbytes(50), UNKNOWN

    def module(self) -> tuple[str, bytes, str]:
        out = io.BytesIO()
        torch.save(torch.nn.Linear(2, self.rng.randrange(1, 5)), out)
        return "whole.pt", out.getvalue(), UNKNOWN

    def hdf5(self) -> tuple[str, bytes, str]:
        return "m.h5", samples.hdf5(), INERT

    def picture(self) -> tuple[str, bytes, str]:
        kind = self.rng.choice(list(pictures.MADE))
        return f"a.{kind}", pictures.MADE[kind](), INERT

    def recognized(self) -> tuple[str, bytes, str]:
        """Formats that are named and not analyzed: `not covered` is the honest verdict."""
        name = self.rng.choice(list(RECOGNIZED))
        return name, RECOGNIZED[name] + self.rng.randbytes(200), PARTLY


RECOGNIZED = {
    "a.7z": b"7z\xbc\xaf\x27\x1c", "a.rar": b"Rar!\x1a\x07\x01\0", "a.zst": b"\x28\xb5\x2f\xfd",
    "a.lz4": b"\x04\x22\x4d\x18", "a.tflite": bytes((28, 0, 0, 0)) + b"TFL3", "a.pte": bytes((28, 0, 0, 0)) + b"ET12",
    "a.engine": b"ftrt\0", "a.parquet": b"PAR1\x15\x04", "a.arrow": b"ARROW1\0\0", "a.mat": b"MATLAB 5.0 MAT-file\0",
    "a.cbm": b"CBM1\0", "a.sqlite": b"SQLite format 3\0",
    "a.ort": bytes((28, 0, 0, 0)) + b"ORTM", "ggml.bin": b"lmgg\0", "a.rknn": b"RKNN\0\0\0\0",
    "a.params": b"\x12\x01\0\0\0\0\0\0", "a.ubj": b"{L\0\0\0\0\0\0\0\x07learner\xff", "a.avro": b"Obj\x01\xff",
    "m.mlmodel": b"\x08\x04\x12\x00\xa2\x1f\xc8\x01",
}  # fmt: skip
KINDS = [name for name, made in vars(Made).items() if callable(made) and name not in
         ("__init__", "words", "array", "value", "packed", "tensor")]  # fmt: skip


def dumped(value: object, compress: object, protocol: int) -> bytes:
    """What joblib writes."""
    out = io.BytesIO()
    joblib.dump(value, out, compress=compress, protocol=protocol)
    return out.getvalue()


_ESTIMATORS: list[object] = []


def estimators() -> list[object]:
    """Simple estimators of scikit-learn, fitted once."""
    if not _ESTIMATORS:
        from sklearn import (
            cluster,
            decomposition,
            ensemble,
            linear_model,
            naive_bayes,
            neighbors,
            preprocessing,
            svm,
            tree,
        )
        from sklearn.pipeline import make_pipeline

        x, y = np.random.default_rng(0).random((30, 3)), np.arange(30) % 2
        made = [
            linear_model.LogisticRegression(), linear_model.LinearRegression(), linear_model.Ridge(), tree.
            DecisionTreeClassifier(), ensemble.RandomForestClassifier(3), ensemble.GradientBoostingClassifier(
                n_estimators=3), svm.SVC(), neighbors.KNeighborsClassifier(), naive_bayes.GaussianNB(),
            make_pipeline(preprocessing.StandardScaler(), linear_model.SGDClassifier(max_iter=5, tol=None)),
        ]  # fmt: skip
        others = [cluster.KMeans(2, n_init=1), decomposition.PCA(2), preprocessing.StandardScaler()]
        _ESTIMATORS.extend([m.fit(x, y) for m in made] + [m.fit(x) for m in others])
        _ESTIMATORS.append(preprocessing.LabelEncoder().fit(["a", "b"]))
    return _ESTIMATORS


def files(count: int, seed: int = 0):
    """``count`` honest files, every kind in turn."""
    for n in range(count):
        kind = KINDS[n % len(KINDS)]
        yield (kind, *getattr(Made(random.Random(f"{seed} {n}")), kind)())
