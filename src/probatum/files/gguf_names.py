"""What Hugging Face calls the tensors of a GGUF file, and what the conversion to GGUF did to them.

Names and changes are those of ``convert_hf_to_gguf.py`` and of the package ``gguf`` (ggml-org/llama.cpp).
"""

from __future__ import annotations

import re

#: Architectures that name their tensors as Llama does.
LLAMA_LIKE = ("llama", "qwen2", "qwen3", "qwen2moe", "qwen3moe", "gemma", "gemma2", "gemma3", "phi3", "stablelm",
              "starcoder2", "olmo2", "command-r", "internlm2", "granite", "mistral3", "smollm3", "exaone", "minicpm",
              "nemotron")  # fmt: skip
_LLAMA = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_qkv": "self_attn.qkv_proj", "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
_GEMMA = {
    "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}  # fmt: skip
_GPT2 = {
    "attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2",
    "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj",
}  # fmt: skip
_OUTSIDE_GPT2 = {
    "token_embd": "transformer.wte", "position_embd": "transformer.wpe", "output_norm": "transformer.ln_f",
    "output": "lm_head",
}  # fmt: skip
#: Computed from the configuration by the converter: no parameters.
_COMPUTED = re.compile(r"^(rope_freqs|rope_factors_(long|short)|blk\.\d+\.rope_freqs)\.weight$")
_BLOCK = re.compile(r"^blk\.(\d+)\.(.+)\.(weight|bias)$")


def hugging_face_name(name: str, architecture: str) -> str | None:
    """The name of a tensor on the hub; its own where the architecture is not known, None where it is no parameter."""
    if _COMPUTED.match(name):
        return None
    stem, dot, last = name.rpartition(".")
    if architecture == "gpt2":
        outside, layers, inside = _OUTSIDE_GPT2, "transformer.h.", _GPT2
    elif architecture in LLAMA_LIKE:
        outside = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
        layers, inside = "model.layers.", _LLAMA | (_GEMMA if architecture in ("gemma2", "gemma3") else {})
        inside = inside | ({"ffn_up": "mlp.gate_up_proj"} if architecture == "phi3" else {})
    else:
        return name
    if stem in outside:
        return outside[stem] + dot + last
    found = _BLOCK.match(name)
    if found and found[2] in inside:
        return f"{layers}{found[1]}.{inside[found[2]]}.{found[3]}"
    return name


def is_turned(name: str, architecture: str) -> bool:
    """Was the matrix transposed? GPT-2's are on the hub [inputs, outputs], in GGUF [outputs, inputs]."""
    return architecture == "gpt2" and bool(re.search(r"\.(c_attn|c_proj|c_fc)\.weight$", name))


def is_interleaved(name: str, architecture: str) -> bool:
    """Were the rows of each head put in the order of pairs, as llama.cpp rotates them?"""
    return architecture == "llama" and bool(re.search(r"\.self_attn\.[qk]_proj\.(weight|bias)$", name))


def norm_shift(name: str, architecture: str) -> float:
    """What the converter added to a weight: 1 to the norms of Gemma, which multiply by 1 + weight."""
    return 1.0 if architecture in ("gemma", "gemma2", "gemma3") and name.endswith("norm.weight") else 0.0
