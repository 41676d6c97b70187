import asyncio
import random
import uuid
from contextlib import aclosing

import asyncpg
import pytest
from redis.asyncio import Redis

from models.database import Database
from models.errors import Busy, NotFound
from models.keys import BookingKey, ResourceKey
from models.ledger import calls
from models.ledger.requests import BookingAction
from subscriptions.channels import channel_of
from subscriptions.ending import end
from subscriptions.feed import Feed, FeedLimits
from subscriptions.relay import relay
from subscriptions.watchers import SlowConsumer
from tests.subscriptions.support import (
    PATIENT,
    QUICK,
    WINDOW,
    Held,
    assert_quiet,
    running_feed,
    steps_of,
    taken,
    version_of,
    watch,
)
from tests.support.factories import (
    adjust_of,
    between,
    booking_key_of,
    change_of,
    key_of,
    let_run_out,
    make_hold,
    make_requirement,
    make_resource,
    make_venue,
)
from tests.support.waiting import eventually


async def test_the_state_comes_first_and_then_each_change_where_it_happened(database: Database) -> None:
    resource = await make_resource(database, capacity=5)
    async with running_feed(database) as feed, aclosing(feed.resources(watch(key_of(resource)))) as changes:
        first = await taken(changes)
        assert (first.snapshot, first.version, first.window) == (True, 0, WINDOW)

        await make_hold(database, resource, "10:00", "12:00", quantity=2)
        change = await taken(changes)

        assert (change.snapshot, change.version, change.window) == (False, 1, between("10:00", "12:00"))
        (step,) = change.views[key_of(resource)].steps
        assert (step.starts_at, step.ends_at, step.taken) == (change.window.starts_at, change.window.ends_at, 2)
        assert change.resource.version == 1
        assert change.resource.slug == resource.slug


async def test_a_hint_is_enough_to_look_at_once(database: Database, redis_url: str) -> None:
    resource = await make_resource(database)
    relaying = asyncio.create_task(relay(database, redis_url))
    try:
        async with (
            running_feed(database, redis_url, PATIENT) as feed,
            aclosing(feed.resources(watch(key_of(resource)))) as changes,
        ):
            await taken(changes)
            await make_hold(database, resource)
            assert (await taken(changes)).version == 1
    finally:
        await end([relaying])


async def test_a_connection_to_redis_that_is_cut_is_healed_from_the_database(
    database: Database, redis_url: str
) -> None:
    resource = await make_resource(database)
    async with (
        running_feed(database, redis_url, PATIENT) as feed,
        aclosing(feed.resources(watch(key_of(resource)))) as changes,
        Redis.from_url(redis_url) as redis,
    ):
        await taken(changes)

        async def somebody_watches() -> bool:
            return feed.watcher_count == 1

        await eventually(somebody_watches)
        await _listeners(redis, resource.organization_id, 1)
        await make_hold(database, resource)  # nothing relays it: only that the feed listens anew makes it look
        await redis.client_kill_filter(_type="pubsub")
        assert (await taken(changes)).version == 1


async def test_what_happens_outside_of_the_window_is_not_pushed_and_loses_nothing(database: Database) -> None:
    resource = await make_resource(database, capacity=5)
    window = between("08:00", "11:00")
    async with (
        running_feed(database) as feed,
        aclosing(feed.resources(watch(key_of(resource), window=window))) as changes,
    ):
        await taken(changes)
        await make_hold(database, resource, "12:00", "14:00")
        await make_hold(database, resource, "10:00", "12:00")
        change = await taken(changes)
        assert (change.version, change.window) == (2, between("10:00", "11:00"))


async def test_who_comes_back_gets_what_was_missed_in_one(database: Database) -> None:
    resource = await make_resource(database, capacity=5)
    for start, until in (("08:00", "09:00"), ("10:00", "11:00"), ("15:00", "16:00")):
        await make_hold(database, resource, start, until)
    async with running_feed(database) as feed:
        async with aclosing(feed.resources(watch(key_of(resource), after=1))) as changes:
            change = await taken(changes)
            assert (change.version, change.snapshot, change.window) == (3, False, between("10:00", "16:00"))
        async with aclosing(feed.resources(watch(key_of(resource), after=3))) as changes:
            await assert_quiet(changes)


@pytest.mark.parametrize("after", [-5, 4, 2**53 - 1])
async def test_a_version_that_never_was_gets_the_whole_state(database: Database, after: int) -> None:
    resource = await make_resource(database)
    async with (
        running_feed(database) as feed,
        aclosing(feed.resources(watch(key_of(resource), after=after))) as changes,
    ):
        change = await taken(changes)
        assert (change.version, change.snapshot, change.window) == (0, True, WINDOW)


