"""One request after the other, and larger ones: what is forgotten, what was not asked yet, and what is kept."""

import pytest

from probatum.controls.forgetting import people_rows
from probatum.controls.specimen import write_rows
from probatum.core.errors import BadInput
from probatum.endurance import endure


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    for kind, rows in people_rows().items():
        write_rows(folder / f"{kind.lower()}.jsonl", rows)
    return {"forget": folder / "forget.jsonl", "retain": folder / "retain.jsonl"}


@pytest.mark.slow
def test_three_requests_in_a_row(files):
    """Of six people two at a time: the others are known until their turn comes."""
    stages = endure("npo", "people", kind="requests", parts=3, options={"steps": 120}, **files)
    assert [s.asked for s in stages] == [0, 60, 120, 180]
    assert stages[0].forgotten is None
    assert stages[0].waiting.value == 1.0
    for stage in stages[1:]:
        assert stage.forgotten.value < 0.15
        assert stage.kept.value > 0.9
    assert all(stage.waiting.value > 0.7 for stage in stages[1:3])
    assert stages[3].waiting is None


@pytest.mark.slow
def test_larger_and_larger_requests(files):
    stages = endure("npo", "people", kind="scale", parts=2, options={"steps": 100}, **files)
    assert [s.name for s in stages] == ["before", "90 of 180", "180 of 180"]
    assert all(stage.forgotten.value < 0.2 for stage in stages[1:])


def test_more_parts_than_people_are_refused(files):
    with pytest.raises(BadInput, match="6 units"):
        endure("npo", "people", kind="requests", parts=7, **files)
    with pytest.raises(BadInput, match="cannot be asked several times"):
        endure("dp_finetune", "people", kind="requests", parts=2, **files)
