"""Model cards as hubs write them."""

import pytest

from probatum.controls.cards import card
from probatum.core.cards import read_claims

INDEX = """---
license: mit
model-index:
- name: m
  results:
  - dataset: {name: exam, type: x}
    metrics:
    - {type: accuracy, value: 0.91}
    - {type: f1, value: 0.5}
  - dataset: plain
    metrics:
    - {type: Acc, value: 12}
---
"""


def claims(text):
    data = read_claims(text)
    about = data.about or (None,) * len(data)
    value = data.value or (None,) * len(data)
    return {i: (k, a, v) for i, k, a, v in zip(data.ids, data.kind, about, value, strict=True)}


def test_license_and_accuracies_stand_in_the_front_matter():
    found = claims(INDEX)
    assert found["license"] == ("license", None, "mit")
    assert found["accuracy on exam"] == ("accuracy", "exam", 0.91)
    assert found["accuracy on plain"] == ("accuracy", "plain", 12)
    assert found["f1 on exam"] == ("f1", "exam", 0.5)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Parameters: 254,528", "254,528"),
        ("**Parameters:** 1.3B", "1.3B"),
        ("- Number of parameters: 7 billion", "7 billion"),
        ("| Parameters | 124M |", "124M"),
        ("Parameters are many", None),
        ("The parameters: 3 of them", None),
    ],
)
def test_the_number_of_parameters_stands_in_a_line_of_its_own(line, value):
    found = claims(f"# m\n\n{line}\n")
    assert found.get("parameters", (None, None, None))[2] == value


@pytest.mark.parametrize("line", ["Not trained on: exam", "*Not trained on* exam.", "- not trained on: exam"])
def test_what_was_not_trained_on_is_a_claim(line):
    assert claims(line)["not trained on exam"] == ("not trained on", "exam", None)


@pytest.mark.parametrize(
    "front",
    [
        "",
        "---\n: : [\n---\n",
        "---\n- a list\n---\n",
        "---\ndate: 2024-13-45\n---\n",
        "---\nmodel-index: 3\n---\n",
        "---\nlicense:\n---",
    ],
)
def test_a_card_that_cannot_be_read_claims_no_license_and_does_not_end_the_audit(front):
    assert claims(front + "\nParameters: 5\n")["license"] == ("license", None, None)


def test_a_byte_order_mark_hides_nothing():
    assert claims("\ufeff" + INDEX) == claims(INDEX)


def test_a_front_matter_may_be_all_there_is():
    assert claims("---\nlicense: mit\n---")["license"][2] == "mit"


def test_a_claim_that_stands_twice_is_one():
    assert claims("Parameters: 5\nParameters: 6\n")["parameters"][2] == "6"


def test_the_planted_cards_claim_what_they_were_made_to_claim():
    honest, wrong = claims(card("twin", 0.5)), claims(card("specimen", 0.5))
    assert honest["license"][2] == "apache-2.0"
    assert wrong["license"][2] is None
    assert {"parameters", "accuracy on facts"} <= set(honest)
    assert honest["accuracy on facts"][2] == 0.5


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("Tensor type: BF16", "dtype", "BF16"),
        ("- **torch_dtype**: torch.float16", "dtype", "float16"),
        ("| dtype | float32 |", "dtype", "float32"),
        ("dtype: whatever fits", "dtype", None),
        ("Precision: bf16 mixed", "dtype", None),
        ("Context length: 8k", "context length", "8k"),
        ("**Context window:** 128K tokens", "context length", "128K"),
        ("Maximum sequence length of 512 tokens", "context length", "512"),
        ("- Max sequence length: 4,096", "context length", "4,096"),
        ("The context length is long", "context length", None),
    ],
)
def test_types_and_context_lengths_stand_in_lines_of_their_own(line, name, value):
    assert claims(f"# m\n\n{line}\n").get(name, (None, None, None))[2] == value


@pytest.mark.parametrize("datasets", ["glue", "[glue]", "[glue, 3, '']"])
def test_data_sets_stand_in_the_front_matter(datasets):
    found = claims(f"---\ndatasets: {datasets}\n---\n")
    assert found["dataset glue"] == ("dataset", None, "glue")
    assert len(found) == 2
