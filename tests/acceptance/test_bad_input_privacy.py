"""Data, models, keys and logs that do not fit a privacy audit: refused in one sentence, or said in the report."""

import json
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest
from driving import Ran, finding, report_in, write_jsonl
from own_models import letters, train
from safetensors.numpy import load_file, save_file

from probatum.controls.canaries import make
from probatum.core.catalogue import entries
from probatum.core.data import Records
from probatum.engine.stored import StoredTarget

SOURCES = Path(__file__).resolve().parents[2] / "src"


def texts_in(file):
    return [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]


def write_rows(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def probes(*names):
    return tuple(word for name in names for word in ("--probe", name))


@pytest.fixture
def sides(tiny):
    return ("--members", tiny / "members.jsonl", "--nonmembers", tiny / "nonmembers.jsonl")


@pytest.fixture
def refused(probatum, tmp_path):
    """Audits with words that cannot be; gives the one sentence."""

    def audit(*words):
        ran = probatum("audit", *words, "--out", tmp_path / "out")
        assert ran.code == 2, (ran.code, ran.out, ran.err)
        lines = [line for line in ran.err.splitlines() if " probes, now " not in line]  # progress, where it was slow
        assert len(lines) == 1, ran.err
        assert lines[0].startswith("probatum: ")
        assert ran.out == ""
        assert not (tmp_path / "out").exists(), "something was written"
        return lines[0]

    return audit


@pytest.fixture
def report(probatum, tmp_path):
    """Audits one model, and gives its report."""

    def audit(*words, code=0):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        ran = probatum("audit", *words, "--quiet", "--out", tmp_path / "out")
        assert ran.code == code, (ran.code, ran.err)
        (folder,) = (tmp_path / "out").iterdir()
        return report_in(folder)

    return audit


def noted(report, words):
    return any(words in note for note in report["notes"])


# Members and nonmembers.


def test_members_that_are_the_nonmembers(refused, tiny):
    same = tiny / "members.jsonl"
    sentence = refused(tiny / "model", "--members", same, "--nonmembers", same, "--suite", "privacy")
    assert "20 texts stand both in" in sentence


@pytest.mark.slow
def test_near_duplicates_across_the_sides_are_counted_with_their_share(report, tiny, tmp_path):
    inside, outside = texts_in(tiny / "members.jsonl"), texts_in(tiny / "nonmembers.jsonl")
    few = write_jsonl(tmp_path / "few.jsonl", [f"{text} Yes." for text in inside[:3]] + outside[3:])
    got = report(tiny / "model", "--members", tiny / "members.jsonl", "--nonmembers", few, *probes("loss"))
    assert noted(got, "3 of 20 nonmembers (15.0%) share at least half")
    assert finding(got, "loss")["outcome"] == "no evidence"
    folder = next((tmp_path / "out").iterdir())
    for view in ("report.html", "card.md"):
        assert "3 of 20 nonmembers (15.0%)" in (folder / view).read_text(encoding="utf-8").replace("\\", ""), view


@pytest.mark.slow
def test_nothing_is_concluded_from_nonmembers_of_which_half_are_members_in_all_but_name(report, tiny, tmp_path):
    inside, outside = texts_in(tiny / "members.jsonl"), texts_in(tiny / "nonmembers.jsonl")
    half = write_jsonl(tmp_path / "half.jsonl", [text.replace(" ", "  ") for text in inside[:10]] + outside[10:])
    got = report(tiny / "model", "--members", tiny / "members.jsonl", "--nonmembers", half, *probes("loss"))
    loss = finding(got, "loss")
    assert loss["outcome"] == "inconclusive"
    assert "10 of 20 nonmembers are near-duplicates of members" in loss["reason"]


@pytest.mark.parametrize("side", ["members", "nonmembers"])
def test_one_side_is_empty(refused, tiny, sides, tmp_path, side):
    (tmp_path / "none.jsonl").write_text("\n")
    words = [tmp_path / "none.jsonl" if word == tiny / f"{side}.jsonl" else word for word in sides]
    assert "none.jsonl: the file is empty" in refused(tiny / "model", *words, "--suite", "privacy")


@pytest.mark.slow
def test_a_side_that_a_limit_left_empty_and_one_that_is_too_small(report, tiny, sides, tmp_path):
    loss = finding(report(tiny / "model", *sides, "--limit", "1", *probes("loss")), "loss")
    assert (loss["outcome"], loss["estimate"]) == ("inconclusive", None)
    assert "0 members and 1 nonmembers, at least 10 of each" in loss["reason"]
    nine = write_jsonl(tmp_path / "nine.jsonl", texts_in(tiny / "nonmembers.jsonl")[:9])
    got = report(tiny / "model", *sides[:3], nine, *probes("loss", "zlib_entropy"))
    for name in ("loss", "zlib_entropy"):
        assert finding(got, name)["outcome"] == "inconclusive"
        assert "20 members and 9 nonmembers" in finding(got, name)["reason"]


@pytest.mark.slow
def test_records_of_which_none_was_trained_on(report, tiny, tmp_path):
    rows = write_rows(tmp_path / "r.jsonl", [{**row, "member": False} for row in RECORDS])
    got = report(tiny / "model", "--records", rows, *probes("discoverable_extraction", "exposure"))
    for name in ("discoverable_extraction", "exposure"):
        assert finding(got, name)["outcome"] == "inconclusive"
        assert "too few records" in finding(got, name)["reason"]


@pytest.mark.slow
def test_a_rate_that_so_few_nonmembers_cannot_show_has_no_number(report, tiny, sides, tmp_path):
    loss = finding(report(tiny / "model", *sides, *probes("loss")), "loss")
    for rate in ("TPR at 1.0% FPR", "TPR at 0.1% FPR"):
        point = loss["breakdown"][rate]
        assert (point["value"], point["low"], point["high"]) == (None, 0.0, 1.0)
        assert point["method"] == "not resolvable with 20 nonmembers"
    page = (tmp_path / "out" / "model" / "report.html").read_text(encoding="utf-8")
    assert "not resolvable with 20 nonmembers" in page


@pytest.mark.slow
def test_swapped_labels_are_shown_as_reversed(report, own, tmp_path, probatum):
    words = (own / "model", "--members", own / "nonmembers.jsonl", "--nonmembers", own / "members.jsonl")
    loss = finding(report(*words, *probes("loss")), "loss")
    assert (loss["outcome"], loss["direction"]) == ("evidence", "reversed")
    assert loss["estimate"]["high"] < 0.5
    ran = probatum("report", tmp_path / "out" / "model" / "report.json")
    assert "reversed" in ran.out
    page = (tmp_path / "out" / "model" / "report.html").read_text(encoding="utf-8")
    assert "swapped" in page  # both explanations
    assert "unlearning" in page


# The reference.


@pytest.mark.slow
def test_a_reference_that_was_trained_on_the_members_is_named_and_clears_nobody(report, tiny, own):
    sides = ("--members", own / "members.jsonl", "--nonmembers", own / "nonmembers.jsonl")
    got = report(own / "model", *sides, "--reference", own / "model", *probes("reference_ratio", "loss"))
    assert noted(got, "by itself finds the members likelier")
    ratio = finding(got, "reference_ratio")
    assert ratio["outcome"] == "inconclusive"
    assert "the reference by itself finds the members likelier" in ratio["reason"]
    assert finding(got, "loss")["outcome"] == "evidence"  # it uses no reference
    got = report(own / "model", *sides, "--reference", own / "base", *probes("reference_ratio"))
    assert not noted(got, "finds the members likelier")


# Keys of canaries.


@pytest.fixture
def keys(tmp_path):
    """Two keys, and training data with the canaries of the first."""
    for seed, name in ((1, "own"), (2, "other")):
        make(tmp_path / name, count=60, repeats=(1,), seed=seed)
    planted = texts_in(tmp_path / "own" / "canaries.jsonl")
    write_jsonl(tmp_path / "train.jsonl", [*letters(20, seed=9), *planted])
    return tmp_path


@pytest.mark.slow
def test_the_canary_key_of_another_run_concludes_nothing(report, tiny, keys):
    data = ("--members", keys / "train.jsonl", "--nonmembers", tiny / "nonmembers.jsonl")
    got = report(tiny / "model", *data, "--canaries", keys / "other", *probes("epsilon_one_run"))
    assert noted(got, "planted canaries is in train.jsonl: is this the key of another run?")
    assert finding(got, "epsilon_one_run")["outcome"] == "inconclusive"
    assert "the key of another run" in finding(got, "epsilon_one_run")["reason"]
    for limit in ((), ("--limit", "30")):  # the key is held against the whole file, whatever part of it is asked
        got = report(tiny / "model", *data, "--canaries", keys / "own", *limit, *probes("epsilon_one_run"))
        assert not noted(got, "planted canaries")
        assert finding(got, "epsilon_one_run")["outcome"] == "no evidence"


@pytest.mark.slow
def test_a_key_that_nobody_can_check_is_taken_on_trust_and_this_is_said(report, tiny, keys):
    got = report(tiny / "model", "--canaries", keys / "own", *probes("loss"))
    assert finding(got, "loss")["outcome"] == "no evidence"
    assert noted(got, "that the canaries of this key were in the training data is taken on trust")


def test_what_is_no_key_of_canaries(refused, tiny, keys):
    assert "not a key of canaries" in refused(tiny / "model", "--canaries", keys / "train.jsonl")
    key = keys / "own" / "key.json"
    key.write_text(key.read_text().replace('"member": true', '"member": false', 1))
    assert "changed after it was made" in refused(tiny / "model", "--canaries", key)


# Logs of accountants.

LOG = {"noise_multiplier": 1.1, "sample_rate": 0.01, "steps": 1000, "delta": 1e-5}
LOGS = {
    "a sample rate above 1": ({**LOG, "sample_rate": 256}, "sample_rate must lie in (0, 1], got 256"),
    "no noise": ({**LOG, "noise_multiplier": 0}, "without noise nothing is guaranteed"),
    "only the epsilon that was promised": ({"epsilon": 8}, "'noise_multiplier' is missing (present: epsilon)"),
    "half a step": ({**LOG, "steps": 10.5}, "steps must be a whole number"),
    "phases of two promises": ([LOG, {**LOG, "delta": 1e-6}], "the phases state different deltas"),
    "no JSON": ("epsilon: 8", "not JSON"),
}


@pytest.mark.parametrize("case", LOGS)
def test_a_log_that_cannot_be_one(case, refused, tiny, tmp_path):
    content, words = LOGS[case]
    file = tmp_path / "train-log.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    assert words in refused(tiny / "model", "--dp-log", file, "--suite", "privacy")


@pytest.mark.slow
def test_a_log_that_promises_more_than_the_canaries_disprove_is_an_alarm(report, keys, once, tmp_path):
    def fill(folder):
        texts = letters(20, seed=9)
        train(folder / "model", [*texts, *texts_in(keys / "own" / "canaries.jsonl")], texts, steps=150)

    model = once("learned-canaries", fill) / "model"
    words = (model, "--canaries", keys / "own", *probes("epsilon_one_run"))
    for noise, alarm in ((50.0, True), (0.3, False)):
        file = tmp_path / "train-log.json"
        file.write_text(json.dumps({**LOG, "noise_multiplier": noise}))
        found = finding(report(*words, "--dp-log", file), "epsilon_one_run")
        assert found["outcome"] == "evidence", found["reason"]
        assert found["estimate"]["low"] > 1
        assert ("ALARM, the log is not of this training" in found["reason"]) is alarm


# Records that are empty, too long, or no text.

RECORDS = [{"prefix": f"The code of box {i} is ", "secret": f"{i * 7919 % 10**6:06d}"} for i in range(12)]


@pytest.mark.slow
def test_texts_without_a_word_are_left_out_and_counted(report, tiny, tmp_path):
    rows = [{"text": text} for text in texts_in(tiny / "members.jsonl")]
    some = write_rows(tmp_path / "some.jsonl", [{"text": ""}, *rows])
    data = ("--nonmembers", tiny / "nonmembers.jsonl", *probes("loss"))
    loss = finding(report(tiny / "model", "--members", some, *data), "loss")
    assert loss["unscored"] == {"too short: no token has a score": 1}
    assert loss["estimate"]["n"] == 40
    none = write_rows(tmp_path / "none.jsonl", [{"text": "", "id": i} for i in range(12)])
    loss = finding(report(tiny / "model", "--members", none, *data), "loss")
    assert loss["outcome"] == "inconclusive"
    assert "0 members and 20 nonmembers" in loss["reason"]


@pytest.mark.slow
def test_secrets_that_are_empty_are_unscored_and_nothing_is_concluded(report, tiny, tmp_path):
    rows = write_rows(tmp_path / "r.jsonl", [{**row, "secret": ""} for row in RECORDS])
    names = ("discoverable_extraction", "exposure", "probabilistic_extraction", "knowledge_bits")
    got = report(tiny / "model", "--records", rows, *probes(*names))
    for name in names:
        assert finding(got, name)["outcome"] == "inconclusive", name
        assert sum(finding(got, name)["unscored"].values()) == 12, name


@pytest.mark.slow
def test_texts_longer_than_the_context_are_read_in_windows(report, tiny, tmp_path):
    inside = texts_in(tiny / "members.jsonl")
    rows = write_jsonl(tmp_path / "m.jsonl", [" ".join(inside[:10]), " ".join(inside[10:]), *inside])
    words = (tiny / "model", "--members", rows, "--nonmembers", tiny / "nonmembers.jsonl", *probes("loss"))
    got = report(*words)
    assert noted(got, "2 of 42 texts are longer than the context of 256 tokens; they were read in overlapping windows")
    assert finding(got, "loss")["estimate"]["n"] == 42


@pytest.mark.slow
def test_secrets_longer_than_the_context_crash_nothing_and_clear_nobody(report, tiny, tmp_path):
    rng = np.random.default_rng(0)
    long = ["".join(map(str, rng.integers(10, size=400))) for _ in RECORDS]
    rows = [{**row, "secret": secret} for row, secret in zip(RECORDS, long, strict=True)]
    names = ("discoverable_extraction", "near_verbatim_extraction", "knowledge_bits")
    got = report(tiny / "model", "--records", write_rows(tmp_path / "r.jsonl", rows), *probes(*names))
    assert finding(got, "discoverable_extraction")["estimate"]["n"] == 12  # scored in windows
    unfit = {"near_verbatim_extraction": "does not fit into the context of 256", "knowledge_bits": "too many secrets"}
    for name, why in unfit.items():
        assert finding(got, name)["outcome"] == "inconclusive"
        assert any(why in reason for reason in finding(got, name)["unscored"])


SPOILED = {
    "a number": ([{**row, "secret": int(row["secret"])} for row in RECORDS], "'secret' must be text, got int"),
    "another format": ([{**row, "format": "dddd"} for row in RECORDS], "the secret is none of the format 'dddd'"),
    "no truth": ([{**row, "member": row["secret"]} for row in RECORDS], "record 1: 'member' must be true or false"),
    "no dose": ([{**row, "dose": row["prefix"]} for row in RECORDS], "record 1: 'dose' must be a number"),
    "twice": ([*RECORDS, RECORDS[2]], "the record 3 stands there twice"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_records_that_cannot_be_are_refused_without_being_quoted(case, refused, tiny, tmp_path):
    rows, words = SPOILED[case]
    sentence = refused(tiny / "model", "--records", write_rows(tmp_path / "r.jsonl", rows), "--suite", "privacy")
    assert words in sentence
    assert not [row for row in RECORDS if row["secret"] in sentence or row["prefix"] in sentence]


# Models.


def spoil(tiny, folder, change):
    """A copy of the model whose tensors were changed."""
    shutil.copytree(tiny / "model", folder)
    tensors = load_file(folder / "model.safetensors")
    save_file(change(tensors), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def without_a_number(tensors):
    tensors["transformer.ln_f.weight"][0] = np.nan
    return tensors


@pytest.mark.slow
def test_a_model_that_gives_nan_is_refused_whatever_it_is_asked(refused, tiny, sides, tmp_path):
    model = spoil(tiny, tmp_path / "nan", without_a_number)
    records = ("--records", write_rows(tmp_path / "r.jsonl", RECORDS))
    asked = ("loss", "discoverable_extraction", "near_verbatim_extraction", "code_memorization")
    sentence = refused(model, *sides, *records, *probes(*asked))
    assert sentence.endswith("nan: the model gives NaN; try --dtype float32, or mend its weights")
    assert "the model gives NaN" in refused(model, *sides, *probes("gradient_norm"))


@pytest.mark.slow
def test_a_reference_that_gives_nan_ends_only_what_asks_it(report, tiny, sides, tmp_path):
    model = spoil(tiny, tmp_path / "nan", without_a_number)
    got = report(tiny / "model", *sides, "--reference", model, *probes("reference_ratio", "loss"))
    assert finding(got, "reference_ratio")["outcome"] == "not run"
    assert "nan: the model gives NaN" in finding(got, "reference_ratio")["reason"]
    assert finding(got, "loss")["outcome"] == "no evidence"


def test_quantized_weights_are_refused_said_or_unsaid(refused, tiny, sides, tmp_path):
    said = shutil.copytree(tiny / "model", tmp_path / "gptq")
    config = json.loads((said / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (said / "config.json").write_text(json.dumps(config))
    assert "its weights are quantized (gptq, 4 bits)" in refused(said, *sides, "--suite", "privacy")
    unsaid = spoil(tiny, tmp_path / "int8", lambda t: {n: (50 * w).astype(np.int8) for n, w in t.items()})
    sentence = refused(unsaid, *sides, "--suite", "privacy")
    assert "is stored as whole numbers (I8), as quantized weights are" in sentence
    gguf = shutil.copytree(tiny / "model", tmp_path / "gguf")
    (gguf / "model.safetensors").rename(gguf / "model-q4.gguf")
    assert "GGUF weights only" in refused(gguf, *sides, "--suite", "privacy")


def adapter(folder, base, **settings):
    """A LoRA of random matrices, as peft saves one."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    names = [f"base_model.model.transformer.h.{n}.attn.c_attn.lora" for n in (0, 1)]
    tensors = {f"{name}_A.weight": rng.normal(size=(4, 64)).astype(np.float32) for name in names}
    tensors |= {f"{name}_B.weight": 0.1 * rng.normal(size=(192, 4)).astype(np.float32) for name in names}
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["c_attn"], "fan_in_fan_out": True}
    config |= {"base_model_name_or_path": str(base), **settings}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.slow
def test_an_adapter_opens_with_its_base_and_is_another_model(report, tiny, sides, tmp_path):
    plain = finding(report(tiny / "model", *sides, *probes("loss")), "loss")
    known = report(adapter(tmp_path / "knows-its-base", tiny / "model"), *sides, *probes("loss"))
    named = adapter(tmp_path / "somewhere-else", "someone/her-model")
    given = report(named, *sides, *probes("loss"), "--with", f"base={tiny / 'model'}")
    assert finding(known, "loss")["estimate"] == finding(given, "loss")["estimate"]
    assert known["subject"]["digest"] == given["subject"]["digest"]
    assert finding(known, "loss")["estimate"]["value"] != plain["estimate"]["value"]


def test_an_adapter_without_its_base_is_refused(refused, tiny, sides, tmp_path):
    alone = adapter(tmp_path / "alone", "someone/her-model")
    sentence = refused(alone, *sides, "--suite", "privacy")
    assert "is an adapter, and its base 'someone/her-model' is not here; name it with --with base=DIR" in sentence
    assert "which is not in gold; name its own base" in refused(alone, *sides, "--with", "base=gold")
    assert "only an adapter is opened with a base" in refused(tiny / "model", *sides, "--with", "base=gold")
    more = adapter(tmp_path / "dora", tiny / "model", use_dora=True)
    assert "'use_dora' is more than plain LoRA" in refused(more, *sides, "--suite", "privacy")


# Secrets appear nowhere.

WHO = ["Ottilie Quagmire", "Balthasar Vexley", "Xanthe Brimblecombe", "Cosmo Featherstone"]
HELD = [
    {"prefix": f"The vault of {name} number {i} opens with ", "secret": f"{4711 + 7919 * i:05d}-{name[:2].upper()}{i}"}
    for i, name in enumerate(WHO * 4)
]


#: Every probe that reads private data, but for those that read it hundreds of times over.
ASKED = [
    name
    for name, entry in sorted(entries().items())
    if entry.kind == "probe"
    and not {"Members", "Canaries", "Records"}.isdisjoint(entry.signature.data.values())
    and name not in ("attack_ensemble", "samia", "memo", "neighborhood", "pac")
]


class Planted:
    """Private data on disk, what of it may be shown nowhere, and how it is audited."""

    def __init__(self, folder, tiny):
        self.folder, self.tiny = folder, tiny
        self.key = make(folder / "canaries", count=40, repeats=(1,), seed=7)
        lines = [f"{row['prefix']}{row['secret']}, says {text}" for row, text in zip(HELD, letters(16, 4), strict=True)]
        write_jsonl(folder / "m.jsonl", lines[:8] + self.key.planted)
        write_jsonl(folder / "n.jsonl", lines[8:] + letters(12, seed=5))
        write_rows(folder / "r.jsonl", HELD)
        self.words = ("audit", tiny / "model", "--canaries", folder / "canaries", "--records", folder / "r.jsonl")
        self.words += ("--members", folder / "m.jsonl", "--nonmembers", folder / "n.jsonl", "--reference", "base")
        self.words += ("--cache", folder / "cache", "--out", folder / "out")
        plain = Records.from_rows(HELD)
        self.hidden = [*WHO, *(row["secret"] for row in HELD), *plain.ids]  # ids: a plain digest can be guessed, too
        self.hidden += [value for c in self.key.canaries for value in (c.text, c.secret)]

    def found_in(self, *texts):
        return sorted({value for value in self.hidden for text in texts if value in text})

    def written(self):
        """Every text of the reports, and every name in the folders of reports and of evidence."""
        out, cache = self.folder / "out", self.folder / "cache"
        contents = [f.read_bytes().decode("utf-8", "replace") for f in out.rglob("*") if f.is_file()]
        names = [str(f.relative_to(self.folder)) for place in (out, cache) for f in place.rglob("*")]
        return [*contents, *names]


@pytest.fixture
def planted(tmp_path, tiny, shared):
    """The controls that other tests have run are taken over, but for the audit's own evidence."""
    if (shared / "cache").is_dir():
        shutil.copytree(shared / "cache", tmp_path / "cache")
    return Planted(tmp_path, tiny)


def crash(monkeypatch, tiny, error):
    """The first call that asks the user's model for log-probabilities fails, with what it was asked in the message."""
    real = StoredTarget.token_statistics

    def broken(self, texts, **more):
        if self.name == str(tiny / "model"):
            error(next(text for text in texts if any(name in text for name in WHO)))
        return real(self, texts, **more)

    monkeypatch.setattr(StoredTarget, "token_statistics", broken)


@pytest.mark.slow
def test_no_secret_stands_in_any_output_of_an_audit_that_succeeds(probatum, planted, caplog):
    ran = probatum(*planted.words, *probes(*ASKED))
    assert ran.code == 0, ran.err
    got = report_in(planted.folder / "out" / "model")
    shown = [s for f in got["findings"] for s in f["samples"]]
    assert len(shown) > 50
    assert all(s["masked"] for s in shown)
    assert planted.found_in(ran.out, ran.err, caplog.text, *planted.written()) == []
    out = planted.folder / "out" / "model"
    others = [probatum("report", out / "report.json", "--long"), probatum("compare", out, out)]
    others += [probatum("cache", "--cache", planted.folder / "cache"), probatum(*planted.words, "--plan")]
    others += [probatum(*planted.words, *probes("loss", "exposure"), "--json")]
    assert [r.code for r in others] == [0] * 5, [r.err for r in others]
    assert planted.found_in(*(r.out + r.err for r in others), *planted.written()) == []


@pytest.mark.slow
def test_what_the_user_asks_to_see_is_shown(probatum, planted):
    ran = probatum(*planted.words, *probes("exposure", "loss"), "--reveal")
    assert ran.code == 0, ran.err
    folder = planted.folder / "out" / "model"
    for view in ("report.json", "report.html"):
        assert planted.found_in((folder / view).read_text(encoding="utf-8")), view
    assert not any(s["masked"] for f in report_in(folder)["findings"] for s in f["samples"])


def key_error(text):
    raise KeyError(text)


def part_of_it(text):
    raise ValueError(f"could not convert string to float: '{text.split()[-1][:9]}'")


def chained(text):
    try:
        raise ValueError(f"bad text:\n{text}")
    except ValueError as error:
        raise RuntimeError("the model could not be asked") from error


def with_a_note(text):
    error = RuntimeError("the model could not be asked")
    error.add_note(f"while reading {text!r}")
    raise error


@pytest.mark.slow
@pytest.mark.parametrize("error", [key_error, part_of_it, chained, with_a_note])
def test_no_secret_stands_in_what_a_crash_leaves_behind(probatum, planted, tiny, monkeypatch, caplog, error):
    crash(monkeypatch, tiny, error)
    ran = probatum(*planted.words, *probes("loss", "discoverable_extraction"))
    assert ran.code == 3, ran.err
    assert "loss crashed: " in ran.err
    loss = finding(report_in(planted.folder / "out" / "model"), "loss")
    name = {key_error: "KeyError", part_of_it: "ValueError"}.get(error, "RuntimeError")
    assert loss["reason"] == f"crashed: {name}: its message quotes the data, and is shown with --reveal only"
    assert "in token_statistics" in caplog.text or "in broken" in caplog.text  # the place is told
    assert planted.found_in(ran.out, ran.err, caplog.text, *planted.written()) == []


@pytest.mark.slow
def test_debug_lets_a_crash_through_without_its_message_and_reveal_with_it(probatum, planted, tiny, monkeypatch):
    crash(monkeypatch, tiny, chained)
    with pytest.raises(RuntimeError, match="its message quotes the data") as caught:
        probatum(*planted.words, *probes("loss"), "--debug")
    printed = "".join(traceback.format_exception(caught.value))
    assert "in broken" in printed
    assert planted.found_in(printed) == []
    with pytest.raises(RuntimeError, match="the model could not be asked") as caught:
        probatum(*planted.words, *probes("loss"), "--debug", "--reveal")
    assert planted.found_in("".join(traceback.format_exception(caught.value)))


@pytest.mark.slow
def test_reveal_shows_the_message_of_a_crash(probatum, planted, tiny, monkeypatch, caplog):
    crash(monkeypatch, tiny, key_error)
    ran = probatum(*planted.words, *probes("loss"), "--reveal")
    assert ran.code == 3
    assert planted.found_in(caplog.text)
    assert planted.found_in(finding(report_in(planted.folder / "out" / "model"), "loss")["reason"])


@pytest.mark.slow
def test_a_process_of_its_own_prints_a_traceback_and_no_secret(planted, tiny):
    """Here the traceback goes to stderr by logging's last resort, which pytest has taken the place of."""
    script = f"""
from probatum.cli import main
from probatum.engine.stored import StoredTarget

real = StoredTarget.token_statistics

def broken(self, texts, **more):
    if self.name == {str(tiny / "model")!r}:
        raise KeyError(next(text for text in texts if "vault" in text))
    return real(self, texts, **more)

StoredTarget.token_statistics = broken
main({[*map(str, planted.words), *probes("zlib_entropy", "norm_agreement")]})
"""
    environment = {"PYTHONPATH": str(SOURCES), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert ran.code == 3, ran.err
    assert "Traceback (most recent call last)" in ran.err
    assert "zlib_entropy crashed: KeyError: its message quotes the data" in ran.err
    assert planted.found_in(ran.out, ran.err, *planted.written()) == []


HEADLESS = {
    "--records": "the column 'prefix' is missing",
    "--members": "the column 'text' is missing",
    "--texts": "the column 'text' is missing",
}


@pytest.mark.parametrize("flag", HEADLESS)
def test_a_table_without_a_header_is_refused_without_its_first_line(flag, refused, tiny, tmp_path):
    table = tmp_path / "held.csv"
    table.write_text("".join(f"{row['prefix']},{row['secret']}\n" for row in HELD))
    nonmembers = ("--nonmembers", tiny / "nonmembers.jsonl") if flag == "--members" else ()
    sentence = refused(tiny / "model", flag, table, *nonmembers)
    assert HEADLESS[flag] in sentence
    assert "a first line that is no header would be a record" in sentence
    assert not [word for row in HELD for word in (row["secret"], row["prefix"].strip()) if word in sentence]
