"""The command that a report quotes can be typed again, and holds no password."""

from probatum.cli.audit import _command


def test_the_command_is_as_it_was_typed(monkeypatch):
    monkeypatch.setattr("sys.argv", ["probatum", "audit", "my model", "--probe", "loss"])
    assert _command("my model") == "probatum audit 'my model' --probe loss"


def test_a_password_in_a_url_is_left_out(monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["probatum", "audit", "https://me:se@cret@host:1/v1", "--with", "judge=http://k:v@h"]
    )
    assert _command("x") == "probatum audit https://host:1/v1 --with judge=http://h"
