"""The evidence store: what is damaged, foreign or of another time is never believed, and nothing else is lost."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from probatum.core.errors import BadInput, ProbatumError
from probatum.engine import store as store_module
from probatum.engine.store import EvidenceStore, MemoryStore

KEYS = [bytes([i]) * 32 for i in range(20)]


def rows(n=20, size=2000):
    return [(key, "record", key[:1] * size) for key in KEYS[:n]]


@pytest.fixture
def filled(tmp_path):
    store = EvidenceStore(tmp_path / "evidence")
    store.put(rows())
    store.put_note("control", '{"outcome": "found"}')
    store.close()
    return tmp_path / "evidence"


@pytest.mark.parametrize("make", [lambda path: MemoryStore(), EvidenceStore], ids=["memory", "disk"])
def test_gives_back_what_was_put(tmp_path, make):
    store = make(tmp_path / "e")
    store.put(rows(3))
    store.put([(KEYS[0], "record", b"another")])
    assert store.get([KEYS[0], KEYS[2], KEYS[7]]) == {KEYS[0]: b"\0" * 2000, KEYS[2]: b"\2" * 2000}
    assert store.get([]) == {}


def test_reads_thousands_of_keys_at_once(tmp_path):
    store = EvidenceStore(tmp_path)
    keys = [i.to_bytes(32, "little") for i in range(3000)]
    store.put((key, "record", key) for key in keys)
    assert store.get(keys) == {key: key for key in keys}
    assert len(store) == 3000


def test_survives_closing(filled):
    store = EvidenceStore(filled)
    assert len(store) == 20
    assert store.note("control") == '{"outcome": "found"}'
    assert store.note("none") is None
    store.put_note("control", "{}")
    assert store.note("control") == "{}"
    before = store.size()
    assert before > 20 * 2000
    store.clear()
    assert (len(store), store.note("control")) == (0, None)
    assert store.size() < before


def test_only_the_owner_may_read(filled):
    store = EvidenceStore(filled)
    assert stat.S_IMODE(filled.stat().st_mode) == 0o700
    for file in filled.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    store.close()


def test_mode_of_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    tmp_path.chmod(0o755)
    EvidenceStore(tmp_path).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_truncated_file_is_set_aside(filled, keep):
    path = filled / "evidence.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.warns(UserWarning, match=r"moved to evidence.sqlite.corrupt-1"):
        store = EvidenceStore(filled)
    assert store.get(KEYS) == {}
    store.put(rows(2))
    assert len(store.get(KEYS)) == 2
    assert (filled / "evidence.sqlite.corrupt-1").exists()


def test_second_damage_gets_a_second_name(filled):
    for n in (1, 2):
        (filled / "evidence.sqlite").write_bytes(b"not a database at all" * 100)
        with pytest.warns(UserWarning, match=f"corrupt-{n}"):
            EvidenceStore(filled).close()


def test_empty_file_is_a_new_store(tmp_path):
    (tmp_path / "evidence.sqlite").touch()
    store = EvidenceStore(tmp_path)
    store.put(rows(1))
    assert len(store) == 1


def test_other_database_is_not_ours(tmp_path):
    db = sqlite3.connect(tmp_path / "evidence.sqlite")
    db.execute("CREATE TABLE evidence (key, kind, blob, checksum)")
    db.commit()
    db.close()
    with pytest.warns(UserWarning, match="is not an evidence store of Probatum; moved to"):
        assert len(EvidenceStore(tmp_path)) == 0


def test_other_schema_is_never_believed(filled, monkeypatch):
    monkeypatch.setattr(store_module, "SCHEMA", store_module.SCHEMA + 1)
    with pytest.warns(UserWarning, match=r"has evidence of schema 1, this is schema 2; moved to .*schema-1-1"):
        store = EvidenceStore(filled)
    assert store.get(KEYS) == {}
    store.close()
    EvidenceStore(filled).close()  # and the new one is believed


def test_changed_row_is_not_answered_and_can_be_put_again(filled):
    db = sqlite3.connect(filled / "evidence.sqlite")
    db.execute("UPDATE evidence SET blob = ? WHERE key = ?", (b"forged", KEYS[3]))
    db.execute("UPDATE notes SET text = 'forged'")
    db.commit()
    db.close()
    store = EvidenceStore(filled)
    with pytest.warns(UserWarning, match="1 damaged rows are computed again"):
        assert set(store.get(KEYS)) == set(KEYS) - {KEYS[3]}
    assert store.note("control") is None
    store.put(rows(4))
    assert store.get([KEYS[3]]) == {KEYS[3]: b"\3" * 2000}


def test_damage_found_while_reading(filled, monkeypatch):
    """Large files are not checked whole when they are opened, so a damaged page is met later."""
    monkeypatch.setattr(store_module, "_QUICK_CHECK_BYTES", 0)
    path = filled / "evidence.sqlite"
    raw = bytearray(path.read_bytes())
    for page in range(len(raw) // 4096 * 2 // 3, len(raw) // 4096):
        raw[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(raw)
    store = EvidenceStore(filled)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="corrupt-1"):
        assert store.get(KEYS) == {}
    store.put(rows(2))
    assert len(store) == 2


def test_full_disk_is_one_sentence_and_loses_nothing(filled):
    store = EvidenceStore(filled)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ProbatumError, match=r"evidence cannot be kept .*full.*make room"):
        store.put((i.to_bytes(32, "big"), "record", b"x" * 9000) for i in range(1, 100))
    assert set(store.get(KEYS)) == set(KEYS)
    store._db.execute("PRAGMA max_page_count = 1000000")
    store.put([(b"9" * 32, "record", b"room again")])
    assert len(store) == 21


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="evidence cannot be kept here"):
        EvidenceStore(tmp_path / "file" / "evidence")


def test_closed_store_says_so(filled):
    store = EvidenceStore(filled)
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.get(KEYS)
    assert not list(filled.glob("*.corrupt*"))


def test_threads_share_one_store(tmp_path):
    store = EvidenceStore(tmp_path)

    def work(n):
        for i in range(50):
            store.put([((1000 * n + i).to_bytes(32, "little"), "record", b"x"), (b"k" * 32, "record", b"same")])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store) == 201


WRITER = """
import sys, time
from probatum.engine.store import EvidenceStore
n = int(sys.argv[2])
store = EvidenceStore(sys.argv[1])
for i in range(60):
    store.put([((1000 * n + i).to_bytes(32, "little"), "record", b"own" * 100)]
              + [(i.to_bytes(32, "big"), "record", b"shared" * 100)])
