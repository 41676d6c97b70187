"""Lanes: alone when idle, together when busy, in order, bounded."""

import asyncio
from collections.abc import Sequence

import pytest

from models.errors import Busy
from models.grouping import GROUP_MAX, WAITING_MAX, Groups


class Desk:
    """Work that waits until it is let go on, and remembers the groups that it got."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = asyncio.Event()

    async def work(self, items: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(items))
        await self.gate.wait()
        if -1 in items:
            raise LookupError("of the whole group")
        return [item * 10 for item in items]


async def asked(groups: Groups[int, int], desk: Desk, *items: int, lane: str = "a") -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(groups.ask(lane, item, desk.work)) for item in items]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_the_first_goes_alone_and_who_comes_meanwhile_together() -> None:
    groups, desk = Groups[int, int](), Desk()
    first = await asked(groups, desk, 1)
    rest = await asked(groups, desk, 2, 3, 4)
    assert desk.groups == [[1]]
    desk.gate.set()
    assert await asyncio.gather(*first, *rest) == [10, 20, 30, 40]
    assert desk.groups == [[1], [2, 3, 4]]


async def test_lanes_do_not_wait_for_one_another() -> None:
    groups, desk = Groups[int, int](), Desk()
    tasks = await asked(groups, desk, 1) + await asked(groups, desk, 2, lane="b")
    assert desk.groups == [[1], [2]]
    desk.gate.set()
    await asyncio.gather(*tasks)


async def test_groups_are_bounded_and_first_come_first_served() -> None:
    groups, desk = Groups[int, int](), Desk()
    tasks = await asked(groups, desk, *range(2 * GROUP_MAX + 2))
    desk.gate.set()
    await asyncio.gather(*tasks)
    assert [len(group) for group in desk.groups] == [GROUP_MAX, GROUP_MAX, 2]
    assert [item for group in desk.groups for item in group] == list(range(2 * GROUP_MAX + 2))


@pytest.mark.parametrize(("taking_turns", "sizes"), [(True, [1, 16, 16, 16, 16]), (False, [1, 31, 1, 31, 1])])
async def test_those_who_take_turns_and_ask_again_and_again_make_two_groups(
    *, taking_turns: bool, sizes: list[int]
) -> None:
    groups, desk, done = Groups[int, int](taking_turns=taking_turns), Desk(), asyncio.Semaphore(0)
    desk.gate.set()

    async def work(items: Sequence[int]) -> Sequence[int]:
        answers = await desk.work(items)
        await done.acquire()
        return answers

    async def client() -> None:
        while len(desk.groups) < len(sizes):
            await groups.ask("a", 1, work)

    clients = [asyncio.create_task(client())]
    await asyncio.sleep(0)
    clients += [asyncio.create_task(client()) for _ in range(31)]
    while not all(each.done() for each in clients):
        for _ in range(5):  # turns of the loop, until who was answered has asked again
            await asyncio.sleep(0)
        done.release()
    assert [len(group) for group in desk.groups[: len(sizes)]] == sizes


async def test_taking_turns_nobody_is_left_waiting_while_the_lane_is_free() -> None:
    groups, desk = Groups[int, int](taking_turns=True), Desk()
    tasks = await asked(groups, desk, 0) + await asked(groups, desk, *range(1, 10))
    desk.gate.set()
    await asyncio.gather(*tasks)
    assert [len(group) for group in desk.groups] == [1, 5, 4]
    assert [item for group in desk.groups for item in group] == list(range(10))


async def test_who_is_cancelled_while_waiting_is_left_out_and_a_group_under_way_is_not() -> None:
    groups, desk = Groups[int, int](), Desk()
    (first,) = await asked(groups, desk, 1)
    second, third = await asked(groups, desk, 2, 3)
    first.cancel()
    second.cancel()
    desk.gate.set()
    assert await third == 30
    assert desk.groups == [[1], [3]]
    assert first.cancelled()
    assert second.cancelled()


async def test_an_error_of_the_work_is_everybodys_and_the_lane_goes_on() -> None:
    groups, desk = Groups[int, int](), Desk()
    tasks = await asked(groups, desk, 1) + await asked(groups, desk, -1, 2)
    desk.gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[0] == 10
    assert [type(answer) for answer in answers[1:]] == [LookupError, LookupError]
    assert await groups.ask("a", 3, desk.work) == 30


async def test_more_than_can_wait_are_told_so() -> None:
    groups, desk = Groups[int, int](), Desk()
    tasks = await asked(groups, desk, 0) + await asked(groups, desk, *range(WAITING_MAX))
    with pytest.raises(Busy):
        await groups.ask("a", 0, desk.work)
    for task in tasks:
        task.cancel()
    desk.gate.set()
    await groups.finish()


async def test_finish_waits_for_all_lanes() -> None:
    groups, desk = Groups[int, int](), Desk()
    tasks = await asked(groups, desk, 1, 2) + await asked(groups, desk, 3, lane="b")
    desk.gate.set()
    await groups.finish()
    assert [task.result() for task in await _settled(tasks)] == [10, 20, 30]


async def _settled(tasks: list[asyncio.Task[int]]) -> list[asyncio.Task[int]]:
    await asyncio.wait(tasks)
    return tasks
