"""A LoRA adapter in PEFT's format, opened with its base: W + (alpha / r) B A, by our own arithmetic.

Hu et al. 2021 (arXiv 2106.09685), equation 3; with rank-stabilized scaling alpha / √r (arXiv 2312.03732). The merged
model exists in memory only. What is more than a product of two matrices added to a linear layer is refused: half of
an adapter would be another model, and its numbers would look like any others.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.data import digest_of
from probatum.core.errors import BadInput
from probatum.engine.session import Session
from probatum.targets import weights as disk
from probatum.targets.transformers import TransformersTarget

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
#: Settings that say where an adapter came from or how it was trained, and those that are read below. Any other one
#: that is set may change what the adapter computes.
_UNDERSTOOD = {
    "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "corda_config", "eva_config", "exclude_modules",
    "fan_in_fan_out", "inference_mode", "init_lora_weights", "layers_pattern", "layers_to_transform", "loftq_config",
    "lora_alpha", "lora_dropout", "megatron_core", "peft_type", "peft_version", "qalora_group_size", "r",
    "rank_pattern", "revision", "runtime_config", "target_modules", "task_type", "use_rslora",
}  # fmt: skip
#: Other ways to begin subtract what the adapter starts with from the base, which is then not the base on disk.
_LEAVES_BASE = (True, False, None, "gaussian", "eva", "orthogonal")
_CONV1D = ("gpt2", "openai-gpt", "imagegpt", "decision_transformer")  #: architectures whose matrices lie transposed


class Adapter:
    """The pairs of matrices of an adapter by the module that they change, and what each is multiplied by."""

    def __init__(self, path: Path):
        self.path = path
        self.config = disk.read_json(path / CONFIG)
        if not (path / WEIGHTS).is_file():
            pickled = (path / "adapter_model.bin").is_file()
            raise BadInput(
                f"{path}: has its adapter as a pickle only, and pickles are never loaded; save it as safetensors"
                if pickled
                else f"{path}: has {CONFIG} but no {WEIGHTS}; is it complete?"
            )
        self._refuse_what_is_more()
        self._stored = disk.Weights([path / WEIGHTS])
        self.modules = self._modules()

    @property
    def digest(self) -> str:
        """Of the matrices and of the settings that change what they do, wherever the adapter lies."""
        with (self.path / WEIGHTS).open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        settings = {k: self.config.get(k) for k in ("lora_alpha", "alpha_pattern", "use_rslora", "fan_in_fan_out")}
        return digest_of("adapter", content, json.dumps(settings, sort_keys=True))

    def delta(self, module: str) -> np.ndarray:
        """(alpha / r) B A of a module, float32, shape (out, in)."""
        a, b = (self._stored[f"{_PREFIX}{module}.lora_{x}.weight"] for x in "AB")
        rank = len(a)
        patterns = self.config.get("alpha_pattern") or {}
        own = next((k for k in patterns if re.match(rf"(.*\.)?({k})$", module)), None)
        alpha = float(patterns[own] if own is not None else self.config["lora_alpha"])
        product: np.ndarray = b @ a
        return product * np.float32(alpha / (rank**0.5 if self.config.get("use_rslora") else rank))

    def shape(self, module: str) -> tuple[int, int]:
        """(out, in) of what a module gets added."""
        a, b = (self._stored.shapes[f"{_PREFIX}{module}.lora_{x}.weight"] for x in "AB")
        return b[0], a[1]

    def _modules(self) -> tuple[str, ...]:
        names, pairs = set(self._stored), set()
        for name in names:
            found = re.fullmatch(rf"{re.escape(_PREFIX)}(.+)\.lora_[AB]\.weight", name)
            if found is None:
                raise self.refusal(f"it changes more than linear layers ({name})")
            pairs.add(found[1])
        for module in sorted(pairs):
            keys = [f"{_PREFIX}{module}.lora_{x}.weight" for x in "AB"]
            if not names.issuperset(keys):
                raise BadInput(f"{self.path}: one of the two matrices of {module} is missing; copy the adapter again")
            a, b = (self._stored.shapes[key] for key in keys)
            if len(a) != 2 or len(b) != 2 or b[1] != a[0]:
                raise self.refusal(f"{module} is not changed by a product of two matrices")
        if not pairs:
            raise BadInput(f"{self.path}: the adapter holds no matrices")
        return tuple(sorted(pairs))

    def _refuse_what_is_more(self) -> None:
        config = self.config
        if config.get("peft_type") != "LORA":
            raise self.refusal(f"it is of type {config.get('peft_type')}, and only LORA is merged here")
        if not isinstance(config.get("lora_alpha"), (int, float)):
            raise BadInput(f"{self.path / CONFIG}: 'lora_alpha' is missing; copy the adapter again")
        if config.get("bias", "none") != "none":
            raise self.refusal("it changes biases")
        if config.get("init_lora_weights", True) not in _LEAVES_BASE:
            raise self.refusal(f"it began as '{config['init_lora_weights']}', which changes the base as well")
        for name, value in sorted(config.items()):
            if value and name not in _UNDERSTOOD:
                raise self.refusal(f"its setting '{name}' is more than plain LoRA")

    def refusal(self, why: str) -> BadInput:
        """What cannot be merged, and what to do about it."""
        return BadInput(
            f"{self.path}: this adapter cannot be merged here: {why}; merge it with peft (merge_and_unload, then "
            "save_pretrained) and open the merged model"
        )


class AdapterTarget(TransformersTarget):
    """A base model with a LoRA adapter merged into it; all that can be asked of a model, as of any other.

    Parameters
    ----------
    path
        The adapter: ``adapter_config.json`` and ``adapter_model.safetensors``.
    base
        The opened base.

    Raises
    ------
    BadInput
        The adapter is more than plain LoRA, or does not belong to this base; one sentence each.
    """

    def __init__(self, path: str | Path, base: TransformersTarget, *, session: Session, name: str | None = None):
        self.adapter = Adapter(Path(path))
        self.directory = Path(path)
        super().__init__(base.path, session=session, name=name or str(path))
        self._matched = self._match(base.name)
        self.digest = digest_of("adapted", base.digest, self.adapter.digest)
        with contextlib.suppress(BadInput):  # an adapter may bring the tokenizer that it was trained with
            self.tokenizer_digest = disk.tokenizer_digest(self.directory)
            self.tokenizer_path = self.directory
            self._refuse_custom_code()

    def files(self) -> Path:
        """The adapter's directory; the base's is ``path``."""
        return self.directory

    def weights(self) -> Mapping[str, np.ndarray]:
        """The merged parameters by their names in the base, float32, each read and merged when it is touched."""
        return _Merged(disk.Weights(self._files), self._matched, self.adapter)

    @cached_property
    def _network(self) -> Any:
        import torch

        network = super()._network
        model = network.model
        for module in self.adapter.modules:
            layer = model.get_submodule(module)
            if layer.weight is model.get_input_embeddings().weight:
                raise self.adapter.refusal(f"{module} shares its weights with the embedding")
            delta = torch.from_numpy(self.adapter.delta(module)).to(layer.weight.device)
            if type(layer).__name__ == "Conv1D":
                delta = delta.T
            with torch.no_grad():
                layer.weight.copy_(layer.weight.float() + delta)
        return network

    def _stamp(self) -> list[tuple[int, int]]:
        own = [(s.st_size, s.st_mtime_ns) for s in ((self.directory / n).stat() for n in (CONFIG, WEIGHTS))]
        return [*super()._stamp(), *own]

    def _match(self, base: str) -> dict[str, tuple[str, bool]]:
        """Tensor of the base → (module of the adapter that changes it, whether it lies transposed on disk)."""
        shapes = disk.Weights(self._files).shapes
        flat = bool(self.adapter.config.get("fan_in_fan_out")) or self.config.get("model_type") in _CONV1D
        matched = {}
        for module in self.adapter.modules:
            own = f"{module}.weight"
            # A base may be saved with or without the first part of its names (``transformer.h.0…``, ``h.0…``).
            names = [n for n in shapes if n == own] or [n for n in shapes if own.endswith(f".{n}")]
            shape = self.adapter.shape(module)
            fits = [n for n in names if shapes[n] in (shape, shape[::-1])]
            if len(fits) != 1:
                what = f"of another shape in {base}" if names else f"not in {base}"
                raise BadInput(f"{self.directory}: the adapter changes {module}, which is {what}; name its own base")
            stored = shapes[fits[0]]
            matched[fits[0]] = module, flat if stored == stored[::-1] else stored != shape
        return matched


class _Merged(Mapping[str, np.ndarray]):
    """The base's parameters, merged one by one."""

    def __init__(self, base: disk.Weights, matched: Mapping[str, tuple[str, bool]], adapter: Adapter):
        self._base, self._matched, self._adapter = base, matched, adapter

    def __getitem__(self, name: str) -> np.ndarray:
        weight = self._base[name]
        if name not in self._matched:
            return weight
        module, transposed = self._matched[name]
        delta = self._adapter.delta(module)
        merged: np.ndarray = weight + (delta.T if transposed else delta)
        return merged

    def __iter__(self) -> Iterator[str]:
        return iter(self._base)

    def __len__(self) -> int:
        return len(self._base)


def open_adapter(path: Path, base: str | Path | None, *, session: Session, name: str | None = None) -> AdapterTarget:
    """An adapter with the base that the user named, or else that it names itself; the network is never asked.

    Raises
    ------
    BadInput
        The base is not on this machine, or is itself no plain model.
    """
    from probatum.controls import specimen
    from probatum.targets import open_target

    said = str(disk.read_json(path / CONFIG).get("base_model_name_or_path") or "")
    found: str | Path | None = base
    if base is None and said:
        places = [path / said, Path(said)]
        found = next((p for p in places if (p / "config.json").is_file()), said if said in specimen.BUILTIN else None)
    if found is None:
        what = f"its base '{said}' is not here" if said else f"{CONFIG} does not say what its base is"
        fetch = f", or --with base=hf:{said} to fetch it" if re.fullmatch(r"[\w.-]+/[\w.-]+", said) else ""
        raise BadInput(f"{path}: is an adapter, and {what}; name it with --with base=DIR{fetch}")
    opened = open_target(found, session=session)
    if type(opened) is not TransformersTarget:
        raise BadInput(f"{path}: its base {found} is a kind of thing that an adapter cannot be merged into")
    return AdapterTarget(path, opened, session=session, name=name)
