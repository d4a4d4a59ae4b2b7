"""Checkpoints that PyTorch writes are read without PyTorch, and every tensor is what torch.load gives, bit by bit."""

import io
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from probatum.core.errors import BadInput
from probatum.files import torch_files
from probatum.files.pickle_tree import read_tree
from probatum.files.torch_files import Checkpoint

DTYPES = [
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64",
    "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
    "float8_e8m0fnu",
]  # fmt: skip
MNIST = Path(__file__).parents[2].parent / "shared/data/weights"


def raw(tensor):
    """The bytes of a tensor in the order of its shape."""
    return tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def random(dtype, *shape, seed=0):
    """Random bits as a tensor, NaN payloads and denormals among them; bool stays 0 and 1."""
    kind = getattr(torch, dtype)
    size = int(np.prod(shape)) * torch.empty(0, dtype=kind).element_size()
    bits = torch.from_numpy(np.random.default_rng(seed).integers(0, 2 if dtype == "bool" else 256, size, np.uint8))
    return bits.view(kind).reshape(shape)


def save(path, value, zipped, **options):
    torch.save(value, path, _use_new_zipfile_serialization=zipped, **options)
    return path


def read(path, key="."):
    """{name: (dtype, shape, bytes)}."""
    with Checkpoint(path) as checkpoint:
        tensors, _ = checkpoint.tensors(key)
        return {name: (t.dtype, t.shape, b"".join(t.blocks())) for name, t in tensors.items()}


def check(path, expected, weights_only=True):
    """What is read is what torch.load gives."""
    loaded, found = torch.load(path, weights_only=weights_only), read(path)
    assert set(found) == set(expected) == set(loaded)
    for name, tensor in loaded.items():
        assert found[name][1:] == (tuple(tensor.shape), raw(tensor)), name
    return found


@pytest.mark.parametrize("zipped", [True, False])
def test_every_type(tmp_path, zipped):
    value = {d: random(d, 3, 5) for d in DTYPES}
    if zipped:
        found = check(save(tmp_path / "a.bin", value, zipped), value)
    else:  # types after complex64 are written in the old format, but PyTorch does not read them
        check(save(tmp_path / "old.bin", {d: value[d] for d in DTYPES[:11]}, zipped), DTYPES[:11])
        found = read(save(tmp_path / "a.bin", value, zipped))
        assert {name: data for name, (_, _, data) in found.items()} == {d: raw(t) for d, t in value.items()}
    assert {name: dtype for name, (dtype, _, _) in found.items()}["bfloat16"] == "BF16"
    assert len({dtype for dtype, _, _ in found.values()}) == len(DTYPES)


@pytest.mark.parametrize(
    ("zipped", "protocol"), [(True, 2), (True, 3), (True, 4), (True, 5), (False, 2), (False, 3), (False, 4), (False, 5)]
)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_every_layout(tmp_path, zipped, protocol):
    base = torch.arange(120, dtype=torch.float32).reshape(4, 5, 6)
    value = {
        "whole": base, "transposed": base.transpose(0, 2), "slice": base[1:3, ::2, 3], "tied": base,
        "repeated": base[:, :1].expand(4, 7, 6), "scalar": torch.tensor(3.5), "empty": torch.zeros(0, 7),
        "one": base[2:3, 1:2, 4:5], "channels": base[None].to(memory_format=torch.channels_last),
        "diagonal": base[0].diagonal(), "flat": base.reshape(-1)[7:],
        "parameter": torch.nn.Parameter(base[0].clone()), "buffer": torch.nn.Buffer(base[1].clone()),
    }  # fmt: skip
    check(save(tmp_path / "a.bin", value, zipped, pickle_protocol=protocol), value, weights_only=protocol < 4)


def test_a_parameter_with_attributes_and_an_ordered_dict_with_metadata(tmp_path):
    parameter = torch.nn.Parameter(torch.randn(3))
    parameter.note = 1
    value = OrderedDict(p=parameter)
    value._metadata = OrderedDict(x={"version": 1})
    assert read(save(tmp_path / "a.bin", value, True))["p"][2] == raw(parameter)


