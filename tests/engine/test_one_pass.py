"""The numbers of every token against NumPy in double precision, and how little of them exists at a time."""

import numpy as np
import pytest
import torch

from probatum.engine.network import CHUNK_ROWS
from probatum.engine.one_pass import COLUMNS, _highest, token_moments


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


class Head:
    """A network whose features are its logits."""

    torch = torch

    def __init__(self):
        self.rows = []

    def logits(self, features):
        self.rows.append(len(features))
        return features.clone()


def naive(logits, targets):
    z = logits.astype(np.float64)
    top = z.max(1, keepdims=True)
    lse = top[:, 0] + np.log(np.exp(z - top).sum(1))
    logp = z - lse[:, None]
    p = np.exp(logp)
    surprise = np.where(p > 0, logp, 0)
    mean = (p * surprise).sum(1)
    std = np.sqrt((p * (surprise - mean[:, None]) ** 2).sum(1))
    own = logp[np.arange(len(z)), targets]
    return {
        "logprob": own, "mean": mean, "std": std, "rank": (logp > own[:, None]).sum(1), "argmax": z.argmax(1),
        "argmax_logprob": logp.max(1), "logsumexp": lse,
    }  # fmt: skip


@pytest.mark.parametrize("vocabulary", [2, 257, 511, 512, 513, 1000, 5000])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 30.0])
def test_equal_to_double_precision(vocabulary, spread):
    rng = np.random.default_rng(vocabulary)
    logits = rng.normal(5, spread, (300, vocabulary)).astype(np.float32)
    targets = rng.integers(0, vocabulary, 300)
    got = token_moments(Head(), torch.from_numpy(logits), torch.from_numpy(targets)).numpy()
    for name, values in zip(COLUMNS, got, strict=True):
        np.testing.assert_allclose(values, naive(logits, targets)[name], atol=1e-4, err_msg=name)
    only = token_moments(Head(), torch.from_numpy(logits), torch.from_numpy(targets), logprob_only=True).numpy()
    np.testing.assert_allclose(only[0], got[0], atol=1e-4)


def test_uniform_row_has_no_spread():
    got = token_moments(Head(), torch.full((2, 16384), -7.25), torch.tensor([0, 16383])).numpy()
    columns = dict(zip(COLUMNS, got, strict=True))
    np.testing.assert_allclose(columns["logprob"], -np.log(16384), rtol=1e-6)
    np.testing.assert_allclose(columns["mean"], -np.log(16384), rtol=1e-6)
    assert columns["std"].tolist() == [0, 0]
    assert columns["rank"].tolist() == [0, 0]  # equally likely tokens are not likelier


def test_forbidden_tokens():
    """Some models set the logits of tokens that they never say to minus infinity."""
    logits = np.random.default_rng(0).normal(0, 3, (4, 600)).astype(np.float32)
    logits[:, 100:] = -np.inf
    targets = np.array([0, 50, 99, 599])
    got = dict(
        zip(COLUMNS, token_moments(Head(), torch.from_numpy(logits), torch.from_numpy(targets)).numpy(), strict=True)
    )
    expected = naive(logits, targets)
    for name in ("mean", "std", "argmax", "argmax_logprob", "logsumexp"):
        np.testing.assert_allclose(got[name], expected[name], atol=1e-5)
    assert got["logprob"][3] == -np.inf
    assert got["rank"].tolist()[3] == 100


def test_two_point_vocabulary_in_closed_form():
    p = 0.8
    got = token_moments(Head(), torch.tensor([[np.log(p), np.log(1 - p)]], dtype=torch.float32), torch.tensor([1]))
    own, mean, std, rank, argmax, best, lse = got[:, 0].tolist()
    a, b = np.log(p), np.log(1 - p)
    assert own == pytest.approx(b, abs=1e-6)
    assert mean == pytest.approx(p * a + (1 - p) * b, abs=1e-6)
    assert std == pytest.approx(np.sqrt(p * (1 - p)) * (a - b), abs=1e-6)
    assert (rank, argmax) == (1, 0)
    assert best == pytest.approx(a, abs=1e-6)
    assert lse == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("vocabulary", [100, 512, 640, 1000])
def test_highest_takes_the_first_of_equals(vocabulary):
    z = torch.randint(0, 4, (200, vocabulary)).float()
    values, places = _highest(torch, z)
    assert torch.equal(values, z.max(-1).values)
    assert torch.equal(places, torch.from_numpy(z.numpy().argmax(-1)))


def test_logits_exist_for_a_few_rows_at_a_time():
    head = Head()
    token_moments(head, torch.randn(1000, 300), torch.zeros(1000, dtype=torch.long))
    assert max(head.rows) <= CHUNK_ROWS
    assert sum(head.rows) == 1000
