"""The heart of the scanner: what it calls inert is inert in the real loaders. `differential.py N` runs more."""

import differential


def test_nothing_that_is_called_inert_leaves_the_allow_list():
    result = differential.run(20_000, seed=7)
    assert result["wrong"] == []
    assert result["streams"] == 20_000
    assert result["inert"] > 1000
    assert result["not covered"] > 1000


def test_the_loader_sees_what_leaves_it():
    """The control of the test: streams that do leave it are seen by every kind of loader."""
    loader = differential.Loader()
    evil = [b"cbuiltins\nprint\n(Vx\ntR.", b"\x80\x04\x8c\x02os\x8c\x06getcwd\x93)R.", b"ccanary_module\nsing\n)R."]
    evil += [b"\x80\x02ccollections\nOrderedDict\n}Vx\nK\x01sb.", b"cnumpy\ndtype\nVx\nK\x01s."]
    answers = loader.load([*evil, b"\x80\x02ccollections\nOrderedDict\n)R."])
    loader.close()
    assert all(a != "ok" for a in answers[:-1])
    assert answers[-1] == "ok"