def test_large_strided_tensors_come_in_blocks(tmp_path):
    value = {
        "t": random("int32", 1500, 1100).t(),
        "long": random("uint8", 1, 9 << 20)[:, ::2],
        "c": random("int16", 3 << 20),
    }
    path = save(tmp_path / "a.bin", value, True)
    check(path, value)
    with Checkpoint(path) as checkpoint:
        assert all(max(map(len, t.blocks())) <= 4 << 20 for t in checkpoint.tensors(".")[0].values())


def big_endian(path, out):
    """The same checkpoint as a machine of the other byte order writes it."""
    words = {"float32": 4, "int16": 2, "complex64": 4, "bfloat16": 2, "uint8": 1, "float64": 8}
    loaded = torch.load(path, weights_only=True)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if "/data/" in name:
                dtype = list(loaded)[int(name.rpartition("/")[2])]
                data = np.frombuffer(data, f"u{words[dtype]}").byteswap().tobytes()
            new.writestr(name, b"big" if name.endswith("byteorder") else data)


def test_the_other_byte_order(tmp_path):
    value = {d: random(d, 4, 3) for d in ("float32", "int16", "complex64", "bfloat16", "uint8", "float64")}
    save(tmp_path / "a.bin", value, True)
    big_endian(tmp_path / "a.bin", tmp_path / "big.bin")
    with zipfile.ZipFile(tmp_path / "big.bin") as file:
        assert file.read("a/byteorder") == b"big"
    check(tmp_path / "big.bin", value)
    assert read(tmp_path / "big.bin") == read(tmp_path / "a.bin")


def test_dicts_within_dicts(tmp_path):
    value = {"model": {"a": torch.ones(2), "b": {"c": torch.zeros(3)}}, "epoch": 3, "steps": [torch.ones(1)], 7: "x"}
    path = save(tmp_path / "a.bin", value, True)
    with Checkpoint(path) as checkpoint:
        assert checkpoint.groups == {"model": 1, "model.b": 1, "steps": 1}
        tensors, rest = checkpoint.tensors(".")
        assert (sorted(tensors), rest) == (["model.a", "model.b.c", "steps.0"], ["epoch", "7"])
        assert sorted(checkpoint.tensors("model")[0]) == ["a", "b.c"]
        assert sorted(checkpoint.tensors("model.b.c")[0]) == ["c"]


def test_keys_that_are_no_names(tmp_path):
    value = {"w": torch.ones(1), (1, 2): "x", (3, 4): [5], None: 1, True: 2}
    with Checkpoint(save(tmp_path / "a.bin", value, True)) as checkpoint:
        tensors, rest = checkpoint.tensors(".")
        assert (list(tensors), len(rest)) == (["w"], 4)
    with pytest.raises(BadInput, match="under a key that is neither"):
        read(save(tmp_path / "b.bin", {(1, 2): torch.ones(1), (3, 4): torch.zeros(1)}, True))
    with pytest.raises(BadInput, match="both written '1'"):
        read(save(tmp_path / "c.bin", {1: torch.ones(1), "1": torch.zeros(1)}, True))


def test_the_twin_of_mnist():
    if not (MNIST / "mnist.pt").is_file():
        pytest.skip("needs shared/data/weights")
    from probatum.files.tensors import Weights

    found = read(MNIST / "mnist.pt")
    assert {n: shape for n, (_, shape, _) in found.items()} == Weights([MNIST / "mnist.safetensors"]).shapes


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), "is quantized"),
        (lambda: torch.eye(3).to_sparse(), "is sparse"),
        (lambda: torch.eye(3).to_sparse_csr(), "is sparse"),
        (lambda: torch.empty(3, device="meta"), "is on the meta device"),
        (lambda: torch.zeros(3, dtype=torch.complex128), "complex128', which safetensors cannot hold; save its real"),
        (lambda: torch.zeros(3, dtype=torch.complex64).conj(), "resolve_conj"),
        (lambda: torch.nn.Linear(2, 2), "executes unknown code"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_safetensors_does_not_hold_is_a_sentence(tmp_path, value, sentence):
    with pytest.raises(BadInput, match=sentence):
        read(save(tmp_path / "a.bin", {"w": value()}, True))


def rewrite(path, change):
    """The checkpoint with its pickle changed, and everything else as it was."""
    out = path.with_name("lie.bin")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name.endswith("data.pkl") else data)
    return out


