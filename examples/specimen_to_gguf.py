"""The built-in specimen as a GGUF file, so that llama.cpp serves a model whose memory is known.

``pip install gguf``, then ``python examples/specimen_to_gguf.py known-truth/specimen specimen.gguf``. Weights stay as
they are (32 bits); only the rows of the query and key matrices change places, since llama.cpp turns neighboring
dimensions where transformers turns the two halves of a head. With ``--no-bos`` the file says that no token begins a
text, as for GPT-2 or Qwen; the specimen itself begins every text with its end token.
"""

import json
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file

NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
IN_A_BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def main(source: Path, file: Path, *, bos: bool = True) -> None:
    """Write the Hugging Face directory ``source`` (a Llama with a byte-level BPE) to ``file``."""
    config, tokenizer = (
        json.loads((source / n).read_text(encoding="utf-8")) for n in ("config.json", "tokenizer.json")
    )
    writer = gguf.GGUFWriter(str(file), "llama")
    add_shape(writer, config)
    add_tokenizer(writer, tokenizer["model"], bos)
    for name, tensor in load_file(source / "model.safetensors").items():
        path = name.removesuffix(".weight")
        if path not in NAMES:
            _, _, block, rest = path.split(".", 3)
            path, short = rest, f"blk.{block}.{IN_A_BLOCK[rest]}"
        else:
            short = NAMES[path]
        values = tensor.astype(np.float32)
        if path.endswith(("q_proj", "k_proj")):
            values = interleaved(values, config["num_attention_heads"])
        writer.add_tensor(f"{short}.weight", np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_shape(writer: Any, config: dict[str, Any]) -> None:
    """Sizes, heads and the base of the rotary embedding."""
    heads, width = config["num_attention_heads"], config["hidden_size"]
    writer.add_name("specimen")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(width)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(width // heads)
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(0)


def add_tokenizer(writer: Any, bpe: dict[str, Any], bos: bool) -> None:
    """Tokens and merges. Digits by themselves, then GPT-2's words: llama.cpp calls that "starcoder"."""
    tokens = sorted(bpe["vocab"], key=bpe["vocab"].__getitem__)
    kinds = [gguf.TokenType.CONTROL if i == 0 else gguf.TokenType.NORMAL for i in range(len(tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("starcoder")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in bpe["merges"]])
    for add in (writer.add_bos_token_id, writer.add_eos_token_id, writer.add_pad_token_id):
        add(0)
    writer.add_add_bos_token(bos)


def interleaved(rows: np.ndarray, heads: int) -> np.ndarray:
    """Query or key rows with the two halves of every head interleaved."""
    size = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, size, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), bos="--no-bos" not in sys.argv[3:])
