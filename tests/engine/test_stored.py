"""What every stored target has in common, on one whose answers are made up."""

import threading
import time

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.cost import Budget
from probatum.core.errors import BudgetSpent, NotOffered, ProbatumError
from probatum.core.target import RECORD
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.engine.stored import Failure, StoredTarget


class MadeUp(StoredTarget):
    """A token per character; text "bad" fails; three texts per batch."""

    name = "made up"
    digest = "d"
    tokenizer_digest = "t"
    access = Access.LOGPROBS | Access.TEXT | Access.HIDDEN
    fields = ("id", "logprob", "end")

    def __init__(self, session=None):
        super().__init__(session or Session())
        self.asked = []

    def _batches(self, items, answer):
        for at in range(0, len(items), 3):
            some = range(at, min(at + 3, len(items)))
            self._book(sum(len(items[i]) for i in some))
            self.session.cost.forward_passes += 1
            self.asked += [items[i] for i in some]
            yield some, [Failure("it is bad") if items[i] == "bad" else answer(items[i]) for i in some]

    def _compute_records(self, texts):
        def record(text):
            row = np.zeros(len(text), RECORD)
            row["id"], row["end"] = [ord(c) for c in text], np.arange(1, len(text) + 1)
            row["logprob"] = -row["id"] / 100
            return row

        return self._batches(texts, record)

    def _compute_encodings(self, texts):
        yield range(len(texts)), [np.array([ord(c) for c in text], np.int32) for text in texts]

    def _compute_choices(self, prompts, options):
        for i, row in enumerate(options):
            self.asked.append(prompts[i])
            n = [len(o) for o in row]
            yield [i], [Failure("it is bad") if prompts[i] == "bad" else (np.array(n) / -3, np.array(n), np.array(n))]

    def _compute_generations(self, prompts, max_new_tokens, temperature, stop, seed):
        return self._batches(prompts, lambda p: f"{p}{max_new_tokens}{temperature}{stop}{seed}")

    def _compute_chats(self, conversations, max_new_tokens, temperature, seed):
        return iter([(range(len(conversations)), [talk[-1]["content"].upper() for talk in conversations])])

    def _compute_hidden(self, texts, layers, pool):
        return self._batches(texts, lambda t: np.outer(layers, [len(t), 1.0, 2.0]))


def test_equal_texts_are_computed_once_and_order_is_kept():
    target = MadeUp()
    got = target.token_statistics(["ab", "c", "ab", "", "c"])
    assert got.id.lengths.tolist() == [2, 1, 2, 0, 1]
    assert got.id[2].tolist() == [97, 98]
    assert target.asked == ["ab", "c", ""]


def test_same_texts_give_the_same_arrays_which_nobody_may_change():
    target = MadeUp()
    first = target.token_statistics(["ab", "c"])
    assert target.token_statistics(["ab", "c"]) is first
    assert target.session.cost.cached_tokens == 3
    with pytest.raises(ValueError, match="read-only"):
        first.logprob.values[0] = 0
    assert target.encode(["ab"]) is target.encode(["ab"])


def test_only_what_is_missing_is_computed():
    target = MadeUp()
    target.token_statistics(["ab", "c"])
    target.token_statistics(["c", "new", "ab"])
    assert target.asked == ["ab", "c", "new"]
    assert target.session.cost.forward_tokens == 6
    assert target.session.cost.cached_tokens == 3


@pytest.mark.parametrize("change", ["digest", "tokenizer_digest", "encoding_policy", "dtype", "attention"])
def test_evidence_of_another_identity_is_never_used(tmp_path, change):
    store = EvidenceStore(tmp_path)
    MadeUp(Session(store)).token_statistics(["ab"])
    same, other = MadeUp(Session(store)), MadeUp(Session(store))
    setattr(other, change, "another")
    other.token_statistics(["ab"])
    same.token_statistics(["ab"])
    assert (same.asked, other.asked) == ([], ["ab"])


def test_name_is_no_part_of_the_identity(tmp_path):
    store = EvidenceStore(tmp_path)
    MadeUp(Session(store)).token_statistics(["ab"])
    renamed = MadeUp(Session(store))
    renamed.name = "other"
    renamed.token_statistics(["ab"])
    assert renamed.asked == []


def test_neighbouring_parts_of_a_key_do_not_run_together():
    target = MadeUp()
    scores = target.choices(["a", "ab"], [["bc", "d"], ["c", "d"]])
    assert scores.tokens[0].tolist() == [2, 1]
    assert scores.tokens[1].tolist() == [1, 1]


