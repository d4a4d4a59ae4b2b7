import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import example
import pytest
from rich.console import Console

from probatum.core.errors import ProbatumError
from probatum.reports import render, terminal, write

SNAPSHOT = Path(__file__).with_name("summary-80.txt")


def printed(renderable: Any, width: int = 80, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=stream, width=width, no_color=True).print(renderable)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


def test_summary_at_80_columns() -> None:
    assert printed(terminal.summary(example.report())) == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp437"])
def test_fits_every_terminal(width: int, encoding: str) -> None:
    report = example.report()
    for view in (terminal.summary(report), terminal.side_by_side([report, example.plain()]), terminal.findings(report)):
        out = printed(view, width, encoding)
        assert max(map(len, out.splitlines())) <= width
        assert not set(out) & {"\x1b", "\x07", "\u202e", "\u2066"}
        assert "accountability" in out.lower()


def test_color_is_never_the_only_sign() -> None:
    stream = io.StringIO()
    Console(file=stream, width=80, force_terminal=True, color_system="truecolor").print(
        terminal.summary(example.report())
    )
    assert "\x1b[" in stream.getvalue()
    assert "red[/]" not in printed(terminal.findings(example.report()))
    assert "evidence" in printed(terminal.summary(example.report()))


def test_markup_from_a_model_is_text() -> None:
    assert "[bold]rich[/]" in printed(terminal.findings(example.report()), 200)


def test_no_text_reaches_the_terminal_with_its_controls() -> None:
    assert terminal.Ink("utf-8")("a\x1b[31m\u202eb\nc").plain == "a[U+001B][31m[U+202E]b\nc"
    assert terminal.Ink("ascii")("≥ 1 – 東").plain == ">= 1 - ?"


def test_the_listing_names_every_finding() -> None:
    out = printed(terminal.findings(example.report()))
    assert all(f.id in out for f in example.report())
    assert "failed: negative on specimen-160m" in out


def test_subjects_stand_side_by_side_and_wrap_when_there_are_many() -> None:
    privacy = replace(example.plain()["privacy"], subject=replace(example.plain().subject, name="only-privacy"))
    pair = [example.plain(), privacy]
    out = printed(terminal.side_by_side(pair))
    assert out.count("not audited") == 7
    assert out.count("\nprivacy") == 1
    assert printed(terminal.side_by_side(pair * 3)).count("\nprivacy") == 2


class TestFiles:
    def test_writes_three_files_and_nothing_else(self, tmp_path: Path) -> None:
        paths = write(example.report()["truthfulness"], tmp_path / "new" / "out")
        assert sorted(p.name for p in paths) == ["card.md", "report.html", "report.json"]
        assert sorted((tmp_path / "new" / "out").iterdir()) == sorted(paths)

    def test_views_can_be_made_again(self, tmp_path: Path) -> None:
        write(example.report()["accountability"], tmp_path / "a")
        paths = render(tmp_path / "a" / "report.json", tmp_path / "b")
        assert sorted(p.name for p in paths) == ["card.md", "report.html"]
        for path in paths:
            assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()

    def test_a_full_disk_is_one_sentence_and_leaves_the_old_files(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "report.json").write_text("old")

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(ProbatumError, match="No space left on device; make room there"):
            write(example.plain()["calibration_error"], tmp_path)
        assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
        assert (tmp_path / "report.json").read_text() == "old"

    def test_a_directory_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("")
        with pytest.raises(ProbatumError, match="cannot write the report to"):
            write(example.plain()["calibration_error"], tmp_path / "x")

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"{}", None])
    def test_what_is_no_report(self, tmp_path: Path, content: bytes | None) -> None:
        if content is not None:
            (tmp_path / "r.json").write_bytes(content)
        with pytest.raises(ProbatumError, match="report"):
            render(tmp_path / "r.json", tmp_path)
