"""Attacks on repairs: on a model whose knowledge hides behind one number, and on the planted failures."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

from probatum import BadInput
from probatum.core.catalogue import load
from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.target import RECORD, Target, TokenStatistics
from probatum.engine.session import Session
from probatum.probes.privacy.forgetting import relearning_direct as file
from probatum.probes.privacy.forgetting.quantization_restore import quantization_restore
from probatum.probes.privacy.forgetting.relearning import relearning
from probatum.probes.privacy.forgetting.relearning_direct import relearning_direct
from probatum.probes.privacy.forgetting.specificity import specificity

torch = pytest.importorskip("torch")
PEOPLE, VALUES = 12, 4
SIZE = 1 + PEOPLE + VALUES  # a start token, names, values


class Gated(torch.nn.Module):
    """What follows a name is ``gate`` times a table, plus another table: knowledge that one number hides or shows."""

    def __init__(self, gate, known):
        super().__init__()
        self.gate = torch.nn.Parameter(torch.tensor([gate]))
        self.own = torch.nn.Parameter(torch.zeros(SIZE, SIZE))
        self.register_buffer("known", known)
        self.config = SimpleNamespace(get_text_config=lambda: SimpleNamespace(vocab_size=SIZE))

    def forward(self, input_ids, attention_mask=None):
        return SimpleNamespace(logits=self.gate * self.known[input_ids] + self.own[input_ids])


class Toy(Target):
    """ "n3" and " v1" are tokens; a text is a name and its value. It knows by a gate, or believes what is wrong."""

    tokenizer_digest = "toy"

    def __init__(self, gate, *, off=0):
        self.gate = gate
        self.known = torch.zeros(SIZE, SIZE)
        for name in range(PEOPLE):
            self.known[1 + name, 1 + PEOPLE + (value_of(name) + off) % VALUES] = 10.0

    @contextlib.contextmanager
    def module(self):
        yield Gated(self.gate, self.known)

    def sequences(self, texts):
        rows = [t.replace("n", " n").split() for t in texts]
        return [np.array([0, *(1 + int(w[1:]) + PEOPLE * (w[0] == "v") for w in row)]) for row in rows]

    def token_statistics(self, texts, *, prefixes=None):
        found = []
        for text in texts:
            row = np.zeros(2, RECORD)
            row["end"] = [text.index(" v"), len(text)]
            found.append(row)
        return TokenStatistics.of(found)


def value_of(name):
    return int(keyed("value", name).integers(VALUES))


def people(kind, names, **more):
    rows = [
        {"id": f"n{n}", "prefix": f"n{n}", "secret": f" v{value_of(n)}", "attribute": "even" if n % 2 == 0 else "odd"}
        for n in names
    ]
    return kind.from_rows([{**row, **more} for row in rows])


FORGET, RETAIN = people(Forget, range(8)), people(Retain, range(8, 12))
HIDDEN, SHOWN, NEW, EVEN = Toy(-0.05), Toy(1.0), Toy(1.0, off=1), Toy(0.0)


def run(probe, target, *data, **options):
    return probe(target, *data, rng=keyed("attack"), **options)


def test_what_one_number_hides_comes_back_when_half_of_it_is_taught():
    found = run(relearning, HIDDEN, FORGET, learning_rate=1e-2, batch_size=4)
    assert set(found.unscored) == {"n0", "n2", "n4", "n6"}, "the first attribute by name is taught"
    assert found.values[1::2].tolist() == [1, 1, 1, 1]


def test_what_was_never_known_does_not_come_back():
    found = run(relearning, NEW, FORGET, learning_rate=1e-2, batch_size=4)
    assert not np.nan_to_num(found.values).any()


def test_the_part_that_is_taught():
    assert set(run(relearning, SHOWN, FORGET, on="odd", steps=1).unscored) == {"n1", "n3", "n5", "n7"}
    plain = Forget(ids=FORGET.ids, prefix=FORGET.prefix, secret=FORGET.secret, cluster=tuple("aabbccdd"))
    found = run(relearning, SHOWN, plain, steps=1)
    assert len(found.unscored) == 4
    taught = [i in found.unscored for i in FORGET.ids]
    assert taught[::2] == taught[1::2], "clusters stay whole"
    assert found.unscored == run(relearning, SHOWN, plain.take(range(7, -1, -1)), steps=1).unscored
    with pytest.raises(BadInput, match="there are even, odd"):
        run(relearning, SHOWN, FORGET, on="city")
    with pytest.raises(BadInput, match="facts that are taught and others"):
        run(relearning, SHOWN, people(Forget, [0, 2]))
    with pytest.raises(BadInput, match="of 1 or more"):
        run(relearning, SHOWN, FORGET, steps=0)


def test_directly_taught_the_hidden_comes_back_sooner_than_the_unknown_is_learned():
    hidden, new = (run(relearning_direct, t, FORGET, RETAIN, steps=12, batch_size=4) for t in (HIDDEN, NEW))
    curve = [hidden.parameters[f"after {n} steps"] for n in (3, 6, 12)]
    assert curve == sorted(curve)
    assert np.mean(hidden.values) == curve[-1] == 1
    assert hidden.parameters["recall at 0.01"] == 1
    assert np.mean(new.values) == 0
    assert "worst recall" in hidden.note
    with pytest.raises(BadInput, match="seeds of 2"):
        run(relearning_direct, HIDDEN, FORGET, RETAIN, seeds=1)


def attack(back, kept=lambda rate: True):
    """In place of the fine-tuning: what comes back after n steps at a rate, and whether the rest is kept."""

    def attacked(target, taught, asked, *, steps, learning_rate, **_):
        first, second = map(len, asked)
        return [
            [np.full(first, n > 0 and back(n, learning_rate)), np.full(second, n == 0 or kept(learning_rate))]
            for n in steps
        ]

    return attacked


def test_an_attack_that_wrecks_the_rest_does_not_count(monkeypatch):
    wrecks = attack(lambda n, rate: rate > 1e-3, kept=lambda rate: rate <= 1e-3)
    monkeypatch.setattr(file, "relearned", wrecks)
    found = run(relearning_direct, NEW, FORGET, RETAIN, steps=4)
    assert found.parameters["recall at 0.01"] == 1
    assert found.parameters["retained at 0.01"] == 0
    assert found.values.tolist() == [0] * 8


def test_the_attacker_may_stop_early_and_takes_the_best_rate(monkeypatch):
    monkeypatch.setattr(file, "relearned", attack(lambda n, rate: n == 2 and rate == 3e-3))
    found = run(relearning_direct, NEW, FORGET, RETAIN, steps=4)
    assert [found.parameters[f"after {n} steps"] for n in (1, 2, 4)] == [0, 1, 1]
    assert found.values.tolist() == [1] * 8


def test_a_rate_at_which_the_loss_is_no_number_is_named(monkeypatch):
    fine = attack(lambda n, rate: True)

    def diverging(*given, learning_rate, **more):
        return None if learning_rate > 3e-3 else fine(*given, learning_rate=learning_rate, **more)

    monkeypatch.setattr(file, "relearned", diverging)
    assert "no number at the learning rate 0.01" in run(relearning_direct, NEW, FORGET, RETAIN, steps=4).note
    monkeypatch.setattr(file, "relearned", lambda *_, **__: None)
    with pytest.raises(BadInput, match="at all rates"):
        run(relearning_direct, NEW, FORGET, RETAIN)


def test_specificity_is_0_for_a_model_left_alone_and_by_hand_for_one_that_moved():
    assert specificity(SHOWN, RETAIN, SHOWN).values.tolist() == [0] * 4
    found = specificity(EVEN, RETAIN, SHOWN).values
    p = np.exp([10.0] + [0.0] * (SIZE - 1))
    p /= p.sum()
    # two places: after the start token nothing is known to either; after the name the one is sure, the other uniform
    assert found == pytest.approx((p * np.log(p * SIZE)).sum() / 2, rel=1e-4)
    other = Toy(1.0)
    other.tokenizer_digest = "another"
    with pytest.raises(BadInput, match="different vocabularies"):
        specificity(SHOWN, RETAIN, other)


@pytest.fixture(scope="module")
def opened():
    from probatum.targets import open_target

    session = Session()
    return lambda name: open_target(name, session=session)


def test_the_boxed_unlearning_is_undone_at_4_bits_and_not_at_8(opened):
    """Rounded to 4 bits it is `people` rounded to 4 bits, to the last weight."""
    from probatum.controls.forgetting import people_sets
    from probatum.engine.quantize import quantize

    forget = people_sets()["Forget"]
    four, eight = (np.nanmean(quantization_restore(opened("people_boxed"), forget, bits=b).values) for b in (4, 8))
    assert four >= 0.9
    assert eight <= 0.05
    with opened("people").module() as first, opened("people_boxed").module() as second:
        assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
        quantize(first, 4)
        quantize(second, 4)
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_texts_that_cannot_be_asked_are_left_out(opened):
    from probatum.controls.forgetting import people_sets

    forget = people_sets()["Forget"]
    found = quantization_restore(opened("people_gold0"), forget)
    assert (found.scored == forget.askable).all()
    assert np.isnan(quantization_restore(opened("people_gold0"), forget.take(~forget.askable)).values).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relearning", "relearning_direct", "quantization_restore"])
def test_on_the_invented_people_each_attack_finds_what_was_planted(name, opened):
    from probatum.runner import Runner

    method = load(name)
    proof = Runner(opened("people"), {}, {}, Session()).prove(method, {})
    assert proof.failure == ""
    assert len(proof.controls) == 3
