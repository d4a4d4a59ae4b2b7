"""Documents of a directory: what is read, what is not, and that nothing in them can act."""

from __future__ import annotations

import json

import pytest

from probatum.core.cards import front_matter
from probatum.files.documents import read_documents


def test_a_directory_without_documents_has_an_empty_card(tmp_path):
    found = read_documents(tmp_path)
    assert (found.names, found.card_name, dict(found.front), found.sections) == ((), "", {}, ())
    assert found.config == {}


def test_the_card_the_configuration_and_the_names_are_read(tmp_path):
    (tmp_path / "README.md").write_text("---\nlicense: mit\n\ndatasets:\n- a\n---\n# m\n", encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps({"a": 1, "text_config": {"n_ctx": 8}}), encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("a\n", encoding="utf-8")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x", encoding="utf-8")
    found = read_documents(tmp_path)
    assert found.names == ("README.md", "config.json", "data/train.csv")
    assert (found.front["license"], found.line_of("license"), found.line_of("datasets")) == ("mit", 2, 4)
    assert found.line_of("tags") == 0
    assert found.config["n_ctx"] == 8
    assert found.config["a"] == 1


def test_readme_stands_before_other_cards(tmp_path):
    for name in ("MODEL_CARD.md", "readme.md"):
        (tmp_path / name).write_text("# x\n", encoding="utf-8")
        assert read_documents(tmp_path).card_name == name
    (tmp_path / "readme.md").unlink()
    (tmp_path / "README.md").write_text("# y\n", encoding="utf-8")
    assert read_documents(tmp_path).card_name == "README.md"


@pytest.mark.parametrize("content", [b"[1, 2]", b"{", b"\xff\xfe", b"", b"[" * 100_000])
def test_a_configuration_that_is_none_is_empty(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    assert read_documents(tmp_path).config == {}


def test_a_link_into_a_cache_is_read_and_a_folder_in_place_of_a_card_is_not(tmp_path):
    (tmp_path / "blob").write_text("# m\n\nhello\n", encoding="utf-8")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "README.md").symlink_to(tmp_path / "blob")
    (tmp_path / "model" / "config.json").mkdir()
    (tmp_path / "model" / "loop").symlink_to(tmp_path / "model")
    found = read_documents(tmp_path / "model")
    assert found.names == ("README.md",)
    assert found.text.endswith("hello\n")


def test_so_many_names_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("probatum.files.documents.MOST", 10)
    for i in range(13):
        (tmp_path / f"f{i}").touch()
    assert len(read_documents(tmp_path).names) == 10


BOMB = "---\n" + "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)) + "---\n"


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "---\nx: !!python/object/apply:os.system ['echo']\n---\n",
        "---\n- a\n---\n",
        "---\n" + "[" * 500_000 + "\n---\n",
        "---\na: 2024-13-01\n---\n",
        "---\na: " + "x" * (1 << 20) + "\n---\n",
    ],
    ids=["aliases", "tag", "list", "deep", "date", "large"],
)
def test_a_front_matter_that_is_no_plain_mapping_is_empty(text):
    front, body = front_matter(text + "# m\n")
    assert front == {}
    assert body == "# m\n"


def test_an_alias_or_two_is_ordinary():
    assert front_matter("---\na: &x 1\nb: *x\n---\n")[0] == {"a": 1, "b": 1}
