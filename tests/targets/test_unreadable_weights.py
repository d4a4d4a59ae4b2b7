"""Weights that are no floating-point numbers, and numbers that are none: refused in one sentence, by every call."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "engine"))
from tiny_models import TEXTS, build

from probatum import open_target
from probatum.core.errors import BadInput

MODELS = {"llama": {"vocab": 300, "bos": "<s>", "eos": "</s>"}, "gpt2": {"vocab": 300, "tied": True, "eos": "<end>"}}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    root = tmp_path_factory.mktemp("bases")
    return {kind: build(kind, root / kind, **options) for kind, options in MODELS.items()}


@pytest.mark.parametrize(
    ("settings", "said_so"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, r"\(bitsandbytes, 4 bits\)"),
        ({"quant_method": "gptq", "bits": 3}, r"\(gptq, 3 bits\)"),
        ({"quant_method": "awq", "bits": 4}, r"\(awq, 4 bits\)"),
        ({"quant_method": "fp8"}, r"\(fp8\)"),
        ({"load_in_8bit": True}, r"\(an unnamed method, 8 bits\)"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_quantized_weights_are_refused_before_anything_is_read(bases, tmp_path, settings, said_so, nested):
    path = shutil.copytree(bases["llama"], tmp_path / "model")
    config = json.loads((path / "config.json").read_text())
    more = {"quantization_config": settings}
    (path / "config.json").write_text(json.dumps({**config, **({"text_config": more} if nested else more)}))
    with pytest.raises(BadInput, match=f"its weights are quantized {said_so}, .*save it dequantized") as caught:
        open_target(path)
    assert "\n" not in str(caught.value)


def test_gguf_weights_are_refused(bases, tmp_path):
    path = shutil.copytree(bases["llama"], tmp_path / "model")
    (path / "model.safetensors").rename(path / "model-q4.gguf")
    with pytest.raises(BadInput, match="has GGUF weights only"):
        open_target(path)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("call", ["token_statistics", "choices", "generate", "sample", "beams", "lens"])
def test_a_model_that_gives_nan_is_refused_by_every_call(bases, tmp_path, kind, call):
    from safetensors.torch import load_file, save_file

    path = shutil.copytree(bases[kind], tmp_path / "model")
    weights = load_file(path / "model.safetensors")
    last = next(name for name in weights if name.endswith(("model.norm.weight", "ln_f.weight")))
    weights[last][0] = float("nan")
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    target = open_target(path)
    calls = {
        "token_statistics": lambda: target.token_statistics(TEXTS),
        "choices": lambda: target.choices(["Call", "The"], [[" 5", " me now"], [" quick brown", " x"]]),
        "generate": lambda: target.generate(["Call", "The quick"], max_new_tokens=4),
        "beams": lambda: target.beams(["Call"], max_new_tokens=4, width=2),
        "lens": lambda: target.lens(["Call"], top=2),
        "sample": lambda: target.generate(["Call"], max_new_tokens=4, temperature=1.0),
    }
    with pytest.raises(BadInput, match="the model gives NaN; try --dtype float32"):
        calls[call]()
