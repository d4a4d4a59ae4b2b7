"""The training log: what it says, and one sentence for everything that it cannot say."""

import json

import pytest

from probatum import BadInput, TrainingLog
from probatum.core.training_log import check_training_log, read_training_log
from probatum.statistics.accounting import Phase, phases_of

GOOD = {"noise_multiplier": 1.1, "sample_rate": 0.01, "steps": 1000, "delta": 1e-5}


def written(folder, content):
    file = folder / "train-log.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def test_a_log_is_one_record(tmp_path):
    log = read_training_log(written(tmp_path, {**GOOD, "max_grad_norm": 0.5, "optimizer": "DPAdam"}))
    assert len(log) == 1
    assert (log.noise_multiplier, log.steps, log.max_grad_norm) == ((1.1,), (1000,), (0.5,))
    assert phases_of(log) == [Phase(1.1, 0.01, 1000)]


def test_a_list_is_one_record_a_phase(tmp_path):
    log = read_training_log(written(tmp_path, [GOOD, {**GOOD, "noise_multiplier": 2, "steps": 50.0}]))
    assert phases_of(log) == [Phase(1.1, 0.01, 1000), Phase(2.0, 0.01, 50)]
    assert len(set(log.ids)) == 2


def test_a_byte_order_mark_is_no_fault(tmp_path):
    assert len(read_training_log(written(tmp_path, "\ufeff" + json.dumps(GOOD)))) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not JSON"),
        ("epsilon: 8", "not JSON"),
        ("[]", "expected one object such as"),
        ("3", "expected one object such as"),
        ([GOOD, 3], "expected one object such as"),
        ({k: v for k, v in GOOD.items() if k != "sample_rate"}, "'sample_rate' is missing"),
        ({**GOOD, "delta": None}, "'delta' is missing"),
        ({**GOOD, "steps": "many"}, "'steps' must be a number"),
        ({**GOOD, "steps": True}, "'steps' must be a number"),
        ({**GOOD, "noise_multiplier": [1.0]}, "'noise_multiplier' must be a number"),
        ({**GOOD, "noise_multiplier": 0}, "noise_multiplier must be above 0"),
        ({**GOOD, "noise_multiplier": -1.0}, "noise_multiplier must be above 0"),
        (
            '{"noise_multiplier": NaN, "sample_rate": 0.01, "steps": 10, "delta": 1e-5}',
            "noise_multiplier must be above 0",
        ),
        (
            '{"noise_multiplier": 1, "sample_rate": 0.01, "steps": Infinity, "delta": 1e-5}',
            "steps must be a whole number",
        ),
        ('{"noise_multiplier": 1, "sample_rate": 0.01, "steps": NaN, "delta": 1e-5}', "steps must be a whole number"),
        ({**GOOD, "sample_rate": 1.5}, "sample_rate must lie in"),
        ({**GOOD, "sample_rate": 0}, "sample_rate must lie in"),
        ({**GOOD, "steps": 0}, "steps must be a whole number"),
        ({**GOOD, "steps": 10.5}, "steps must be a whole number"),
        ({**GOOD, "delta": 1}, "delta must lie strictly"),
        ([GOOD, {**GOOD, "sample_rate": 2}], "phase 2: sample_rate"),
        ([GOOD, {**GOOD, "delta": 1e-6}], "the phases state different deltas"),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_file(content, says, tmp_path):
    file = written(tmp_path, content)
    with pytest.raises(BadInput, match=says) as error:
        read_training_log(file)
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        read_training_log(tmp_path / "none.json")
    with pytest.raises(BadInput, match="cannot be read"):
        read_training_log(tmp_path)


def test_bytes_that_are_no_text(tmp_path):
    file = tmp_path / "log.json"
    file.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(BadInput, match="not JSON"):
        read_training_log(file)


def test_a_log_made_in_python_is_checked_too():
    log = TrainingLog.from_rows([{**GOOD, "noise_multiplier": 0.0}])
    with pytest.raises(BadInput, match="the training log: noise_multiplier"):
        check_training_log(log)
    with pytest.raises(BadInput, match="noise_multiplier"):
        phases_of(log)
    text = TrainingLog.from_rows([{k: str(v) for k, v in GOOD.items()}])  # of a table
    assert phases_of(text) == [Phase(1.1, 0.01, 1000)]
    with pytest.raises(BadInput, match="expected numbers"):
        phases_of(TrainingLog.from_rows([{**GOOD, "steps": "many"}]))
