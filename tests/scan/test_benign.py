"""What honest programs write is proved inert, without one alarm."""

import collections
import datetime
import io
import json
import pickle
import random

import numpy as np
import pytest
import torch
from drive import rules, scan_bytes

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def things(rng: random.Random) -> list[object]:
    """Plain containers and literals of every kind that the allow-list is for."""
    counter, default = collections.Counter("hello"), collections.defaultdict(list, a=[1])
    deep: list[object] = []
    for _ in range(200):
        deep = [deep, {"k": (deep,)}]
    shared = {"x": 1}
    return [
        None, True, False, 0, 1, -1, 255, 256, 65536, 2**31, -(2**31) - 1, 2**100, -(2**300), 2**3000, 0.5,
        float("nan"), float("inf"), 1j, "", "text", "caf\xe9 \u20ac \U0001f600 \ud800", "line\nbreak \\ '\"", b"", b"x",
        bytes(range(256)), bytes(70_000), "y" * 70_000, bytearray(b"abc"), bytearray(70_000), (), (1,), (1, 2),
        (1, 2, 3), (1, 2, 3, 4), tuple(range(1000)), [], [1], list(range(3000)), {},
        {"a": 1}, {1: 2, None: 3, (1, 2): 4},
        {str(n): n for n in range(2500)}, set(), {1, 2}, set(range(2000)), frozenset({1, "a"}), slice(1, 2), range(3),
        ..., NotImplemented, int, dict, object(), collections.OrderedDict(a=1, b=2), counter, default,
        collections.deque([1, 2], 5), datetime.date(2020, 1, 2), datetime.timedelta(3),
        datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), deep, [shared, shared],
        [rng.random() for _ in range(500)], {rng.getrandbits(40): rng.random() for _ in range(300)},
    ]  # fmt: skip


def words(text: str) -> list[str]:
    return text.split()


def arrays() -> list[object]:
    kinds = words("? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16 S3 U4 V5 M8[ns] m8[s] >f4 >i8 >U2")
    out: list[object] = [np.zeros(5, dtype=k) for k in kinds] + [np.zeros((2, 3), dtype=k).T for k in kinds]
    out += [np.dtype(k) for k in kinds] + [np.zeros(1, dtype=k)[0] for k in kinds if k != "V5"]
    out += [np.dtype("O"), np.zeros((0, 3)), np.arange(20_000), np.float32, np.array(1)]
    out += [np.zeros(2, dtype=[("a", "f4"), ("b", "i8")]), np.zeros(2, dtype=[("a", "f4", (2, 2)), ("b", "U4")])]
    return [*out, {"x": np.arange(3), "y": [np.int64(1), np.float64(2)]}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_objects(protocol):
    for value in things(random.Random(protocol)):
        result = scan_bytes(pickle.dumps(value, protocol))
        assert (result.verdict, result.findings) == ("proved inert", ()), repr(value)[:80]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_python_writes_the_same_as_c(protocol):
    for value in things(random.Random(protocol)):
        assert scan_bytes(pickle._dumps(value, protocol)).findings == (), repr(value)[:80]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy(protocol):
    for value in arrays():
        result = scan_bytes(pickle.dumps(value, protocol))
        assert (result.verdict, result.findings) == ("proved inert", ()), repr(value)[:80]


def test_python_2():
    """As Python 2 wrote text, arrays and dictionaries: renamed modules and strings that are bytes."""
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n"
    array += b"(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
    array += b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x3f'\ntb."
    assert scan_bytes(array).verdict == "proved inert"
    assert pickle.loads(array, encoding="latin1").tolist() == [0.0, 1.0]
    assert scan_bytes(b"c__builtin__\nset\n((lp0\nI1\natR.").verdict == "proved inert"


def tensors() -> dict[str, torch.Tensor]:
    kinds = [
        torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.int16, torch.int32, torch.int64,
        torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool, torch.complex64, torch.complex128,
        torch.float8_e4m3fn, torch.float8_e5m2,
    ]  # fmt: skip
    out = {str(k): torch.zeros(3, dtype=k) for k in kinds}
    base = torch.arange(10.0)
    out |= {"view": base[2:5], "same": base, "empty": torch.zeros(0), "scalar": torch.tensor(1.0)}
    out |= {"meta": torch.zeros(2, device="meta"), "conj": torch.zeros(2, dtype=torch.complex64).conj()}
    out |= {"parameter": torch.nn.Parameter(torch.ones(2)), "gradient": torch.ones(2, requires_grad=True)}
    return out | {"sparse": torch.eye(2).to_sparse()}


def saved(value: object, zipped: bool) -> bytes:
    out = io.BytesIO()
    torch.save(value, out, _use_new_zipfile_serialization=zipped)
    return out.getvalue()


@pytest.mark.parametrize("zipped", [True, False])
def test_torch(zipped):
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    whole = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "loss": [0.5, 0.25],
             "rng": torch.get_rng_state(), "shape": torch.Size([1, 2]), "dtype": torch.float16,
             "device": torch.device("cpu")}  # fmt: skip
    for value in (tensors(), model.state_dict(), optimizer.state_dict(), whole, *tensors().values()):
        result = scan_bytes(saved(value, zipped))
        assert (result.verdict, result.findings) == ("proved inert", ())
        assert result.format == ("torch zip" if zipped else "torch legacy")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_whole_module_is_unknown_code_and_never_dangerous(zipped):
    result = scan_bytes(saved(torch.nn.Linear(2, 2), zipped))
    assert result.verdict == "executes unknown code"
    assert any("torch.nn.modules.linear.Linear" in f.message for f in result.findings)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_estimators_are_unknown_code_with_their_names(protocol):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    made = make_pipeline(StandardScaler(), LogisticRegression()).fit(np.eye(4), [0, 1, 0, 1])
    result = scan_bytes(pickle.dumps(made, protocol))
    assert result.verdict == "executes unknown code"
    assert any("sklearn.linear_model._logistic.LogisticRegression" in f.message for f in result.findings)


