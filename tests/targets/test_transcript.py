"""Recorded answers: every shape gives the same answers, prompts are found, and a bad file is one sentence."""

import json
import zipfile
import zlib

import pyarrow
import pytest

from probatum.core.errors import BadInput
from probatum.targets import open_target
from probatum.targets.eval_log import ZSTANDARD
from probatum.targets.transcript import TranscriptTarget


def user(text, *before):
    return [*before, {"role": "user", "content": text}]


SYSTEM = {"role": "system", "content": "Be brief."}


def reply(text, model="m-1"):
    message = {"role": "assistant", "content": text}
    return {"object": "chat.completion", "model": model, "choices": [{"index": 0, "message": message}]}


#: Shape → two records, each of which says "4" to "2 + 2?" or "6" to "3 + 3?".
SHAPES = {
    "our own": lambda q, a: {"id": q, "prompt": q, "answer": a},
    "TrustLLM, with its gold answer": lambda q, a: {"prompt": q, "answer": "gold", "label": 1, "res": a},
    "DecodingTrust": lambda q, a: [user(q, SYSTEM), reply(a)],
    "messages and completion": lambda q, a: {"messages": user(q), "response": reply(a)},
    "request and response": lambda q, a: {"request": {"model": "m-1", "messages": user(q)}, "response": reply(a)},
    "a conversation that ends with its answer": lambda q, a: {
        "messages": [*user(q), {"role": "assistant", "content": a}]
    },
    "instruction and output": lambda q, a: {"instruction": q, "output": a, "generator": "m-1"},
    "content in parts": lambda q, a: {
        "messages": [{"role": "user", "content": [{"type": "text", "text": q}]}],
        "completion": [{"type": "text", "text": a}],
    },
    "a list of one": lambda q, a: {"prompt": q, "outputs": [{"text": a}]},
}


def records(shape):
    return [SHAPES[shape]("2 + 2?", "4"), SHAPES[shape]("3 + 3?", "6")]


