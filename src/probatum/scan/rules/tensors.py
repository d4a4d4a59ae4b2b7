"""TOR and SFT: containers of weights."""

from __future__ import annotations

from probatum.scan.rules.rule import Rule

RULES = (
    Rule(
        "TOR001",
        "not covered",
        "a storage that nothing refers to, or of the wrong size",
        means="A member in data/, or a block of a legacy file, is not the size that the pickle declares, or unused.",
        matters="Unexplained bytes inside a checkpoint may be meant for another reader.",
        example="data/7 of 40 MB that no tensor uses.",
        do="Save the checkpoint again with a current PyTorch.",
    ),
    Rule(
        "TOR002",
        "executes unknown code",
        "a TorchScript archive",
        means="The archive holds code/ or constants.pkl: a compiled program that torch.jit.load runs.",
        matters="TorchScript is code: it can read and write files when the model is called.",
        example="archive/code/__torch__/model.py",
        do="Ask for the state dict instead, or read the code.",
    ),
    Rule(
        "TOR003",
        "not covered",
        "a legacy checkpoint that does not follow its layout",
        means="The five streams, the list of storages or the blocks behind them do not fit together.",
        matters="PyTorch and other readers would read different things.",
        example="A computed magic number.",
        do="Save the checkpoint again with a current PyTorch.",
    ),
    Rule(
        "SFT001",
        "not covered",
        "a header that is not strict safetensors",
        means="The header is too long, no JSON object, has a key twice, or a tensor without dtype, shape or offsets.",
        matters="Readers differ in what they make of it.",
        example="The same tensor name twice: one reader takes the first, another the last.",
        do="Write the file again with the safetensors library.",
    ),
    Rule(
        "SFT002",
        "not covered",
        "tensors that overlap, leave gaps or have the wrong size",
        means="Offsets do not cover the data exactly once, or a span differs from shape times size of the dtype.",
        matters="Bytes in a gap are read by no tensor and may be there for another reader.",
        example="A hole of 1 MB between two tensors.",
        do="Write the file again with the safetensors library.",
    ),
    Rule(
        "SFT003",
        "dangerous",
        "bytes after the last tensor",
        means="The file goes on after the data that the header declares.",
        matters="Archives are found from the end: the same file may be a zip for another loader.",
        example="A zip appended to model.safetensors.",
        do="Do not use it; ask how it was written.",
    ),
    Rule(
        "SPM001",
        "not covered",
        "a message that is not SentencePiece's",
        means="The file begins like a SentencePiece model and has fields that the format lacks, or breaks off.",
        matters="What stands there was not judged.",
        example="A tokenizer.model with bytes appended.",
        do="Get the file again, and compare its digest.",
    ),
)
