"""Hashes and listings: every file once, links as they are meant, and what changes meanwhile is said."""

import hashlib
import os
import threading

import pytest

from probatum.scan import scan
from probatum.scan.exports.inventory import Inventory
from probatum.scan.manifest import PIECE, Changed, Hasher, check_links, hashed, ignoring, listing
from probatum.scan.tree import BadPath

SIZES = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "root"
    (root / "b").mkdir(parents=True)
    for size in SIZES:
        (root / f"b/{size}.bin").write_bytes(os.urandom(size))
    (root / "a.txt").write_text("a")
    return root


def test_listing_and_hashes(folder):
    found = listing(str(folder))
    assert list(found.files) == sorted(["a.txt", *(f"b/{size}.bin" for size in SIZES)])
    digests = hashed(str(folder), found.files, Hasher())
    for path, (size, digest) in digests.items():
        data = (folder / path).read_bytes()
        assert (size, digest) == (len(data), hashlib.sha256(data).hexdigest())
    assert hashed(str(folder / "a.txt"), ["a.txt"], Hasher()) == {"a.txt": digests["a.txt"]}


def test_an_inode_is_read_once(folder):
    """Hard links, links that are followed, and two threads at the same time."""
    os.link(folder / "a.txt", folder / "hard")
    (folder / "soft").symlink_to("a.txt")
    read = []
    found = listing(str(folder), follow=True)
    names = [p for p in found.files if p in ("a.txt", "hard", "soft")]
    digests = hashed(str(folder), names * 8, Hasher(read.append), follow=True)
    assert len(set(digests.values())) == 1
    assert sum(read) == 1


def test_two_threads_wait_for_one_reading(folder):
    read, place = [], folder / f"b/{3 * PIECE}.bin"
    hasher, handles = Hasher(read.append), [os.open(place, os.O_RDONLY) for _ in range(8)]
    threads = [threading.Thread(target=hasher.digest, args=(handle,)) for handle in handles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for handle in handles:
        os.close(handle)
    assert sum(read) == 3 * PIECE


def test_a_file_that_grows_while_it_is_read(folder):
    place = folder / f"b/{3 * PIECE}.bin"

    def grow(count):
        with place.open("ab") as file:
            file.write(b"x")

    handle = os.open(place, os.O_RDONLY)
    with pytest.raises(Changed):
        Hasher(grow).digest(handle)
    os.close(handle)


def test_links_are_refused_recorded_or_followed(folder, tmp_path):
    (tmp_path / "blob").write_text("far")
    (folder / "in").symlink_to("b/../a.txt")
    plain = listing(str(folder))
    assert plain.links == {"in": "b/../a.txt"}
    with pytest.raises(BadPath, match="--links record"):
        check_links(plain, str(folder), "refuse")
    check_links(plain, str(folder), "record")
    (folder / "out").symlink_to("../blob")
    with pytest.raises(BadPath, match="leaves the model"):
        check_links(listing(str(folder)), str(folder), "record")
    followed = listing(str(folder), follow=True)
    assert followed.links == {}
    assert followed.files["out"] == (3, "")
    check_links(followed, str(folder), "follow")
    for name, target in (("loop", "loop"), ("gone", "nowhere"), ("up", "..")):
        (folder / name).symlink_to(target)
        with pytest.raises(BadPath, match=f"'{name}' is a link"):
            check_links(listing(str(folder), follow=True), str(folder), "follow")
        (folder / name).unlink()


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(folder):
    found = listing(str(folder))
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to("/etc/hostname")
    with pytest.raises(BadPath, match=r"a\.txt"):
        hashed(str(folder), found.files, Hasher())


def test_pipes_are_named_and_not_opened(folder):
    os.mkfifo(folder / "pipe")
    assert listing(str(folder)).special == ["pipe"]
    with pytest.raises(BadPath, match="no regular file"):
        hashed(str(folder), ["pipe"], Hasher())


def test_globs():
    skip = ignoring([".cache/*", "*.tmp"], "sig")
    assert [skip(p) for p in (".cache/x/y", "a/b.tmp", "sig", "a/sig", "cache/x", "B.TMP")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_the_scan_hands_out_what_it_scanned(folder):
    """The inventory sees every regular file once, under the path of its result, and keeps only documents."""
    (folder / "config.json").write_text('{"a": 1}')
    (folder / "pytorch.json").write_text("{}")
    (folder / "link").symlink_to("a.txt")
    inventory = Inventory()
    result = scan([str(folder)], seen=inventory)
    regular = {f.path for f in result.files if not f.format.startswith("link")}
    assert set(inventory.files) == regular
    assert inventory.documents == {str(folder / "config.json"): b'{"a": 1}'}
    for path, (size, digest) in inventory.files.items():
        with open(path, "rb") as file:
            data = file.read()
        assert (size, digest) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_file_that_changes_under_the_scan_is_not_covered(folder, monkeypatch):
    def changed(self, handle):
        raise Changed("it changed while it was read")

    monkeypatch.setattr(Hasher, "digest", changed)
    result = scan([str(folder / "a.txt")], seen=Inventory())
    assert [f.rule for f in result.files[0].findings] == ["DIR003"]
    assert result.verdict == "not covered"