class Made:
    """Pickles as a call of a function of PyTorch with any arguments."""

    def __init__(self, callee, *args):
        self.callee, self.args = callee, args

    def __reduce__(self):
        return self.callee, self.args


def lie(tmp_path, *layout):
    """A checkpoint of one storage of 6 floats, and a tensor over it with this offset, size and stride."""
    path = save(tmp_path / "a.bin", {"w": torch.zeros(6)}, True)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", torch.FloatStorage, "0", "cpu", 6) if value == "here" else None

    out = io.BytesIO()
    Pickler(out, 2).dump({"w": Made(torch._utils._rebuild_tensor_v2, "here", *layout, False, OrderedDict())})
    return rewrite(path, lambda _: out.getvalue())


@pytest.mark.parametrize(
    ("layout", "sentence"),
    [
        ((1, (6,), (1,)), "reaches to byte 28 of a storage of 24"),
        ((0, (3, 3), (2, 1)), "reaches to byte 28"),
        ((1 << 60, (1,), (1,)), "reaches to byte"),
        ((0, (2,), (-1,)), "not natural"),
        ((-1, (2,), (1,)), "layout that is none"),
        ((0, (-2,), (1,)), "not natural"),
        ((0, (2, 3), (1,)), "layout that is none"),
        ((0, (1 << 40, 1 << 40), (0, 0)), "no file can hold"),
        ((0, (1,) * 65, (1,) * 65), "not proved|not converted|layout"),
    ],
)
def test_lies_about_the_layout(tmp_path, layout, sentence):
    with pytest.raises(BadInput, match=sentence):
        read(lie(tmp_path, *layout))


def test_a_true_layout_written_the_same_way_is_read(tmp_path):
    assert read(lie(tmp_path, 2, (2, 2), (2, 1)))["w"][1:] == ((2, 2), bytes(16))


def test_lies_about_the_size_of_a_storage(tmp_path):
    path = save(tmp_path / "a.bin", {"w": torch.zeros(200)}, True)
    with pytest.raises(BadInput, match="TOR001"):
        read(rewrite(path, lambda data: data.replace(b"K\xc8t", b"K\xc9t")))


def test_a_dict_that_holds_itself_comes_to_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_files, "MOST_VALUES", 20_000)
    loop = {"w": torch.ones(1)}
    loop["again"] = loop
    with pytest.raises(BadInput, match="contain themselves"):
        read(save(tmp_path / "a.bin", loop, True))
    wide = {"w": torch.ones(1)}
    for _ in range(40):
        wide = {"a": wide, "b": wide}
    with pytest.raises(BadInput, match="contain themselves"):
        read(save(tmp_path / "b.bin", wide, True))


