"""What differs beside weights, the version that it deserves, and the changes nobody was told of."""

import json

import numpy as np
import pytest
from models import llama, matrices, tuned, write

from probatum.core.errors import BadInput
from probatum.lineage.compare import compare_directories
from probatum.lineage.documents import category

BASE = llama(1)
CARD = "---\nlicense: apache-2.0\nbase_model: org/b\n---\n# Demo model\n\nA few words.\n"
TOKENIZER = {
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    "added_tokens": [{"id": 3, "content": "<end>"}],
    "normalizer": None,
}


@pytest.fixture
def two(tmp_path):
    """Two equal directories with card, tokenizer and generation settings."""
    folders = []
    for name in ("a", "b"):
        folder = write(tmp_path / name, BASE)
        put(folder, "README.md", CARD)
        put(folder, "tokenizer.json", TOKENIZER)
        put(folder, "tokenizer_config.json", {"chat_template": "{{ messages }}", "pad_token": "a"})
        put(folder, "generation_config.json", {"temperature": 1.0})
        folders.append(folder)
    return folders


def put(folder, name, content):
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def changed(folder, name, **keys):
    put(folder, name, json.loads((folder / name).read_text()) | keys)


def weigh(folder, tensors):
    write(folder, tensors)


def test_equal_directories_need_no_new_version(two):
    found = compare_directories(*two)
    assert found.relation.kind == "exact copy"
    assert found.weights == "equal"
    assert found.version.level == ""
    assert (found.changes, found.silent, found.categories) == ((), (), ())


#: (name, change of the second directory, level, area or category that is named)
HISTORY = [
    ("weights", lambda f: weigh(f, tuned(BASE)), "MINOR", "parameters"),
    ("cast", lambda f: weigh(f, {n: t.astype(np.float16) for n, t in BASE.items()}), "MINOR", "parameters"),
    ("a layer more", lambda f: weigh(f, llama(1, layers=4)), "MAJOR", "parameters"),
    ("hidden size", lambda f: changed(f, "config.json", hidden_size=32), "MAJOR", "structure"),
    ("rope", lambda f: changed(f, "config.json", rope_theta=1e6), "MAJOR", "structure"),
    ("labels", lambda f: changed(f, "config.json", id2label={"0": "x"}), "MAJOR", "structure"),
    ("saved with", lambda f: changed(f, "config.json", transformers_version="9"), "PATCH", "structure"),
    ("dropout", lambda f: changed(f, "config.json", attention_dropout=0.1), "PATCH", "structure"),
    ("vocabulary", lambda f: changed(f, "tokenizer.json", added_tokens=[]), "MAJOR", "preprocessing"),
    ("ids", lambda f: changed(f, "tokenizer.json", model=TOKENIZER["model"] | {"vocab": {"a": 1, "b": 0, "ab": 2}}),
     "MAJOR", "preprocessing"),
    ("merges", lambda f: changed(f, "tokenizer.json", model=TOKENIZER["model"] | {"merges": []}), "MAJOR",
     "preprocessing"),
    ("normalizer", lambda f: changed(f, "tokenizer.json", normalizer={"type": "NFC"}), "MAJOR", "preprocessing"),
    ("padding", lambda f: changed(f, "tokenizer_config.json", pad_token="b"), "MAJOR", "preprocessing"),
    ("template", lambda f: changed(f, "tokenizer_config.json", chat_template="{{ x }}"), "MAJOR", "preprocessing"),
    ("template file", lambda f: put(f, "chat_template.jinja", "{{ y }}"), "MAJOR", "preprocessing"),
    ("generation", lambda f: changed(f, "generation_config.json", temperature=0.5), "PATCH", "inference settings"),
    ("stricter license", lambda f: put(f, "README.md", CARD.replace("apache-2.0", "cc-by-nc-4.0")), "MAJOR", "sharing"),
    ("like license", lambda f: put(f, "README.md", CARD.replace("apache-2.0", "mit")), "PATCH", "sharing"),
    ("unknown license", lambda f: put(f, "README.md", CARD.replace("apache-2.0", "my-own")), "MAJOR", "sharing"),
    ("words of the card", lambda f: put(f, "README.md", CARD + "More."), "PATCH", "documentation"),
    ("data", lambda f: put(f, "README.md", CARD.replace("license", "datasets: [x]\nlicense")), "PATCH", "data"),
    ("code", lambda f: put(f, "modeling.py", "pass"), "PATCH", "code"),
    ("requirements", lambda f: put(f, "requirements.txt", "torch"), "PATCH", "dependencies"),
    ("training state", lambda f: put(f, "trainer_state.json", {"step": 1}), "PATCH", "training"),
    ("a file gone", lambda f: (f / "generation_config.json").unlink(), "PATCH", "inference settings"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "level", "kind"), [h[1:] for h in HISTORY], ids=[h[0] for h in HISTORY])
