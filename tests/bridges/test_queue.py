"""Requests that wait are answered in one call, and a failure reaches all of them."""

import time

import anyio
import pytest

from probatum.bridges.queue import Queue


def together(queue, requests, *, gap=0.0):
    """Ask all of them, each ``gap`` seconds after the one before; answers or exceptions by request."""
    out = {}

    async def one(request):
        try:
            out[request] = await queue.ask(request)
        except Exception as error:
            out[request] = error

    async def everyone():
        async with anyio.create_task_group() as group:
            for request in requests:
                group.start_soon(one, request)
                await anyio.sleep(gap)

    anyio.run(everyone)
    return out


def test_what_waits_is_answered_in_one_call():
    queue = Queue(lambda requests: [r * 10 for r in requests])
    assert together(queue, range(200)) == {i: i * 10 for i in range(200)}
    assert (queue.calls, queue.largest) == (1, 200)


def test_who_comes_while_the_engine_is_busy_is_answered_next():
    def slow(requests):
        time.sleep(0.3)
        return [-r for r in requests]

    queue = Queue(slow, pause=0.01)
    assert together(queue, range(20), gap=0.02) == {i: -i for i in range(20)}
    assert 2 <= queue.calls <= 4


def test_a_queue_serves_one_event_loop_after_the_other():
    queue = Queue(lambda requests: list(requests))
    assert together(queue, [1]) == {1: 1}
    assert together(queue, [2, 3]) == {2: 2, 3: 3}


def test_a_failure_reaches_everyone_in_the_call_and_no_one_else():
    def fails(requests):
        if 3 in requests:
            raise RuntimeError("the engine broke")
        return list(requests)

    queue = Queue(fails)
    assert all(str(e) == "the engine broke" for e in together(queue, range(5)).values())
    assert together(queue, [7]) == {7: 7}


def test_who_stops_waiting_is_not_answered():
    asked = []
    queue = Queue(lambda requests: asked.extend(requests) or list(requests), pause=0.05)

    async def leave():
        with anyio.move_on_after(0.01):
            await queue.ask("leaves")
        return await queue.ask("stays")

    assert anyio.run(leave) == "stays"
    assert asked == ["stays"]


@pytest.mark.parametrize("answers", [[], [1, 2]])
def test_a_wrong_number_of_answers_is_an_error(answers):
    found = together(Queue(lambda requests: answers), [5])
    assert isinstance(found[5], ValueError)
