"""A language model in a Hugging Face directory: safetensors, read through transformers when something must be computed.

Opening reads JSON and hashes bytes. An audit whose evidence is all in the store imports neither torch nor transformers.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.access import OPEN_WEIGHTS
from probatum.core.errors import BadInput
from probatum.engine.batches import BatchSize
from probatum.engine.chat_template import ChatTemplate
from probatum.engine.encoding import POLICY, Encoder
from probatum.engine.sampling import SampledBatch, Sampler
from probatum.engine.session import Session
from probatum.engine.stored import Batch, Failure, StoredTarget
from probatum.targets import weights as disk

_DTYPES = ("float32", "bfloat16", "float16")
_CONTEXT_NAMES = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length", "seq_length")
_ENDLESS = 2048  # the context of models that name none (recurrent ones)


class TransformersTarget(StoredTarget):
    """A causal language model on this machine.

    Parameters
    ----------
    path
        A directory with ``config.json``, safetensors and a tokenizer.
    session
        Device, dtype, batch size, store, budget and counters.
    name
        What people call it; the directory otherwise.

    Attributes
    ----------
    context
        Tokens that it reads at once; longer texts are read in windows, and ``windowed`` counts those texts.
    padding_difference
        Largest difference seen between a padded batch and a text alone (over 1e-4 in float32 is an error).
    head
        ``"chunked"``, or ``"model"`` if its logits could only be had whole, one text at a time; None before loading.

    Raises
    ------
    BadInput
        Not a model directory, pickle weights, custom code, a damaged file, no tokenizer; one sentence each.
    """

    kind = "language model"
    access = OPEN_WEIGHTS
    encoding_policy = POLICY
    shares_prefixes = True

    def __init__(self, path: str | Path, *, session: Session, name: str | None = None):
        super().__init__(session)
        self.path = Path(path)
        self.name = name or str(path)
        self.config = disk.read_config(self.path)
        disk.refuse_quantized(self.path, self.config)
        self._files = disk.weight_files(self.path)
        stored = disk.Weights(self._files)
        disk.refuse_whole_numbers(self.path, stored)
        self.tokenizer_path = self.path
        self._refuse_custom_code()
        self.tokenizer_digest = disk.tokenizer_digest(self.path)
        self.digest = disk.model_digest(self.path, self._files)
        self._seen = self._stamp()
        self.parameter_count = stored.parameter_count
        self.device = _device(session.device)
        self.dtype = _dtype(session.dtype, self.device, self.config, stored.dtype)
        self.attention = "sdpa, else eager"
        self.context = _context(self.config, self.path)
        self.encoding_policy = f"{POLICY}; context={self.context}"
        self._size = BatchSize(session.batch_tokens)

    @property
    def chats(self) -> bool:  # type: ignore[override]
        """Whether the tokenizer brings a chat template."""
        return bool(self.template_digest)

    @cached_property
    def template_digest(self) -> str:  # type: ignore[override]
        """Of the tokenizer's chat template; "" without one."""
        return disk.template_digest(self.tokenizer_path)

    @property
    def windowed(self) -> int:
        return self._collector.windowed if "_collector" in self.__dict__ else 0

    @property
    def padding_difference(self) -> float:
        return self._collector.padding_difference if "_collector" in self.__dict__ else 0.0

    @property
    def head(self) -> str | None:
        return self._network.head if "_network" in self.__dict__ else None

    def weights(self) -> Mapping[str, np.ndarray]:
        """The parameters by name, float32, each read when it is touched."""
        return disk.Weights(self._files)

    def files(self) -> Path:
        """The model's directory."""
        return self.path

    @contextlib.contextmanager
    def module(self) -> Iterator[Any]:
        """A copy of the transformers model, in evaluation mode, with gradients; ``tokenizer()`` fits it."""
        yield copy.deepcopy(self._network.model).requires_grad_(True)

    def sequences(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Token ids of every text with what is put before it, int32; cut to the context."""
        return [encoded.sequence[: self.context] for encoded in self._encoder(texts)]

    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self._encoder.tokenizer

    # Loading, on first use.

    @cached_property
    def _encoder(self) -> Encoder:
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(
                self.tokenizer_path, local_files_only=True, trust_remote_code=self.session.trust_remote_code
            )
        except Exception as error:  # transformers raises whatever its parsers raise
            raise BadInput(f"{self.path}: its tokenizer cannot be opened ({_first_line(error)})") from error
        return Encoder(tokenizer, self._text_config().get("vocab_size") or len(tokenizer), self.name)

    @cached_property
    def _template(self) -> ChatTemplate:
        return ChatTemplate(self._encoder.tokenizer, self.name)

    @property
    def chat_note(self) -> str:
        """What a reader must know of how conversations were put to it, or ""."""
        return self._template.note if self.chats else ""

    @cached_property
    def _network(self) -> Any:
        from probatum.engine.loading import load
        from probatum.engine.network import Network

        if self._stamp() != self._seen:
            raise BadInput(f"{self.path}: the files changed since they were opened; open the model again")
        model = load(self.path, str(self.dtype), self.device, self.session.trust_remote_code)
        return Network(model, self.name)

    @cached_property
    def _collector(self) -> Any:
        from probatum.engine.one_pass import RecordCollector

        return RecordCollector(self._network, self.context, self._size)

    @cached_property
    def _gradients(self) -> Any:
        from probatum.engine.gradients import Gradients

        return Gradients(self._network, self.context, self._size)

    def _text_config(self) -> dict[str, Any]:
        nested = self.config.get("text_config")
        return nested if isinstance(nested, dict) else self.config

    def _refuse_custom_code(self) -> None:
        if self.session.trust_remote_code:
            return
        tokenizer = self.tokenizer_path / "tokenizer_config.json"
        for file in (self.path / "config.json", tokenizer):
            if file.is_file() and "auto_map" in disk.read_json(file):
                raise BadInput(
                    f"{file}: wants to run code that comes with the model (auto_map); read that code, then allow it "
                    "with --trust-remote-code, or remove the entry if transformers knows the architecture"
                )

    def _stamp(self) -> list[tuple[int, int]]:
        return [(s.st_size, s.st_mtime_ns) for s in (f.stat() for f in [*self._files, self.path / "config.json"])]

    # The hooks.

    def _count_pass(self) -> None:
        self.session.cost.forward_passes += 1

    def _compute_encodings(self, texts: Sequence[str]) -> Iterator[Batch]:
        yield range(len(texts)), [encoded.scored for encoded in self._encoder(texts)]

    def _compute_records(self, texts: Sequence[str]) -> Iterator[Batch]:
        return self._collector.collect(self._encoder(texts), self._book, self._count_pass)  # type: ignore[no-any-return]

    def _compute_records_after(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Batch]:
        from probatum.engine.shared_prefix import collect_after

        return collect_after(self._encoder, self._collector, pairs, self._book, self._count_pass)

    def _compute_choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> Iterator[Batch]:
        from probatum.engine.options import score_options

        return score_options(self._encoder, self._collector, prompts, options, self._book, self._count_pass)

    def _compute_generations(
        self, prompts: Sequence[str], max_new_tokens: int, temperature: float, stop: str | None, seed: int
    ) -> Iterator[Batch]:
        return self._compute_cut_generations(prompts, max_new_tokens, temperature, stop, seed, 0)

    def _compute_cut_generations(
        self, prompts: Sequence[str], max_new_tokens: int, temperature: float, stop: str | None, seed: int, top_k: int
    ) -> Iterator[Batch]:
        from probatum.engine.generation import Sampling, generate

        sampling = Sampling(max_new_tokens, temperature, stop, seed, top_k)
        model = (self._encoder, self._network, self.context, self._size)
        return generate(*model, prompts, sampling, self._book, self._count_pass, self._count_new)

    def _count_new(self, tokens: int) -> None:
        self.session.cost.generated_tokens += tokens

    def _compute_chats(
        self,
        conversations: Sequence[Sequence[Mapping[str, str]]],
        max_new_tokens: int,
        temperature: float,
        seed: int,
    ) -> Iterator[Batch]:
        prompts = [self._template(talk) for talk in conversations]
        if failed := [i for i, prompt in enumerate(prompts) if isinstance(prompt, Failure)]:
            yield failed, [prompts[i] for i in failed]
        asked = {i: prompt for i, prompt in enumerate(prompts) if isinstance(prompt, str)}
        places, texts = list(asked), list(asked.values())
        for indices, answers in self._compute_generations(texts, max_new_tokens, temperature, None, seed):
            yield [places[i] for i in indices], answers

    def _compute_sampling(self, texts: Sequence[str], temperature: float, top_k: int, top_p: float) -> Iterator[Batch]:
        from probatum.engine.sampling import collect_sampling

        encoded = self._encoder(texts)
        return collect_sampling(self._collector, encoded, temperature, top_k, top_p, self._book, self._count_pass)

    def _compute_sampled_records(self, texts: Sequence[str], samplers: Sequence[Sampler]) -> Iterator[SampledBatch]:
        from probatum.engine.sampling import collect_with_records

        return collect_with_records(self._collector, self._encoder(texts), samplers, self._book, self._count_pass)

    def _compute_beams(self, prompts: Sequence[str], max_new_tokens: int, width: int) -> Iterator[Batch]:
        from probatum.engine.beams import search

        model = (self._encoder, self._network, self.context, self._size)
        return search(*model, prompts, max_new_tokens, width, self._book, self._count_pass)

    def _compute_lens(self, prompts: Sequence[str], top: int) -> Iterator[Batch]:
        from probatum.engine.lens import collect_lens

        model = (self._encoder, self._network, self.context, self._size)
        return collect_lens(*model, prompts, top, self._book, self._count_pass)

    def gradient_groups(self) -> tuple[str, ...]:
        """The groups of parameters whose gradients are told apart, in order."""
        return self._gradients.groups  # type: ignore[no-any-return]

    def _compute_gradient_norms(self, texts: Sequence[str]) -> Iterator[Batch]:
        return self._gradients.norms(self._encoder(texts), self._book, self._count_pass)  # type: ignore[no-any-return]

    def _compute_gradient_features(self, texts: Sequence[str], dimension: int, seed: int) -> Iterator[Batch]:
        encoded = self._encoder(texts)
        return self._gradients.features(encoded, dimension, seed, self._book, self._count_pass)  # type: ignore[no-any-return]

    def _compute_hidden(self, texts: Sequence[str], layers: Sequence[int], pool: str) -> Iterator[Batch]:
        from probatum.engine.hidden import collect_hidden

        model = (self._encoder, self._network, self.context, self._size)
        return collect_hidden(*model, texts, layers, pool, self._book, self._count_pass)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _device(wanted: str) -> str:
    """``auto`` becomes cuda or cpu; torch is asked only where a driver suggests that there may be a GPU."""
    if wanted != "auto":
        return wanted
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "cpu"
    if os.name == "posix" and not any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _dtype(wanted: str, device: str, config: Mapping[str, Any], stored: str) -> str:
    """What it is computed in: as saved, but float32 on a CPU, where half precision is slow and less exact."""
    if wanted != "auto":
        if wanted not in _DTYPES:
            raise BadInput(f"dtype must be auto or one of {', '.join(_DTYPES)}, got {wanted}")
        return wanted
    saved = config.get("dtype") or config.get("torch_dtype") or stored
    return saved if device != "cpu" and saved in _DTYPES else "float32"


def _context(config: Mapping[str, Any], path: Path) -> int:
    text = config.get("text_config")
    text = text if isinstance(text, dict) else config
    named = next((text[n] for n in _CONTEXT_NAMES if isinstance(text.get(n), int) and text[n] > 1), _ENDLESS)
    file = path / "tokenizer_config.json"
    limit = disk.read_json(file).get("model_max_length") if file.is_file() else None
    return min(named, int(limit)) if isinstance(limit, (int, float)) and 1 < limit < 1e9 else int(named)
