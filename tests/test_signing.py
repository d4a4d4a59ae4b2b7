"""Signatures of models: the protocol's own examples, all that files and envelopes can differ in, and the command."""

import base64
import json
import os
import shutil
import stat
from pathlib import Path

import pytest

pytest.importorskip("cryptography")
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from probatum.cli import main
from probatum.core.errors import BadInput
from probatum.scan import scan
from probatum.scan.manifest import Hasher
from probatum.signing import SIGNATURE, check, new_key, sign
from probatum.signing.dsse import encoding, key_id, seal, unseal
from probatum.signing.statement import PREDICATE, STATEMENT, TYPE


def raw_key(seed: bytes = b"\7" * 32) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def pem(key, password: bytes | None = None) -> bytes:
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def pub(key) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


@pytest.fixture
def keys(tmp_path):
    private, public = tmp_path / "k.pem", tmp_path / "k.pub"
    private.write_bytes(pem(raw_key()))
    public.write_bytes(pub(raw_key()))
    return private, public


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "deep" / "weights.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "empty").write_bytes(b"")
    (folder / "a\nb\x1b[31m<script>.txt").write_text("odd")
    return folder


def run(*arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


# The protocol


def test_the_example_of_the_protocol():
    """DSSE version 1, its specification's own example; lengths count bytes."""
    assert encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert encoding("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


@pytest.mark.parametrize(
    ("secret", "public", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ],
)
def test_the_vectors_of_rfc_8032(secret, public, message, signature):
    """Section 7.1, tests 1 and 3: the library signs as the standard says."""
    key = raw_key(bytes.fromhex(secret))
    form = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    assert key.public_key().public_bytes(*form).hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature


def test_what_is_signed_is_an_in_toto_statement(model, keys):
    place, count = sign(model, keys[0])
    assert (place, count) == (model / SIGNATURE, 4)
    envelope = json.loads(place.read_text())
    assert envelope["payloadType"] == TYPE == "application/vnd.in-toto+json"
    assert envelope["signatures"][0]["keyid"] == key_id(raw_key().public_key())
    payload = base64.b64decode(envelope["payload"])
    raw_key().public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), encoding(TYPE, payload))
    with pytest.raises(InvalidSignature):  # the type is part of what is signed
        raw_key().public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), payload)
    said = json.loads(payload)
    assert (said["_type"], said["predicateType"]) == (STATEMENT, PREDICATE)
    assert [s["name"] for s in said["subject"]] == sorted(s["name"] for s in said["subject"])
    assert all(set(s) == {"name", "digest"} and len(s["digest"]["sha256"]) == 64 for s in said["subject"])
    first = place.read_bytes()
    sign(model, keys[0])  # over its own signature: the same bytes again
    assert place.read_bytes() == first
    assert scan([str(place)]).verdict == "proved inert"


# What differs


def test_a_model_as_it_was_signed(model, keys, tmp_path):
    sign(model, keys[0])
    assert check(model, keys[1]).passed
    copied = shutil.copytree(model, tmp_path / "elsewhere" / "copy")
    result = check(copied, keys[1])
    assert (result.passed, result.signed, result.lines()) == (True, 4, [])


def test_every_difference_is_named(model, keys):
    (model / "z.bin").write_bytes(b"moved away")
    (model / "first.txt").write_text("first")
    sign(model, keys[0])
    with (model / "deep" / "weights.bin").open("r+b") as file:  # one bit, the same size
        file.seek(5000)
        byte = file.read(1)[0]
        file.seek(5000)
        file.write(bytes([byte ^ 1]))
    (model / "config.json").write_text("{ }")
    (model / "empty").unlink()
    (model / "z.bin").rename(model / "y.bin")
    (model / "extra").write_text("new")
    result = check(model, keys[1])
    assert result.changed == ("config.json", "deep/weights.bin")
    assert (result.missing, result.added, result.renamed) == (("empty",), ("extra",), (("z.bin", "y.bin"),))
    assert result.lines()[0] == "changed: config.json"
    assert len(result.lines()) == 5
    assert not result.passed


def test_a_file_that_became_a_folder_a_pipe_or_a_link(model, keys):
    sign(model, keys[0])
    for make in (os.mkdir, os.mkfifo, lambda place: os.symlink("deep/weights.bin", place)):
        (model / "empty").unlink()
        make(model / "empty")
        result = check(model, keys[1])
        assert result.changed + result.missing == ("empty",)
        (os.rmdir if (model / "empty").is_dir() else os.unlink)(model / "empty")
        (model / "empty").touch()
    assert check(model, keys[1]).passed