def test_what_is_not_inert_is_refused_in_the_words_of_the_scan(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00trueR.")
    with pytest.raises(BadInput, match=r"not converted: dangerous: .*posix\.system.*PKL003"):
        read(tmp_path / "a.bin")
    (tmp_path / "b.bin").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(BadInput, match="expected a PyTorch checkpoint, got pickle"):
        read(tmp_path / "b.bin")


@pytest.mark.parametrize("zipped", [True, False])
def test_damage_is_one_sentence(tmp_path, zipped):
    """A bit turned, or the end cut off, anywhere: a sentence, or all the tensors; never another error."""
    data = save(tmp_path / "a.bin", {"w": torch.arange(50.0), "v": torch.ones(2, 3)}, zipped).read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for n in range(150):
        changed = bytearray(data)
        if n % 3:
            changed[rng.integers(len(data))] ^= 1 << rng.integers(8)
        else:
            del changed[rng.integers(len(data)) :]
        (tmp_path / "b.bin").write_bytes(changed)
        try:
            assert set(read(tmp_path / "b.bin")) <= {"w", "v"} or n % 3
        except BadInput:
            refused += 1
    assert refused > 60


def changed_pickles(count, seed=0):
    """(bytes of a checkpoint whose pickle has a few bytes changed, exchanged or doubled), its checksums made right."""
    rng = np.random.default_rng(seed)
    shared = torch.arange(12.0)
    value = {"a": shared.view(3, 4), "b": shared[2:8], "c": {"d": torch.ones(2, 3, dtype=torch.int16).t()}, "n": 7}
    whole = io.BytesIO()
    torch.save(value, whole)
    with zipfile.ZipFile(whole) as file:
        members = {name: file.read(name) for name in file.namelist()}
    for _ in range(count):
        data = bytearray(members["archive/data.pkl"])
        for _ in range(1 + (rng.random() < 0.2)):
            at, other = rng.integers(2, len(data), 2)
            match rng.integers(4):
                case 0:
                    data[at] = rng.choice([0, 1, 2, 3, 4, 6, 12, 255, data[at] ^ 1])
                case 1:
                    data[at], data[other] = data[other], data[at]
                case 2:
                    data[at:at] = data[other : other + rng.integers(1, 9)]
                case _:
                    del data[at : at + rng.integers(1, 4)]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            for name, content in (members | {"archive/data.pkl": bytes(data)}).items():
                file.writestr(name, content)
        yield out.getvalue()


def compare_with_torch(path, data):
    """ "refused", "same" as torch.load, or "torch refuses"; anything else is an error of the test."""
    path.write_bytes(data)
    try:
        found = read(path)
    except BadInput:
        return "refused"
    try:
        loaded = torch.load(path, weights_only=True)
    except Exception:  # whatever PyTorch says to a broken file
        return "torch refuses"
    flat, todo = {}, [((), loaded)]
    while todo:
        where, item = todo.pop()
        if isinstance(item, dict):
            todo += [((*where, str(k)), v) for k, v in item.items()]
        elif isinstance(item, list | tuple):
            todo += [((*where, str(k)), v) for k, v in enumerate(item)]
        elif isinstance(item, torch.Tensor):
            flat[".".join(where) or "tensor"] = (tuple(item.shape), raw(item))
    assert {n: (shape, content) for n, (_, shape, content) in found.items()} == flat
    return "same"


def test_what_is_read_from_changed_pickles_is_what_torch_reads(tmp_path):
    said = [compare_with_torch(tmp_path / "a.bin", data) for data in changed_pickles(800)]
    assert said.count("same") > 20
    assert said.count("refused") > 400


@pytest.mark.parametrize("protocol", range(6))
def test_the_tree_is_what_pickle_writes(protocol):
    value = {"a": [1, (2, 3), (1, 2, 3, 4)], "b": "text", "c": None, "d": True, "e": 2**70, "g": "é" * 300, "h": -5}

    def plain(tree):
        if isinstance(tree, list | tuple):
            return type(tree)(map(plain, tree))
        return {plain(k): plain(v) for k, v in tree.items} if hasattr(tree, "items") else tree

    data = pickle.dumps(value, protocol)
    tree, end = read_tree(b"xx" + data + b"yy", 2, 2 + len(data), "here")
    assert (plain(tree), end) == (value, 2 + len(data))


def test_no_torch_is_imported(tmp_path):
    path = save(tmp_path / "a.bin", {"w": torch.ones(3)}, True)
    code = (
        "import sys, pathlib; from probatum.files.convert import convert; "
        f"convert(pathlib.Path({str(path)!r}), pathlib.Path({str(tmp_path / 'o.safetensors')!r})); "
        "assert not {'torch', 'safetensors'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