print(len(store.get([i.to_bytes(32, "big") for i in range(60)])))
"""


def test_two_processes_share_one_store(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(store_module.__file__).parents[2])}
    command = [sys.executable, "-W", "error", "-c", WRITER, str(tmp_path / "evidence")]
    both = [
        subprocess.Popen([*command, str(n)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for n in (1, 2, 3)
    ]
    for process in both:
        out, err = process.communicate(timeout=60)
        assert out.strip() == b"60", err.decode()
    assert len(EvidenceStore(tmp_path / "evidence")) == 3 * 60 + 60


def test_a_store_with_other_pages_is_gone_on_with(tmp_path):
    """Files of earlier versions keep the size of their pages."""
    db = sqlite3.connect(tmp_path / "evidence.sqlite")
    db.execute("PRAGMA page_size = 4096")
    db.executescript(store_module._TABLES)
    db.execute(f"PRAGMA application_id = {store_module._APPLICATION}")
    db.execute(f"PRAGMA user_version = {store_module.SCHEMA}")
    db.close()
    store = EvidenceStore(tmp_path)
    store.put(rows(3))
    store.close()
    assert len(EvidenceStore(tmp_path).get(KEYS)) == 3
    assert [path.name for path in tmp_path.glob("*.sqlite.*")] == []