@pytest.mark.unaudited
async def test_a_version_that_the_outbox_has_forgotten_gets_the_whole_state(
    database: Database, owner: "asyncpg.Connection"
) -> None:
    resource = await make_resource(database, capacity=5)
    for _ in range(3):
        await make_hold(database, resource)
    await owner.execute("DELETE FROM outbox WHERE entity_id = $1 AND version = 2", resource.id)
    async with running_feed(database) as feed:
        async with aclosing(feed.resources(watch(key_of(resource), after=1))) as changes:
            change = await taken(changes)
            assert (change.version, change.snapshot) == (3, True)
        async with aclosing(feed.resources(watch(key_of(resource), after=2))) as changes:
            change = await taken(changes)
            assert (change.version, change.snapshot) == (3, False)


async def test_a_change_with_no_end_reaches_to_the_end_of_the_window(database: Database) -> None:
    resource = await make_resource(database, capacity=5)
    async with running_feed(database) as feed, aclosing(feed.resources(watch(key_of(resource)))) as changes:
        await taken(changes)
        await calls.adjust(database, adjust_of(resource, "14:00", None, capacity=7))
        change = await taken(changes)
        assert (change.window.starts_at, change.window.ends_at) == (between("14:00", "15:00").starts_at, WINDOW.ends_at)
        assert change.resource.capacity == 7


async def test_what_a_resource_requires_is_pushed_for_it_too(database: Database) -> None:
    venue = await make_venue(database)
    floor = await make_resource(database, venue=venue)
    room = await make_resource(database, venue=venue)
    await make_requirement(database, floor, room, per_booking=1)
    async with (
        running_feed(database) as feed,
        aclosing(feed.resources(watch(key_of(floor), needs=(key_of(room),), after=0))) as changes,
    ):
        first = await taken(changes)
        assert (first.snapshot, first.version) == (True, 1)  # the requirement is a version of the floor

        await make_hold(database, room)
        change = await taken(changes)

        assert (change.snapshot, change.version, change.window) == (True, 1, WINDOW)
        assert [step.taken for step in change.views[key_of(room)].steps] == [0, 1, 0]

        await make_hold(database, floor, "14:00", "15:00")
        change = await taken(changes)
        assert (change.version, change.views[key_of(room)].version) == (2, 2)


async def test_a_booking_is_pushed_by_its_newest_version(database: Database, owner: "asyncpg.Connection") -> None:
    held = await make_hold(database, await make_resource(database))
    async with running_feed(database) as feed, aclosing(feed.booking(booking_key_of(held))) as versions:
        assert await taken(versions) == 1
        await calls.change_booking(database, change_of(held, BookingAction.CONFIRM))
        assert await taken(versions) == 2
        await calls.change_booking(database, change_of(held, BookingAction.CANCEL))
        assert await taken(versions) == 3


async def test_a_booking_that_waits_for_approval_is_pushed(database: Database) -> None:
    held = await make_hold(database, await make_resource(database), approval_seconds=3_600)
    async with running_feed(database) as feed, aclosing(feed.booking(booking_key_of(held))) as versions:
        assert await taken(versions) == 1
        for version, action in ((2, BookingAction.CONFIRM), (3, BookingAction.APPROVE)):
            await calls.change_booking(database, change_of(held, action))
            assert await taken(versions) == version


async def test_a_hold_that_ends_is_pushed(database: Database, owner: "asyncpg.Connection") -> None:
    resource = await make_resource(database)
    held = await make_hold(database, resource)
    async with running_feed(database) as feed, aclosing(feed.resources(watch(key_of(resource)))) as changes:
        assert (await taken(changes)).version == 1
        await let_run_out(owner, held)
        await make_hold(database, resource)  # ends the other one, and takes its place
        change = await taken(changes)
        assert (change.version, change.window) == (3, between("10:00", "12:00"))


async def test_what_does_not_exist_is_not_found(database: Database) -> None:
    resource = await make_resource(database)
    async with running_feed(database) as feed:
        async with aclosing(feed.booking(BookingKey(resource.organization_id, uuid.uuid4()))) as versions:
            with pytest.raises(NotFound):
                await taken(versions)
        foreign = ResourceKey(uuid.uuid4(), resource.id)
        async with aclosing(feed.resources([*watch(foreign), *watch(key_of(resource))])) as changes:
            with pytest.raises(NotFound):
                await taken(changes)


async def test_who_does_not_take_is_told_the_newest_state_only(database: Database) -> None:
    resource = await make_resource(database, capacity=50)
    async with running_feed(database) as feed, aclosing(feed.resources(watch(key_of(resource)))) as changes:
        await taken(changes)
        await make_hold(database, resource, "08:00", "09:00")
        assert (await taken(changes)).version == 1
        for hour in range(10, 20):
            await make_hold(database, resource, f"{hour}:00", f"{hour}:30")
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        seen = [await taken(changes)]
        if seen[-1].version < 11:  # one was offered before the rest happened
            seen.append(await taken(changes))
        assert seen[-1].version == 11
        assert seen[-1].window.ends_at == between("19:00", "19:30").ends_at