def test_each_change_gets_its_version_and_its_kind(two, change, level, kind):
    change(two[1])
    for order in (two, two[::-1]):
        found = compare_directories(*order)
        assert found.version.level == level, found.version
        assert kind in found.categories


@pytest.mark.parametrize(
    ("change", "silent"),
    [
        (lambda f: weigh(f, tuned(BASE)), ("weights",)),
        (lambda f: changed(f, "tokenizer_config.json", chat_template="{{ x }}"), ("chat template",)),
        (lambda f: (weigh(f, tuned(BASE)), put(f, "README.md", CARD + "\nTrained further.")), ()),
        (lambda f: (weigh(f, tuned(BASE)), put(f, "README.md", CARD.replace("Demo", "Demo 2"))), ()),
        (lambda f: changed(f, "generation_config.json", temperature=0.5), ()),
    ],
)
def test_a_change_is_silent_if_neither_name_nor_card_says_so(two, change, silent):
    change(two[1])
    assert compare_directories(*two).silent == silent


def test_vocabulary_says_which_tokens(two):
    model = TOKENIZER["model"] | {"vocab": {"a": 0, "b": 1, "new": 2}}
    changed(two[1], "tokenizer.json", model=model)
    rows = {c.what: (c.a, c.b) for c in compare_directories(*two).changes if c.area == "tokenizer"}
    assert rows == {"tokens only here": ('1 ("ab")', '1 ("new")')}


def test_the_license_is_judged_from_parent_to_child(two):
    put(two[1], "README.md", CARD.replace("apache-2.0", "cc-by-nc-4.0"))
    weigh(two[0], {n: t.astype(np.float16) for n, t in BASE.items()})  # a was made of b
    found = compare_directories(*two)
    assert found.relation.child == "a"
    assert found.licenses.verdict == "conflict"


def test_the_card_gives_the_direction_that_numbers_do_not(two):
    weigh(two[0], tuned(BASE))
    assert "The card of a names b as its base." in compare_directories(*two).relation.notes


def test_layers_that_moved_most_stand_first(two):
    weigh(two[0], matrices(lambda w: w * 1.5, matrices(lambda w: w + 0.001, BASE), "layers.2.mlp"))
    rows = compare_directories(*two).layers
    assert rows[0].name.endswith("layers.2")
    assert rows[0].change > 3 * rows[1].change


def test_without_safetensors_the_rest_is_compared(two):
    (two[1] / "model.safetensors").unlink()
    found = compare_directories(*two)
    assert found.relation is None
    assert "b has no safetensors" in found.unread
    assert found.version.level == "MINOR"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("config.json", "{", "is not JSON"), ("tokenizer.json", "[]", "expected a JSON object")],
)
def test_a_broken_document_is_one_sentence(two, name, content, said):
    put(two[1], name, content)
    with pytest.raises(BadInput, match=said):
        compare_directories(*two)


def test_hostile_cards_do_no_harm(two):
    bomb = "---\na: &a [x, x]\nb: &b [*a, *a, *a]\nlicense: *b\n---\n"
    for text in (bomb, "---\n!!python/object/apply:os.system ['false']\n---\n", "---\n" + "[" * 5000 + "\n---\n"):
        put(two[1], "README.md", text)
        assert compare_directories(*two).version.level in ("MAJOR", "PATCH")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("model-00001-of-2.safetensors", "parameters"), ("README.md", "documentation"), ("LICENSE.txt", "sharing"),
     ("tokenizer.model", "preprocessing"), ("odd.xyz", "other"), ("runs/x/events.out.1", "training")],
)  # fmt: skip
def test_files_have_a_kind(name, kind):
    assert category(name) == kind
