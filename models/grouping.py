"""Doing together what is asked for at the same time: while one group is at work, the next one gathers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from models.errors import Busy

Item = TypeVar("Item")
Answer = TypeVar("Answer")

GROUP_MAX = 64
WAITING_MAX = 2_000

Work = Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]]


class Groups(Generic[Item, Answer]):
    """Lanes, each with a key, in which groups go one after the other, first come, first served.

    Whoever finds a lane empty goes at once, with those who ask in the same turn of the event loop: nobody waits for
    company. Whoever comes while a group is under way goes with the next, at most GROUP_MAX together. At most
    WAITING_MAX wait in a lane; more are told Busy.

    With `taking_turns` a group leaves room for those who went before it: it takes at most half of them and of those who
    wait. Clients who ask again and again then make two groups, and while one is at work the other is answered and asks
    again; in one group all of them would wait for the work, and the work for all of them.
    """

    def __init__(self, *, taking_turns: bool = False) -> None:
        self._taking_turns = taking_turns
        self._lanes: dict[Hashable, deque[tuple[Item, asyncio.Future[Answer]]]] = {}
        self._runs: set[asyncio.Task[None]] = set()

    async def ask(self, lane: Hashable, item: Item, work: Work[Item, Answer]) -> Answer:
        """The answer of `work`, which gets the items of a group in their order and answers each.

        An error of the work is an error of the whole group: it should answer what concerns one item. Who is cancelled
        while waiting is left out; once a group is under way it goes to its end.
        """
        waiting = self._lanes.get(lane)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if waiting is None:
            self._lanes[lane] = deque([(item, answer)])
            run = asyncio.create_task(self._run(lane, work))
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)
        elif len(waiting) >= WAITING_MAX:
            raise Busy("Too many are waiting for this. Nothing was done: repeat the call with the same key.")
        else:
            waiting.append((item, answer))
        return await answer

    async def finish(self) -> None:
        """Return when all lanes are empty."""
        while self._runs:
            await asyncio.wait(self._runs)

    async def _run(self, lane: Hashable, work: Work[Item, Answer]) -> None:
        waiting = self._lanes[lane]
        before = 0
        while waiting:
            before = min(GROUP_MAX, self._fair_share(before, len(waiting)))
            group = [waiting.popleft() for _ in range(before)]
            group = [(item, answer) for item, answer in group if not answer.done()]
            if group:
                await _answer(group, work)
        del self._lanes[lane]

    def _fair_share(self, before: int, waiting: int) -> int:
        """How many of those who wait go next, where so many went before them."""
        return min(waiting, -(-(before + waiting) // 2)) if self._taking_turns and before else waiting


async def _answer(group: list[tuple[Any, asyncio.Future[Any]]], work: Work[Any, Any]) -> None:
    try:
        answers = await work([item for item, _ in group])
    except Exception as error:  # noqa: BLE001 - it is raised again, to everybody who waits for this group
        for _, future in group:
            if not future.done():
                future.set_exception(error)
        return
    for (_, future), answer in zip(group, answers, strict=True):
        if not future.done():
            future.set_result(answer)
