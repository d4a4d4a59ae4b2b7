"""`probatum data`: what is known, what lies here, and what is fetched only when asked."""

import hashlib
import json
import shutil
from pathlib import Path

import httpx
import pytest

from probatum.core.catalogue import entries
from probatum.core.errors import BadInput
from probatum.sets import ItemSet, Source, known
from probatum.sets.fetching import address, fetch, wanted

PUBLIC = Path(__file__).parents[2].parent / "shared/data"
BODY = b'{"prompt": "a", "answer": "b"}\n'
DIGEST = hashlib.sha256(BODY).hexdigest()


def entry(url="https://github.com/o/r/tree/v1", file="data/part.jsonl", archive="", digests=None, name="toy/part"):
    source = Source("Toy", "P001", "MIT", url, archive, digests)
    return ItemSet(name, "Toy items", source, file, lambda rows: rows, lambda rng: iter(()))


def server(answers):
    """A stand-in for the network: URL → (status, content or the place it sends on to)."""

    def handle(request):
        status, content = answers.get(str(request.url), (404, b""))
        return httpx.Response(status, **({"headers": {"location": content}} if status == 302 else {"content": content}))

    return httpx.MockTransport(handle)


def test_the_list_names_every_set_with_its_tasks_and_license(probatum, monkeypatch):
    monkeypatch.delenv("PROBATUM_DATA", raising=False)
    ran = probatum("data", "--json")
    assert ran.code == 0, ran.err
    rows = {row["name"]: row for row in json.loads(ran.out)}
    assert set(rows) == set(known())
    assert rows["trustllm/external"]["tasks"] == ["external_misinformation"]
    assert all(row["license"] for row in rows.values())
    assert all(row["found"] is None for row in rows.values())
    asked = {e.items for e in entries().values() if e.items}
    assert asked <= {name for name, row in rows.items() if row["tasks"]}
    text = probatum("data").out
    assert "not found, so items are generated; --data DIR, or --fetch trustllm --into DIR" in text
    assert all(name in text for name in rows)


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public files are not here")
def test_what_lies_here_is_named_and_another_file_is_said_to_be_another(probatum, tmp_path):
    name = "adult_0_200_test_base_rate_0.0.jsonl"
    # without its mode: the public files may be read-only
    shutil.copyfile(PUBLIC / "decodingtrust" / name, tmp_path / name)
    ran = probatum("data", "--data", tmp_path, "--json")
    row = next(r for r in json.loads(ran.out) if r["name"] == "decodingtrust/adult")
    assert row["found"] == str(tmp_path / name)
    assert row["remark"] == ""
    with (tmp_path / name).open("a") as file:
        file.write("\n")
    ran = probatum("data", "--data", tmp_path)
    assert f"{name} is not the file that is known as DecodingTrust" in ran.out


@pytest.mark.parametrize(
    ("url", "archive", "expected"),
    [
        ("https://github.com/o/r/blob/v1/x/d.zip", "d.zip", "https://raw.githubusercontent.com/o/r/v1/x/d.zip"),
        ("https://github.com/o/r/tree/v1", "", "https://raw.githubusercontent.com/o/r/v1/data/part.jsonl"),
        ("https://github.com/o/r", "", "https://raw.githubusercontent.com/o/r/HEAD/data/part.jsonl"),
        ("https://huggingface.co/datasets/o/r", "", "https://huggingface.co/datasets/o/r/resolve/main/data/part.jsonl"),
        ("https://example.org/files/part.jsonl", "", "https://example.org/files/part.jsonl"),
    ],
)
def test_the_plain_file_behind_a_page(url, archive, expected):
    assert address(entry(url, archive=archive)) == expected


def test_a_page_without_a_file_is_left_to_the_user():
    with pytest.raises(BadInput, match="is not published as one file; get it from https://example"):
        address(entry("https://example.org/about"))


def test_every_known_set_has_an_address():
    for item_set in known().values():
        if item_set.source is not None:
            assert address(item_set).startswith("https://")


def test_a_set_is_fetched_checked_and_never_overwritten(tmp_path):
    known_digest = entry(digests={"part.jsonl": (DIGEST,)})
    at = address(known_digest)
    moved = server({at: (302, "https://cdn.example.org/x"), "https://cdn.example.org/x": (200, BODY)})
    path, remark = fetch(known_digest, tmp_path / "new", transport=moved)
    assert path.read_bytes() == BODY
    assert remark == ""
    assert [p.name for p in path.parent.iterdir()] == ["part.jsonl"]
    with pytest.raises(BadInput, match="is there already"):
        fetch(known_digest, tmp_path / "new", transport=moved)
    _, remark = fetch(entry(), tmp_path / "other", transport=server({at: (200, BODY)}))
    assert DIGEST in remark


FAULTS = {
    "another file": ((200, b"something else"), "is not the file that is known .*, and was not kept"),
    "not found": ((404, b""), "answers 404 Not Found"),
    "sent on to plain http": ((302, "http://example.org/x"), "only https is followed"),
    "sent on for ever": ((302, "https://raw.githubusercontent.com/o/r/v1/data/part.jsonl"), "sends on and on"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_leaves_nothing_behind(fault, tmp_path):
    answer, sentence = FAULTS[fault]
    item_set = entry(digests={"part.jsonl": (DIGEST,)})
    with pytest.raises(BadInput, match=sentence) as error:
        fetch(item_set, tmp_path, transport=server({address(item_set): answer}))
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_too_large_a_file_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr("probatum.sets.fetching.LARGEST", 10)
    with pytest.raises(BadInput, match="is larger than"):
        fetch(entry(), tmp_path, transport=server({address(entry()): (200, BODY)}))
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_sentence_says_where_to_get_it(probatum, tmp_path, monkeypatch):
    def offline(request):
        raise httpx.ConnectError("Name or service not known")

    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **how: real(**{**how, "transport": httpx.MockTransport(offline)}))
    ran = probatum("data", "--fetch", "trustllm", "--into", tmp_path)
    assert ran.code == 2
    assert "raw.githubusercontent.com cannot be reached (Name or service not known)" in ran.err
    assert "dataset/dataset.zip where there is a network" in ran.err
    assert ran.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_names_that_mean_nothing_are_refused(probatum, tmp_path):
    assert "no set of items is called 'nope'" in probatum("data", "--fetch", "nope", "--into", tmp_path).err
    assert "needs --into DIR" in probatum("data", "--fetch", "trustllm").err
    assert "is for --fetch" in probatum("data", "--into", tmp_path).err
    assert "no such folder or file" in probatum("data", "--data", tmp_path / "nowhere").err
    assert {s.source.name for s in wanted("trustllm")} == {"TrustLLM"} == {s.source.name for s in wanted("TrustLLM")}