def test_a_folder_that_became_a_link_to_its_like(model, keys, tmp_path):
    sign(model, keys[0])
    shutil.move(model / "deep", tmp_path / "deep")
    (model / "deep").symlink_to(tmp_path / "deep")
    result = check(model, keys[1])
    assert (result.added, result.missing) == (("deep",), ("deep/weights.bin",))


def test_only_what_could_be_equal_is_read_and_that_once(model, keys, monkeypatch):
    """Names and sizes come first; two names of one file are one reading."""
    os.link(model / "deep" / "weights.bin", model / "deep" / "again.bin")
    sign(model, keys[0])
    read = []
    hash = Hasher._hash
    monkeypatch.setattr(
        Hasher, "_hash", lambda self, handle, before: read.append(before.st_size) or hash(self, handle, before)
    )
    assert check(model, keys[1]).passed
    assert sorted(read) == sorted([0, 2, 3, 10240])
    read.clear()
    (model / "config.json").write_text("longer than it was")
    (model / "added of another size").write_text("unread")
    assert check(model, keys[1]).changed == ("config.json",)
    assert sorted(read) == [0, 3, 10240]


def test_links(model, keys, tmp_path):
    (model / "in").symlink_to("config.json")
    with pytest.raises(BadInput, match="--links"):
        sign(model, keys[0])
    assert sign(model, keys[0], links="record")[1] == 5
    assert check(model, keys[1]).passed
    (model / "in").unlink()
    (model / "in").symlink_to("empty")
    assert check(model, keys[1]).changed == ("in",)
    (model / "in").unlink()
    (model / "in").write_text("{}")  # the same content, but no link
    assert check(model, keys[1]).changed == ("in",)
    (model / "in").unlink()
    (tmp_path / "blob").write_text("far away")
    (model / "in").symlink_to("../blob")
    with pytest.raises(BadInput, match="leaves the model"):
        sign(model, keys[0], links="record")
    sign(model, keys[0], links="follow")
    assert check(model, keys[1]).passed
    (tmp_path / "blob").write_text("far awaY")
    assert check(model, keys[1]).changed == ("in",)
    (model / "in").unlink()
    (model / "in").write_text("far away")  # followed means the content, wherever it lies
    assert check(model, keys[1]).passed
    for target in ("in", "..", "nowhere"):
        (model / "in").unlink(missing_ok=True)
        (model / "in").symlink_to(target)
        assert check(model, keys[1]).changed == ("in",)
    with pytest.raises(BadInput, match="'in' is a link"):
        sign(model, keys[0], links="follow")
    with pytest.raises(BadInput, match="links are one of"):
        sign(model, keys[0], links="maybe")


def test_what_is_ignored_is_part_of_what_is_signed(model, keys):
    (model / ".cache").mkdir()
    (model / ".cache" / "x").write_text("x")
    sign(model, keys[0], ignore=[".cache/*"])
    (model / ".cache" / "y").write_text("y")
    result = check(model, keys[1])
    assert (result.passed, result.ignored) == (True, (".cache/*",))
    (model / "log.txt").write_text("later")
    assert check(model, keys[1]).added == ("log.txt",)
    assert check(model, keys[1], ignore=["*.txt"]).passed
    (model / "config.json").write_text("[]")
    assert check(model, keys[1], ignore=["*"]).changed == ("config.json",)  # what was signed is always compared
    (model / "config.json").unlink()
    assert check(model, keys[1], ignore=["*"]).missing == ("config.json",)


def test_a_signature_beside_the_model(model, keys, tmp_path):
    place = tmp_path / "sig.json"
    sign(model, keys[0], signature=place)
    assert not (model / SIGNATURE).exists()
    assert check(model, keys[1], signature=place).passed
    (model / SIGNATURE).write_text("anything")  # no place for a stowaway: it is not the signature now
    assert check(model, keys[1], signature=place).added == (SIGNATURE,)


