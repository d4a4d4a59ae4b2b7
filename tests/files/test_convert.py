"""`probatum convert`: what loads from the output is what loaded from the input."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from test_torch_files import DTYPES, random, raw, save

from probatum.core.errors import BadInput
from probatum.files import safetensors_write
from probatum.files.convert import convert
from probatum.files.convert_directory import convert_directory
from probatum.scan import scan


def tiny(**options):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"n_layer": 2, "n_head": 2, "n_embd": 32, "vocab_size": 64, "n_positions": 32}
    return GPT2LMHeadModel(GPT2Config(**sizes, **options)).eval()


@pytest.mark.parametrize("zipped", [True, False])
def test_it_loads_as_it_was(tmp_path, zipped):
    value = {d: random(d, 3, 5) for d in DTYPES} | {"t": random("float32", 4, 6).t(), "e": torch.zeros(0, 2)}
    done = convert(save(tmp_path / "a.bin", {"state_dict": value, "epoch": 2}, zipped), tmp_path / "a.safetensors")
    loaded = load_file(tmp_path / "a.safetensors")
    assert {n: (t.dtype, t.shape, raw(t)) for n, t in loaded.items()} == {
        n: (t.dtype, t.shape, raw(t)) for n, t in value.items()
    }
    assert (done.key, done.left_out, done.tensors) == ("state_dict", [], len(value))
    assert scan([tmp_path / "a.safetensors"]).verdict == "proved inert"
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_several_dicts_are_candidates_in_one_sentence(tmp_path):
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    value = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1}
    path = save(tmp_path / "a.bin", value, True)
    with pytest.raises(BadInput, match=r"--key: optimizer \(6\), model \(2\); '.' takes everything"):
        convert(path, tmp_path / "o.safetensors")
    assert convert(path, tmp_path / "o.safetensors", key="model").tensors == 2
    assert convert(path, tmp_path / "p.safetensors", key=".").tensors == 8
    assert "optimizer.state.0.exp_avg" in load_file(tmp_path / "p.safetensors")
    with pytest.raises(BadInput, match="no tensor lies at 'nowhere'"):
        convert(path, tmp_path / "q.safetensors", key="nowhere")
    with pytest.raises(BadInput, match="holds no tensors"):
        convert(save(tmp_path / "b.bin", {"a": 1}, True), tmp_path / "q.safetensors")


def test_two_names_that_become_one(tmp_path):
    path = save(tmp_path / "a.bin", {"a": {"b": torch.ones(1)}, "a.b": torch.zeros(1)}, True)
    with pytest.raises(BadInput, match="two tensors would be called"):
        convert(path, tmp_path / "o.safetensors", key=".")


def test_tied_tensors_under_each_name_or_once(tmp_path):
    shared = torch.randn(4, 4)
    path = save(tmp_path / "a.bin", {"a": shared, "b": shared, "c": shared.t(), "d": shared.clone()}, True)
    both = convert(path, tmp_path / "both.safetensors")
    assert (both.tensors, both.tied) == (4, {"b": "a"})
    once = convert(path, tmp_path / "once.safetensors", once=True)
    assert (once.tensors, set(load_file(tmp_path / "once.safetensors"))) == (3, {"a", "c", "d"})
    with safe_open(tmp_path / "once.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "b": "a"}
    model = torch.nn.ModuleDict({"x": torch.nn.Linear(2, 2)})
    model["y"] = model["x"]
    path = save(tmp_path / "m.bin", model.state_dict(), True)
    convert(path, tmp_path / "m.safetensors", once=True)
    from safetensors.torch import load_model

    other = torch.nn.ModuleDict({"x": torch.nn.Linear(2, 2)})
    other["y"] = other["x"]
    assert load_model(other, tmp_path / "m.safetensors") == (set(), [])
    assert torch.equal(other["y"].weight, model["y"].weight)


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("shards", [1, 2])
def test_a_directory_loads_in_transformers(tmp_path, shards, once):
    model, source = tiny(), tmp_path / "in"
    model.config.save_pretrained(source)
    (source / "tokenizer.json").write_text("{}")
    (source / "README.md").write_text("# A model\n")
    (source / "modeling.py").write_text("import os\n")
    (source / "training_args.bin").write_bytes(b"\x80\x02cos\nsystem\n.")
    state = model.state_dict()
    assert state["lm_head.weight"].data_ptr() == state["transformer.wte.weight"].data_ptr()
    if shards == 1:
        torch.save(state, source / "pytorch_model.bin")
    else:
        names = sorted(state)
        parts = {f"pytorch_model-0000{n + 1}-of-00002.bin": names[n::2] for n in range(2)}
        for file, part in parts.items():
            torch.save({name: state[name] for name in part}, source / file)
        index = {"metadata": {}, "weight_map": {name: file for file, part in parts.items() for name in part}}
        (source / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    done = convert_directory(source, tmp_path / "out", once=once)
    assert (done.copied, done.left) == (
        ["README.md", "config.json", "tokenizer.json"],
        ["modeling.py", "training_args.bin"],
    )
    assert not list((tmp_path / "out").glob("*.bin*"))
    from transformers import GPT2LMHeadModel

    again, info = GPT2LMHeadModel.from_pretrained(tmp_path / "out", output_loading_info=True, use_safetensors=True)
    assert not info["unexpected_keys"]
    words = torch.arange(20)[None]
    assert torch.equal(again.eval()(words).logits, model(words).logits)


def test_a_directory_without_a_clear_checkpoint(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(BadInput, match="found none"):
        convert_directory(tmp_path / "in", tmp_path / "out")
    for name in "ab":
        save(tmp_path / "in" / f"{name}.pt", {"w": torch.ones(1)}, True)
    with pytest.raises(BadInput, match=r"found 'a\.pt', 'b\.pt'; convert files one by one"):
        convert_directory(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in" / "x.bin.index.json").write_text('{"weight_map": {"w": "../secret.bin"}}')
    with pytest.raises(BadInput, match="no file of this directory"):
        convert_directory(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_index_that_names_what_is_not_there(tmp_path):
    save(tmp_path / "a.bin", {"w": torch.ones(1)}, True)
    (tmp_path / "x.bin.index.json").write_text('{"weight_map": {"w": "a.bin", "v": "a.bin"}}')
    with pytest.raises(BadInput, match="names 'v', which no shard holds"):
        convert_directory(tmp_path, tmp_path / "out")


def test_a_directory_that_cannot_be_converted_leaves_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    save(tmp_path / "in" / "a.bin", {"w": torch.ones(1)}, True)
    (tmp_path / "in" / "b.bin").write_bytes(b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00trueR.")
    (tmp_path / "in" / "x.bin.index.json").write_text('{"weight_map": {"w": "a.bin", "v": "b.bin"}}')
    with pytest.raises(BadInput, match="is not converted: dangerous"):
        convert_directory(tmp_path / "in", tmp_path / "out")
    save(tmp_path / "in" / "b.bin", {"w": torch.ones(2)}, True)
    with pytest.raises(BadInput, match="'w' stands in two shards"):
        convert_directory(tmp_path / "in", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_links_out_of_the_directory_are_left(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    save(source / "m.bin", {"w": torch.ones(1)}, True)
    (tmp_path / "secret.json").write_text("{}")
    (source / "config.json").symlink_to(tmp_path / "secret.json")
    assert convert_directory(source, tmp_path / "out").left == ["config.json"]


def test_views_that_repeat_cannot_fill_the_disk(tmp_path):
    path = save(tmp_path / "a.bin", {"w": torch.ones(1).expand(1 << 30)}, True)
    with pytest.raises(BadInput, match="would become 4,294,967,296, since tensors repeat"):
        convert(path, tmp_path / "o.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_write_that_goes_wrong_is_noticed_and_leaves_nothing(tmp_path, monkeypatch):
    path = save(tmp_path / "a.bin", {"w": torch.arange(9.0)}, True)
    header = safetensors_write._header

    def shifted(*args):
        """A header whose offsets are one byte off: the file is well formed and holds other tensors."""
        head = header(*args)
        return head.replace(b'"data_offsets":[0,36]', b'"data_offsets":[0,35]')

    monkeypatch.setattr(safetensors_write, "_header", shifted)
    with pytest.raises(BadInput, match="read back with other bytes"):
        convert(path, tmp_path / "o.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_bit_that_turned_in_a_tensor_is_noticed(tmp_path):
    """torch.load reads this file without a word."""
    path = save(tmp_path / "a.bin", {"w": torch.arange(1000.0)}, True)
    data = bytearray(path.read_bytes())
    data[data.find(torch.arange(1000.0).numpy().tobytes()) + 500] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match="checksum of storage '0' is wrong"):
        convert(path, tmp_path / "o.safetensors")


def test_memory_is_that_of_one_tensor(tmp_path):
    """Six tensors of 32 MiB, one of them transposed: the process never holds more than about one."""
    value = {f"w{n}": torch.full((2048, 4096), float(n)) for n in range(5)} | {"t": torch.rand(4096, 2048).t()}
    save(tmp_path / "a.bin", value, True)
    code = (
        "import resource, pathlib, sys; from probatum.files.convert import convert; import probatum.files.tensors;"
        "start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; convert(*map(pathlib.Path, sys.argv[1:]));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)"
    )
    words = [sys.executable, "-c", code, tmp_path / "a.bin", tmp_path / "o.safetensors"]
    grown = int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    assert grown < 56 << 10
    assert torch.equal(load_file(tmp_path / "o.safetensors")["t"], value["t"])


def test_the_command(tmp_path):
    save(tmp_path / "a.bin", {"w": torch.ones(2, 3), "n": 1}, True)

    def run(*words):
        command = [sys.executable, "-m", "probatum", "convert", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    ran = run("a.bin", "o.safetensors", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "o.safetensors: 1 tensors, 24 bytes" in ran.stdout
    assert "left out, since no tensor: n" in ran.stdout
    ran = run("a.bin", "o.safetensors")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "--force" in ran.stderr
    assert json.loads(run("a.bin", "o.safetensors", "--force", "--json").stdout)["files"][0]["tensors"] == 1
    assert run("nowhere", "o").returncode == 2
