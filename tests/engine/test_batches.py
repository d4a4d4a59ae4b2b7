"""Windows score every token once; batches keep to their size, and halve when memory runs out."""

import numpy as np
import pytest

from probatum.core.errors import ProbatumError
from probatum.engine.batches import BatchSize, in_batches, padded, windows


@pytest.mark.parametrize("context", [2, 3, 8, 9])
@pytest.mark.parametrize("inputs", range(1, 40))
def test_windows_score_every_row_once_with_half_the_context(inputs, context):
    scored = []
    for start, stop, first in windows(inputs, context):
        assert 0 < stop - start <= context
        scored += range(start + first, stop)
        assert start == 0 or first + 1 >= context // 2  # rows before the first scored one, and itself, are context
    assert scored == list(range(inputs))


def run_all(lengths, size, fits=lambda batch: True, **options):
    batches, booked = [], []

    def run(batch):
        if not fits(batch):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        batches.append(batch)
        return [lengths[i] for i in batch]

    answers = {}
    for batch, answer in in_batches(lengths, size, run, booked.append, **options):
        answers.update(zip(batch, answer, strict=True))
    assert answers == dict(enumerate(lengths))
    return batches, booked


def test_batches_are_sorted_and_keep_to_their_size():
    lengths = list(np.random.default_rng(0).integers(1, 50, 100))
    batches, booked = run_all(lengths, BatchSize(128))
    assert all(len(b) * max(lengths[i] for i in b) <= 128 for b in batches)
    assert [lengths[i] for b in batches for i in b] == sorted(lengths, reverse=True)
    assert sum(booked) == sum(lengths)


def test_item_longer_than_the_size_goes_alone():
    batches, _ = run_all([300, 5, 5], BatchSize(100))
    assert batches == [[0], [1, 2]]


def test_rows_tokens_and_company():
    batches, booked = run_all(
        [4, 4, 3, 4], BatchSize(40), rows=[5, 4, 1, 1], tokens=[1, 2, 3, 4], together=lambda a, b: (a, b) != (0, 2)
    )
    assert batches == [[0, 1, 3], [2]]
    assert booked == [7, 3]


def test_out_of_memory_halves_for_good_and_books_once():
    lengths = [10] * 64
    size = BatchSize(640)
    batches, booked = run_all(lengths, size, fits=lambda batch: len(batch) <= 9)
    assert {len(b) for b in batches} == {8}
    assert sum(booked) == 640
    assert size.tokens == 80


def test_out_of_memory_for_a_single_text():
    with pytest.raises(ProbatumError, match="memory ran out for a single text of 10 tokens"):
        run_all([10] * 4, BatchSize(40), fits=lambda batch: False)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")]
)
def test_memory_of_the_machine_counts_too(error):
    calls = []

    def run(batch):
        calls.append(len(batch))
        if len(batch) > 2:
            raise error
        return True

    assert len(list(in_batches([1] * 8, BatchSize(8), run, lambda tokens: None))) == 4
    assert calls == [8, 4, 2, 2, 2, 2]


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes"):
        list(in_batches([1], BatchSize(8), lambda batch: (_ for _ in ()).throw(RuntimeError("shapes")), print))


def test_padded():
    ids, real = padded([np.array([5, 6]), np.array([], np.int32), np.array([7])])
    assert ids.tolist() == [[5, 6], [0, 0], [7, 0]]
    assert real.sum(1).tolist() == [2, 0, 1]
    assert padded([])[0].shape == (0, 1)


def test_a_batch_that_is_worth_its_pass_ends_before_much_shorter_items():
    lengths = [400] * 3 + [390, 300, 300, 100]
    batches, _ = run_all(lengths, BatchSize(4096), read=lengths)
    assert batches == [[0, 1, 2, 3], [4, 5, 6]]  # 600 tokens are not worth a pass of their own
    batches, _ = run_all(lengths, BatchSize(4096), read=[40] * 7)  # a shared start makes them alike
    assert batches == [list(range(7))]


def test_batches_of_mixed_lengths_have_little_padding():
    lengths = np.random.default_rng(0).integers(20, 400, 400).tolist()

    def computed(**options):
        batches, _ = run_all(lengths, BatchSize(16384), **options)
        return sum(len(b) * lengths[b[0]] for b in batches) / sum(lengths)

    assert computed(read=lengths) < 1.06 < 1.1 < computed()