def lines(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("how", ["lines", "one list in one line", "a JSON file"])
def test_every_shape_gives_the_same_answers(shape, how, tmp_path):
    rows = records(shape)
    path = tmp_path / ("a.json" if how == "a JSON file" else "a.jsonl")
    lines(path, rows if how == "lines" else [rows])
    target = open_target(path)
    assert target.kind == "transcript"
    assert target.answers([user("3 + 3?"), user("2 + 2?")]) == ["6", "4"]
    assert target.failures == {}


def test_requests_beside_responses(tmp_path):
    value = {"requests": [user("2 + 2?"), user("3 + 3?")], "responses": [reply("4"), reply("6")], "labels": ["x", "y"]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    assert open_target(path).answers([user("3 + 3?")]) == ["6"]


def test_a_prompt_is_found_by_its_turns_and_then_by_what_the_user_said_last(tmp_path):
    rows = [
        {"messages": user("Is it so?", SYSTEM), "answer": "exact"},
        {"messages": user("Read  this:\nthe  text"), "answer": "spaces"},
        {"prompt": "Answer with one letter.\nWho is it? (A) me (B) you", "answer": "after an instruction"},
        {"messages": [*user("Why?"), {"role": "assistant", "content": "So."}, *user("Are you sure?")], "answer": "yes"},
    ]
    target = TranscriptTarget(lines(tmp_path / "a.jsonl", rows))
    other = {"role": "system", "content": "Be long."}
    again = [*user("When?"), {"role": "assistant", "content": "Now."}, *user("Are you sure?")]
    assert target.answers([user("Is it so?", SYSTEM), user("Is it so?")]) == ["exact", "exact"]
    asked = [
        user("Is it so?", other), user("Read this: the text"), user("Who is it? (A) me (B) you"),
        user("it? (A) me (B) you", other), again, user("Never asked"),
    ]  # fmt: skip
    said = target.answers(asked)
    assert said[:4] == ["exact", "spaces", "after an instruction", "after an instruction"]
    assert said[4:] == [None, None], "an answer to another conversation is no answer"
    assert target.failures["Never asked"] == "no answer was recorded to this prompt"


def test_a_system_prompt_that_belongs_to_its_item_must_be_the_same(tmp_path):
    """Rules and secrets stand in system prompts; an answer under other rules is an answer to another item."""
    rules = [{"role": "system", "content": f"The word is {word}."} for word in ("oak", "elm", "ash")]
    rows = [{"messages": user(q, rule), "answer": q} for q, rule in zip(("Tell me.", "Hello"), rules, strict=False)]
    target = TranscriptTarget(lines(tmp_path / "a.jsonl", rows))
    assert target.answers([user("Tell me.", rules[0]), user("Tell me.", rules[2])]) == ["Tell me.", None]
    same = TranscriptTarget(lines(tmp_path / "b.jsonl", [{"messages": user("Tell me.", SYSTEM), "answer": "x"}]))
    with pytest.raises(BadInput, match="none of the 2 prompts"):
        same.answers([user("Tell me.", rules[0]), user("Tell me.", rules[1])])
    assert same.answers([user("Tell me.", rules[0])]) == ["x"]


def test_where_several_answers_would_fit_none_is_given(tmp_path):
    rows = [{"messages": user("Who?", {"role": "system", "content": s}), "answer": s} for s in ("one", "two")]
    target = TranscriptTarget(lines(tmp_path / "a.jsonl", [*rows, {"prompt": "x", "answer": "y"}]))
    assert target.answers([user("Who?"), user("x")]) == [None, "y"]
    assert target.answers([user("Who?", {"role": "system", "content": "two"})]) == ["two"]


def test_empty_answers_are_told_and_a_null_never_came(tmp_path):
    rows = [{"prompt": "a", "answer": "yes"}, {"prompt": "b", "answer": "  "}, {"prompt": "c", "answer": None}]
    target = TranscriptTarget(lines(tmp_path / "a.jsonl", rows))
    assert target.answers([user(x) for x in "abc"]) == ["yes", "  ", None]
    assert target.failures == {"c": "recorded without an answer"}
    assert "2 recorded answers are empty and count as missing" in target.notes


def test_notes_tell_columns_models_and_repetitions(tmp_path):
    rows = [[user("a"), reply("1", "gpt")], [user("b"), reply("2", "llama")], [user("b"), reply("2", "llama")]]
    notes = " | ".join(TranscriptTarget(lines(tmp_path / "a.jsonl", rows)).notes)
    assert "3 recorded answers, read from the reply of a.jsonl; they are of gpt, llama" in notes
    assert "answers of 2 models" in notes
    assert "1 records repeat a prompt and its answer" in notes


def test_the_digest_is_of_the_content_whatever_its_order_and_shape(tmp_path):
    a = TranscriptTarget(lines(tmp_path / "a.jsonl", records("our own")))
    b = TranscriptTarget(lines(tmp_path / "b.jsonl", records("instruction and output")[::-1]))
    other = TranscriptTarget(lines(tmp_path / "c.jsonl", records("our own")[:1]))
    assert a.digest == b.digest != other.digest


def test_prompts_alone_can_be_continued_or_are_refused(tmp_path):
    target = TranscriptTarget(lines(tmp_path / "a.jsonl", records("our own")))
    assert target.generate(["2 + 2?"]) == ["4"]
    with pytest.raises(BadInput, match="1 of 2 prompts have no recorded answer"):
        target.generate(["2 + 2?", "5 + 5?"])


BAD = {
    "not JSON": ("prompt: hello", "line 1: not JSON"),
    "empty": ("\n \n", "the file is empty"),
    "a number": ("17", "expected a prompt and its answer, got int"),
    "no prompt": ('{"text": "a", "answer": "b"}', "line 1: holds no prompt"),
    "no answer": ('{"prompt": "a", "label": 1}', "holds no answer.*present: prompt, label"),
    "two answers": ('{"prompt": "a", "responses": ["b", "c"]}', "holds 2 answers; expected one"),
    "an answer that is none": ('{"prompt": "a", "answer": {"x": 1}}', "neither text nor a chat completion"),
    "a message without a role": ('{"messages": [{"content": "a"}], "answer": "b"}', "needs a role"),
    "only empty answers": ('{"prompt": "a", "answer": ""}\n{"prompt": "b", "answer": null}', "all 2 answers are empty"),
    "one prompt, two answers": (
        '{"prompt": "a", "answer": "b"}\n{"prompt": "a", "answer": "c"}',
        "line 2 answers a prompt otherwise than line 1",
    ),
    "an id twice": (
        '{"id": 7, "prompt": "a", "answer": "b"}\n{"id": 7, "prompt": "c", "answer": "d"}',
        "line 2 has the id of line 1; ids must differ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_one_sentence_without_its_content(fault, tmp_path):
    content, sentence = BAD[fault]
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=sentence) as error:
        TranscriptTarget(path)
    assert "\n" not in str(error.value)
    assert "bad.jsonl" in str(error.value)


def test_answers_to_other_items_are_told_with_their_number(tmp_path):
    target = TranscriptTarget(lines(tmp_path / "a.jsonl", records("our own")))
    with pytest.raises(BadInput, match="answers none of the 3 prompts asked here; its 2 answers are to other items"):
        target.answers([user("x"), user("y"), user("z")])


# Logs of Inspect.


def sample(name, question, answer, **more):
    talk = [{"role": "system", "content": "attachment://k"}, {"role": "user", "content": question}]
    message = {"role": "assistant", "content": answer}
    said = {"model": "mock/model", "choices": [{"message": message}], "completion": answer}
    row = {"id": name, "epoch": 1, "input": question, "messages": [*talk, message], "output": said}
    return {**row, "attachments": {"k": "A long system prompt."}, **more}


def eval_file(path, samples, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("header.json", json.dumps({"version": 2, "eval": {"model": "mock/model"}}))
        for row in samples:
            archive.writestr(f"samples/{row['id']}_epoch_{row['epoch']}.json", json.dumps(row))
    return path


SAMPLES = [sample("q1", "2 + 2?", "4"), sample("q2", "3 + 3?", "6"), sample("q3", "4 + 4?", "", error={"message": "x"})]


def test_logs_of_inspect_are_read_with_attachments_and_errors(tmp_path):
    target = open_target(eval_file(tmp_path / "run.eval", SAMPLES))
    long = {"role": "system", "content": "A long system prompt."}
    assert target.answers([user("2 + 2?", long), user("3 + 3?"), user("4 + 4?")]) == ["4", "6", None]
    assert "they are of mock/model" in target.notes[0]
    whole = tmp_path / "run.json"
    whole.write_text(json.dumps({"version": 2, "eval": {}, "samples": SAMPLES}), encoding="utf-8")
    assert open_target(whole).digest == target.digest


def zstandard(path, samples):
    """As Inspect writes them: stored here, and each part then replaced by its Zstandard frame of equal place."""
    bodies = {f"samples/{s['id']}_epoch_1.json": json.dumps(s).encode() for s in samples}
    packed = {name: pyarrow.compress(body, "zstd", asbytes=True) for name, body in bodies.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in packed.items():
            archive.writestr(name, body)
        for info in archive.infolist():  # the directory is written on closing: it now names the other compression
            info.compress_type, info.file_size = ZSTANDARD, len(bodies[info.filename])
            info.CRC = zlib.crc32(bodies[info.filename])
    return path


def test_logs_in_zstandard_are_read_though_zipfile_cannot(tmp_path):
    target = open_target(zstandard(tmp_path / "run.eval", SAMPLES[:2]))
    assert target.answers([user("2 + 2?"), user("3 + 3?")]) == ["4", "6"]


def test_a_damaged_or_hostile_log_is_one_sentence(tmp_path, monkeypatch):
    from probatum.targets import eval_log

    good = eval_file(tmp_path / "good.eval", SAMPLES)
    cut = tmp_path / "cut.eval"
    cut.write_bytes(good.read_bytes()[:-40])
    with pytest.raises(BadInput, match="cannot be read as a log of Inspect"):
        open_target(cut)
    (tmp_path / "text.eval").write_text("no zip")
    with pytest.raises(BadInput, match="cannot be read as a log of Inspect"):
        open_target(tmp_path / "text.eval")
    with zipfile.ZipFile(tmp_path / "other.eval", "w") as archive:
        archive.writestr("weights.bin", b"x")
    with pytest.raises(BadInput, match="holds no samples"):
        open_target(tmp_path / "other.eval")
    flipped = zstandard(tmp_path / "flipped.eval", SAMPLES[:1])
    raw = bytearray(flipped.read_bytes())
    raw[120] ^= 255
    flipped.write_bytes(raw)
    with pytest.raises(BadInput, match=r"flipped\.eval"):
        open_target(flipped)
    with zipfile.ZipFile(tmp_path / "bomb.eval", "w") as archive:  # inflates further than it says
        archive.writestr("samples/q1_epoch_1.json", pyarrow.compress(b" " * 10**7, "zstd", asbytes=True))
        info = archive.infolist()[0]
        info.compress_type, info.file_size, info.CRC = ZSTANDARD, 10, 0
    with pytest.raises(BadInput, match="larger than it says"):
        open_target(tmp_path / "bomb.eval")
    monkeypatch.setattr(eval_log, "LARGEST", 100)  # what inflates further than it may is not inflated
    for name in ("good.eval", "zstd.eval"):
        path = zstandard(tmp_path / name, SAMPLES) if name == "zstd.eval" else good
        with pytest.raises(BadInput, match=r"is larger than"):
            open_target(path)


def test_an_epoch_that_answers_otherwise_is_refused(tmp_path):
    again = {**sample("q1", "2 + 2?", "5"), "epoch": 2}
    with pytest.raises(BadInput, match="answers a prompt otherwise"):
        open_target(eval_file(tmp_path / "run.eval", [*SAMPLES, again]))


def test_a_real_log_of_inspect_reads_as_inspect_reads_it(tmp_path):
    log = pytest.importorskip("inspect_ai.log")
    from inspect_ai import Task, eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    outputs = [ModelOutput.from_content("mockllm/model", f"Answer {i}") for i in range(3)]
    for output in outputs:
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    data = MemoryDataset([Sample(input=f"Question {i}? {'long ' * 60}", target="x") for i in range(3)])
    model = get_model("mockllm/model", custom_outputs=outputs, memoize=False)
    (done,) = eval(Task(dataset=data), model=model, log_dir=str(tmp_path), display="none", max_samples=1)
    kept = log.read_eval_log(done.location)
    target = open_target(done.location)
    said = target.answers([user(str(s.input)) for s in kept.samples])
    assert said == [s.output.completion for s in kept.samples]