def test_safetensors():
    from safetensors.torch import save

    for value in (
        {},
        {"a": torch.zeros(0)},
        {k: v for k, v in tensors().items() if k.startswith("torch.") and "128" not in k},
    ):
        result = scan_bytes(save(value, {"format": "pt"}) if value else save({}))
        assert (result.format, result.findings) == ("safetensors", ())


def test_lengths_that_look_like_a_pickle():
    """A header of 640 or 66,176 bytes begins with PROTO 2; that alone makes no pickle."""
    for length in (0x280, 0x380, 0x480, 0x580, 0x10280, 0x280280):
        header = b'{"__metadata__":{"pad":"' + b"x" * (length - 27) + b'"}}'
        result = scan_bytes(length.to_bytes(8, "little") + header)
        assert (len(header), result.format, result.findings) == (length, "safetensors", ())


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("config.json", json.dumps({"hidden_size": 8, "architectures": ["X"], "nested": {"a": [1, 2]}}), "json"),
        ("data.jsonl", '{"a": 1}\n{"a": 2}\n', "json"),
        ("README.md", "---\nlicense: mit\n---\n# A model\n", "text"),
        (".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n", "text"),
        ("merges.txt", "#version: 0.2\ni n\nt h\n", "text"),
        ("vocab.txt", "cat\ndog\nIce\nNo.\n(a\nSet\n]x\n", "text"),
        ("LICENSE", "Copyright caf\xe9\n", "text"),
        ("empty", "", "empty"),
    ],
)
def test_text_of_a_hub_directory(name, content, format):
    result = scan_bytes(content.encode(), name)
    assert (result.format, result.verdict, rules(result)) == (format, "proved inert", set())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_traced_model_is_code_that_is_not_known_and_nothing_worse():
    """Its classes are in the archive; the tags of its lists are harmless."""
    model, out = torch.nn.Linear(4, 4), io.BytesIO()
    torch.jit.save(torch.jit.trace(model, torch.ones(1, 4)), out)
    result = scan_bytes(out.getvalue())
    assert (result.verdict, result.format) == ("executes unknown code", "torch zip")
    assert all(f.member.endswith("data.pkl") or f.rule != "PKL001" for f in result.findings)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_what_tags_a_list_gives_the_list(protocol):
    class Tagged:
        def __reduce__(self):
            from torch.jit._pickle import restore_type_tag

            return restore_type_tag, ([1, 2], "List[int]")

    assert scan_bytes(pickle.dumps(Tagged(), protocol)).findings == ()
    data = pickle.dumps(Tagged(), protocol).replace(b"restore_type_tag", b"restore_type_tax")
    assert scan_bytes(data).verdict == "dangerous"