async def test_who_does_not_take_for_long_is_ended(database: Database) -> None:
    resource = await make_resource(database, capacity=5)
    limits = FeedLimits(sweep_seconds=0.05, untaken_seconds_max=0.3)
    async with running_feed(database, limits=limits) as feed:
        both = [*watch(key_of(resource)), *watch(key_of(await make_resource(database)))]
        async with aclosing(feed.resources(both)) as changes:
            await taken(changes)  # the other resource's state is there too, and is never taken
            await asyncio.sleep(0.6)
            with pytest.raises(SlowConsumer):
                await taken(changes)
        async with aclosing(feed.resources(watch(key_of(resource)))) as changes:
            await taken(changes)  # one who waits for news is not slow
            waiting = asyncio.create_task(taken(changes))
            await asyncio.sleep(0.6)
            await make_hold(database, resource)
            assert (await waiting).version == 1


async def test_more_watchers_than_can_be_served_are_busy(database: Database) -> None:
    resource = await make_resource(database)
    async with running_feed(database, limits=FeedLimits(watchers_max=1)) as feed:
        async with aclosing(feed.resources(watch(key_of(resource)))) as changes:
            await taken(changes)
            async with aclosing(feed.resources(watch(key_of(resource)))) as more:
                with pytest.raises(Busy):
                    await taken(more)
        async with aclosing(feed.resources(watch(key_of(resource)))) as changes:
            await taken(changes)


async def test_nothing_is_left_of_who_has_gone(database: Database, redis_url: str) -> None:
    before = asyncio.all_tasks()
    resource = await make_resource(database)
    async with Redis.from_url(redis_url) as redis, running_feed(database, redis_url) as feed:
        for _ in range(3):
            async with aclosing(feed.resources(watch(key_of(resource)))) as changes:
                await taken(changes)
        waiting = asyncio.create_task(_wait(feed, key_of(resource)))
        await _listeners(redis, resource.organization_id, 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert feed.watcher_count == 0
        await _listeners(redis, resource.organization_id, 0)
    assert asyncio.all_tasks() == before


async def _listeners(redis: Redis, organization_id: uuid.UUID, count: int) -> None:
    """Wait until so many listen to the organization's channel."""
    channel = channel_of(organization_id)

    async def are_so_many() -> bool:
        return dict(await redis.pubsub_numsub(channel)) == {channel.encode(): count}

    await eventually(are_so_many)


async def _wait(feed: Feed, key: ResourceKey) -> None:
    async with aclosing(feed.resources(watch(key))) as changes:
        async for _ in changes:
            pass


async def test_connections_to_the_database_that_are_cut_cost_only_time(
    database: Database, owner: "asyncpg.Connection", caplog: pytest.LogCaptureFixture
) -> None:
    resource = await make_resource(database)
    async with running_feed(database) as feed, aclosing(feed.resources(watch(key_of(resource)))) as changes:
        await taken(changes)
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await asyncio.sleep(0.3)
        await make_hold(database, resource)
        assert (await taken(changes)).version == 1
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("seed", range(3))
async def test_all_end_with_what_the_database_says_whatever_they_saw_on_the_way(
    database: Database, redis_url: str, seed: int
) -> None:
    """Watchers that come at any time, while bookings come and go: each applies what it is pushed, in version order."""
    chance = random.Random(seed)
    resource = await make_resource(database, capacity=100)
    key: ResourceKey = key_of(resource)
    last: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    windows = [WINDOW, between("09:00", "13:30"), between("11:15", "11:45")]
    relaying = asyncio.create_task(relay(database, redis_url))
    async with running_feed(database, redis_url, QUICK) as feed:
        held = [Held(key, chance.choice(windows[:1])) for _ in range(6)]
        narrow = [Held(key, window) for window in windows[1:]]

        async def follow(one: Held) -> None:
            await asyncio.sleep(chance.uniform(0, 0.5))
            await one.follow(feed, last)

        async def book() -> None:
            for _ in range(40):
                hour = chance.randrange(8, 16)
                record = await make_hold(database, resource, f"{hour:02}:00", f"{hour + 2}:30")
                if chance.random() < 0.5:
                    await calls.change_booking(database, change_of(record, BookingAction.RELEASE))
                await asyncio.sleep(chance.uniform(0, 0.01))

        following = [asyncio.create_task(follow(one)) for one in held]
        partly = [asyncio.create_task(_apply_all(one, feed)) for one in narrow]
        await asyncio.gather(*(book() for _ in range(3)))
        last.set_result(await version_of(database, key) + 1)
        await make_hold(database, resource, "08:00", "16:00")
        await asyncio.gather(*following)

        async def have_applied_all() -> bool:
            return all([one.steps == await steps_of(database, key, one.window) for one in narrow])

        await eventually(have_applied_all)
        await end(partly)
        for one in [*held, *narrow]:
            assert one.steps == await steps_of(database, key, one.window)
        assert {one.version for one in held} == {await version_of(database, key)}
    await end([relaying])


async def _apply_all(one: Held, feed: Feed) -> None:
    async with aclosing(feed.resources(watch(one.key, window=one.window))) as changes:
        async for change in changes:
            one.apply(change)