def test_a_single_file(model, keys):
    weights = model / "deep" / "weights.bin"
    place, count = sign(weights, keys[0])
    assert (place.name, count) == ("weights.bin.sig.json", 1)
    assert check(weights, keys[1]).passed
    renamed = weights.rename(weights.with_name("other.bin"))
    assert check(renamed, keys[1], signature=place).passed
    renamed.write_bytes(bytes(10240))
    assert check(renamed, keys[1], signature=place).changed == ("weights.bin",)


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_what_cannot_be_signed(model, keys):
    odd = os.fsencode(model) + b"/bad\xff"
    with open(odd, "wb"):
        pass
    with pytest.raises(BadInput, match="not UTF-8"):
        sign(model, keys[0])
    os.unlink(odd)
    os.mkfifo(model / "pipe")
    with pytest.raises(BadInput, match="'pipe' is no file"):
        sign(model, keys[0])
    assert sign(model, keys[0], ignore=["pipe"])[1] == 4
    (model / "nothing").mkdir()
    with pytest.raises(BadInput, match="holds no file"):
        sign(model / "nothing", keys[0])
    with pytest.raises(BadInput, match="cannot read"):
        sign(model / "none", keys[0])
    with open(odd, "wb"):  # where it appears later, it is named
        pass
    assert check(model, keys[1]).added == ("bad\udcff",)
    assert "bad\\udcff" in check(model, keys[1]).lines()[0]


# Envelopes that are not what they seem


def tampered(model, change):
    place = model / SIGNATURE
    envelope = json.loads(place.read_text())
    change(envelope)
    place.write_text(json.dumps(envelope))


def test_a_wrong_key(model, keys, tmp_path):
    sign(model, keys[0])
    other = tmp_path / "other.pub"
    other.write_bytes(pub(raw_key(b"\x08" * 32)))
    result = check(model, other)
    assert not result.passed
    assert "does not fit this key" in result.refused
    assert result.lines() == [result.refused]


def test_a_key_id_convinces_nobody(model, keys, tmp_path):
    """The envelope claims the right key; the signature is another's."""
    sign(model, keys[0])
    forged = seal(TYPE, b"{}", raw_key(b"\x08" * 32))
    forged["signatures"][0]["keyid"] = key_id(raw_key().public_key())
    (model / SIGNATURE).write_text(json.dumps(forged))
    assert "does not fit" in check(model, keys[1]).refused


def sign_without_type(envelope):
    envelope["signatures"][0]["sig"] = base64.b64encode(raw_key().sign(base64.b64decode(envelope["payload"]))).decode()


def swap_payload(envelope):
    said = json.loads(base64.b64decode(envelope["payload"]))
    said["subject"] = said["subject"][:1]
    envelope["payload"] = base64.b64encode(json.dumps(said).encode()).decode()


@pytest.mark.parametrize(
    "change",
    [
        swap_payload,
        lambda e: e.update(payloadType="application/json"),
        lambda e: e.update(payloadType=e["payloadType"] + " "),
        lambda e: e["signatures"].clear(),
        lambda e: e["signatures"][0].update(sig=base64.b64encode(bytes(64)).decode()),
        lambda e: e["signatures"][0].update(sig=e["signatures"][0]["sig"][:40]),
        sign_without_type,
    ],
    ids=["payload", "type", "type padded", "no signature", "zeros", "short", "signed without its type"],
)
def test_a_changed_envelope_does_not_hold(model, keys, change):
    sign(model, keys[0])
    tampered(model, change)
    assert "does not fit this key" in check(model, keys[1]).refused


def test_a_second_signature_and_the_other_alphabet(model, keys):
    sign(model, keys[0])

    def more(envelope):
        envelope["signatures"].insert(0, {"sig": base64.b64encode(bytes(64)).decode()})
        envelope["payload"] = envelope["payload"].replace("+", "-").replace("/", "_")

    tampered(model, more)
    assert check(model, keys[1]).passed


@pytest.mark.parametrize(
    ("type", "payload", "says"),
    [
        ("application/vnd.other+json", b"{}", "no statement about a model"),
        (TYPE, b"{}", "no manifest"),
        (TYPE, b"[" * 100_000, "no manifest"),
        (TYPE, b"\xff", "no manifest"),
        (
            TYPE,
            json.dumps({"_type": STATEMENT, "predicateType": "https://slsa.dev/provenance/v1"}).encode(),
            "no manifest",
        ),
    ],
)
def test_what_the_same_key_signed_for_another_purpose(model, keys, type, payload, says):
    (model / SIGNATURE).write_text(json.dumps(seal(type, payload, raw_key())))
    assert unseal(model / SIGNATURE, raw_key().public_key()) == (type, payload, True)
    assert says in check(model, keys[1]).refused


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"payload": 1, "payloadType": "x", "signatures": []}', b"\xff\xfe",
     b'{"payload": "!!", "payloadType": "x", "signatures": []}',
     b'{"payload": "", "payloadType": "x", "signatures": [1]}',
     b'{"payload": "", "payloadType": "\\ud800", "signatures": []}'],
)  # fmt: skip
def test_what_is_no_envelope_is_one_sentence(model, keys, raw):
    (model / SIGNATURE).write_bytes(raw)
    with pytest.raises(BadInput, match="no signature: expected a whole DSSE envelope"):
        check(model, keys[1])