def test_prefixes_give_a_slice_of_the_whole():
    target = MadeUp()
    got = target.token_statistics(["cd", "", "z"], prefixes=["ab", "abcd", ""])
    assert [row.tolist() for row in (got.id[0], got.id[1], got.id[2])] == [[99, 100], [], [122]]
    assert got.end[0].tolist() == [3, 4]
    assert target.asked == ["abcd", "z"]
    with pytest.raises(ValueError, match="one prefix per text"):
        target.token_statistics(["a"], prefixes=[])


def test_fields_that_are_not_offered():
    with pytest.raises(NotOffered, match="'rank' of a token is not offered by made up"):
        _ = MadeUp().token_statistics(["ab"]).rank


def test_one_text_instead_of_a_list():
    with pytest.raises(TypeError, match="expected a list of texts"):
        MadeUp().token_statistics("ab")


def test_failures_are_empty_and_are_asked_again():
    target = MadeUp()
    for _ in range(2):
        got = target.token_statistics(["ab", "bad"])
        assert got.id.lengths.tolist() == [2, 0]
        assert target.failures == {"bad": "it is bad"}
    assert target.asked == ["ab", "bad", "bad"]
    assert np.isnan(target.choices(["bad"], [["x", "y"]]).logprob[0]).all()
    assert np.isnan(target.hidden(["bad", "ab"], [0, 1])[1][0]).all()


def test_failed_generation_raises_after_the_others_were_kept():
    target = MadeUp()
    with pytest.raises(ProbatumError, match=r"1 of 4 prompts were not answered \(it is bad\)"):
        target.generate(["bad", "b", "c", "d"])
    target.asked.clear()
    assert len(target.generate(["b", "c", "d"])) == 3
    assert target.asked == []


def test_generation_settings_are_part_of_the_key_but_a_greedy_seed_is_not():
    target = MadeUp()
    assert target.generate(["a"], seed=1) == target.generate(["a"], seed=2)
    assert len(target.asked) == 1
    some = [
        target.generate(["a"], max_new_tokens=3),
        target.generate(["a"], stop="x"),
        target.generate(["a"], temperature=1.0),
        target.generate(["a"], temperature=1.0, seed=1),
    ]
    assert len({text for (text,) in some}) == 4


def test_chat_and_hidden():
    target = MadeUp()
    talk = [{"role": "user", "content": "hello"}]
    assert target.chat([talk, talk]) == ["HELLO", "HELLO"]
    got = target.hidden(["ab", "abc", "ab"], [1, 5])
    assert got[5].tolist() == [[10, 5, 10], [15, 5, 10], [10, 5, 10]]
    assert target.hidden([], [1])[1].shape == (0, 0)


def test_no_texts():
    target = MadeUp()
    assert len(target.token_statistics([])) == 0
    assert target.generate([]) == []
    assert len(target.choices([], []).logprob) == 0


def test_budget_stops_before_the_batch_and_keeps_what_was_computed():
    target = MadeUp(Session(budget=Budget(10)))
    with pytest.raises(BudgetSpent, match="9 of 10 tokens are spent and 6 more"):
        target.token_statistics(["aaa", "bbb", "ccc", "ddd", "eee"])
    assert target.session.cost.forward_tokens == 9
    assert len(target.token_statistics(["ccc", "aaa"])) == 2


def test_progress_is_shown_after_each_batch_is_stored(tmp_path):
    seen = []
    store = EvidenceStore(tmp_path)
    session = Session(store, progress=lambda what, done, total: seen.append((what, done, total, len(store))))
    MadeUp(session).token_statistics(list("abcdefg"))
    assert seen == [("made up: record", n, 7, n) for n in (3, 6, 7)]


def test_threads_compute_nothing_twice():
    class Slow(MadeUp):
        def _batches(self, items, answer):
            time.sleep(0.05)
            return super()._batches(items, answer)

    target = Slow()
    threads = [threading.Thread(target=target.token_statistics, args=(["ab", "c", "d"][i:],)) for i in (0, 1, 0, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(target.asked) == ["ab", "c", "d"]


def test_hooks_that_are_missing_say_what_they_need():
    class Nothing(StoredTarget):
        name = "nothing"

    target = Nothing(Session())
    for call in (
        lambda: target.token_statistics(["a"]),
        lambda: target.encode(["a"]),
        lambda: target.choices(["a"], [["b"]]),
        lambda: target.generate(["a"]),
        lambda: target.chat([[{"role": "user", "content": "a"}]]),
        lambda: target.hidden(["a"], [0]),
    ):
        with pytest.raises(NotOffered, match="nothing gives nothing"):
            call()


def test_odd_characters_are_texts_too():
    text = "lone \ud800 surrogate, \0 null"
    target = MadeUp()
    assert target.token_statistics([text]).id.lengths.tolist() == [len(text)]
    assert target.generate([text])[0].startswith(text)