def test_a_truncated_envelope_at_any_place(model, keys):
    place, _ = sign(model, keys[0])
    whole = place.read_bytes().rstrip()
    for size in range(0, len(whole), 97):
        place.write_bytes(whole[:size])
        with pytest.raises(BadInput, match="no signature"):
            check(model, keys[1])


# Keys


def test_a_new_pair(tmp_path, model):
    old = os.umask(0)
    try:
        private, public = new_key(tmp_path / "made.pem")
    finally:
        os.umask(old)
    assert (private.name, public.name) == ("made.pem", "made.pub")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    sign(model, private)
    assert check(model, public).passed
    before = private.read_bytes()
    with pytest.raises(BadInput, match="never overwritten"):
        new_key(tmp_path / "made")
    private.unlink()
    with pytest.raises(BadInput, match=r"made\.pub.*never overwritten"):
        new_key(tmp_path / "made")
    assert not private.exists()
    assert before != new_key(tmp_path / "second")[0].read_bytes()


def no_keys():
    yield "public", pub(raw_key()), "is a public key"
    yield "encrypted", pem(raw_key(), b"word"), "is encrypted"
    yield "rsa", pem(rsa.generate_private_key(65537, 2048)), "no Ed25519 key"
    yield "ec", pem(ec.generate_private_key(ec.SECP256R1())), "no Ed25519 key"
    yield "text", b"my secret", "no private key in PEM"
    yield "empty", b"", "no private key in PEM"
    yield "cut", pem(raw_key())[:60], "no private key in PEM"
    yield "large", b"x" * 100_000, "is no key: larger"


@pytest.mark.parametrize(("name", "raw", "says"), list(no_keys()))
def test_a_key_that_cannot_sign_is_one_sentence(model, tmp_path, name, raw, says):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(BadInput, match=says):
        sign(model, tmp_path / name)
    assert not (model / SIGNATURE).exists()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (pem(raw_key()), "is a private key"),
        (pub(rsa.generate_private_key(65537, 2048)), "no Ed25519 key"),
        (b"words", "no public key in PEM"),
    ],
    ids=["private", "rsa", "text"],
)
def test_a_key_that_cannot_check_is_one_sentence(model, keys, tmp_path, raw, says):
    sign(model, keys[0])
    (tmp_path / "k").write_bytes(raw)
    with pytest.raises(BadInput, match=says):
        check(model, tmp_path / "k")


# The command


def test_the_command(model, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("sign", "--new-key", "k", capsys=capsys)
    assert (code, out.count("\n")) == (0, 2)
    code, out, _ = run("sign", "model", "--key", "k.pem", capsys=capsys)
    assert (code, out) == (0, f"model/{SIGNATURE}: 4 files signed\n")
    assert run("sign", "--check", "model", "--key", "k.pub", capsys=capsys)[:2] == (
        0, "model: all 4 files are as they were signed\n",
    )  # fmt: skip
    (model / "a\nb\x1b[31m<script>.txt").write_text("ODD")
    (model / "more").touch()
    code, out, err = run("sign", "model", "--check", "--key", "k.pub", capsys=capsys)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "changed: a\\nb\\x1b[31m<script>.txt", "added: more", "model: 2 differences from what was signed",
    ]  # fmt: skip
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sign"], "expected a model and a key"),
        (["sign", "model"], "expected a model and a key"),
        (["sign", "--check", "model", "--key", "k.pub"], "cannot read the signature"),
        (["sign", "model", "--key", "none"], "cannot read the key"),
        (["sign", "nowhere", "--key", "k.pem"], "cannot read"),
        (["sign", "--check", "nowhere", "--key", "k.pub"], "cannot read"),
        (["sign", "model", "--new-key", "x"], "stands alone"),
        (["sign", "--check", "model", "--key", "k.pub", "--links", "follow"], "part of the signature"),
    ],
)
def test_bad_input_is_one_sentence_and_2(model, keys, words, says, capsys, monkeypatch):
    monkeypatch.chdir(model.parent)
    code, out, err = run(*words, capsys=capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_without_the_library_it_says_what_to_install(model, keys, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(BadInput, match=r"probatum\[sign\]"):
        sign(model, keys[0])


def test_progress_reaches_the_end(model, keys):
    said: list[tuple[int, int]] = []
    sign(model, keys[0], progress=lambda done, total: said.append((done, total)))
    assert said[-1] == (10245, 10245)
    assert Path(model / SIGNATURE).exists()
