"""The checker finds nothing in a true history, and every kind of lie in one that has been bent."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from tests.history.checker import check
from tests.history.dump import Claim, Key
from tests.history.effects import HOLD
from tests.history.records import History, Outcome, Push, read_history
from tests.history.tales import DAY, MORNING, NOON, Tale, after, item, tale
from tests.history.violations import Promise

Row = TypeVar("Row")


def swap(rows: list[Row], old: Row, *new: Row) -> None:
    rows[rows.index(old) : rows.index(old) + 1] = new


def find(rows: list[Row], **wanted: object) -> Row:
    return next(row for row in rows if all(getattr(row, name) == value for name, value in wanted.items()))


def forget_key(bent: Tale) -> None:
    bent.dump.keys.remove(find(bent.dump.keys, key="ka-bookingConfirm"))


def forget_confirmation(bent: Tale) -> None:
    """As after a crash that lost a commit: the row, its event, its key and its hint are of before."""
    forget_key(bent)
    swap(
        bent.dump.bookings,
        find(bent.dump.bookings, id="a"),
        replace(bent.dump.bookings[0], status="ON_HOLD", version=1),
    )
    bent.dump.events.remove(find(bent.dump.events, kind="CONFIRMED"))
    bent.dump.outbox.remove(find(bent.dump.outbox, entity_id="a", version=2))


def forget_hold(bent: Tale) -> None:
    bent.dump.keys.remove(find(bent.dump.keys, key=f"kb-{HOLD}"))


def forget_adjustment(bent: Tale) -> None:
    bent.dump.keys.remove(find(bent.dump.keys, key="khall-4"))


def expire_what_is_confirmed(bent: Tale) -> None:
    bent.changes(7, "a", "EXPIRED", "EXPIRED")


def book_another_time(bent: Tale) -> None:
    swap(bent.dump.items, bent.dump.items[0], replace(bent.dump.items[0], quantity=2))


def answer_another_status(bent: Tale) -> None:
    told = find(bent.recorded.attempts, call="bookingConfirm")
    swap(bent.recorded.attempts, told, replace(told, answer={**told.answer, "status": "CANCELLED"}))


def do_what_was_refused(bent: Tale) -> None:
    bent.dump.keys.append(Key("k-late", after(5.5), booking_id="b"))


def answer_a_key_with_two_bookings(bent: Tale) -> None:
    told = find(bent.recorded.attempts, key=f"ka-{HOLD}")
    bent.recorded.attempts.append(replace(told, answer={**told.answer, "booking": "b"}))


def hold_twice_with_one_key(bent: Tale) -> None:
    """A second booking that no key of its own has made."""
    bent.holds(7, "again", item("hall", NOON))
    bent.dump.keys.remove(find(bent.dump.keys, booking_id="again"))
    bent.recorded.attempts.pop()


def extend_without_being_asked(bent: Tale) -> None:
    bent.holds(7, "c", item("hall", NOON))
    bent.changes(7.5, "c", "EXTENDED", "ON_HOLD")


def adjust_without_being_asked(bent: Tale) -> None:
    bent.adjusts(7, "hall", NOON, 4)
    bent.dump.keys.pop()
    bent.recorded.attempts.pop()


def do_under_an_unknown_key(bent: Tale) -> None:
    bent.dump.keys.append(Key("nobody's", after(1), booking_id="a"))


def leave_it_open(bent: Tale) -> None:
    bent.recorded.attempts.remove(find(bent.recorded.attempts, key="k-lost", outcome=Outcome.FAIL))


def ask_again_too_early(bent: Tale) -> None:
    bent.recorded.settled_at = after(9.5)


def claim_twice(bent: Tale) -> None:
    """Two more in a hall of which one is taken and two are left: as if one of them had not looked."""
    bent.holds(7, "c", item("hall", NOON))
    bent.holds(7.1, "d", item("hall", NOON))


def claim_what_is_required_twice(bent: Tale) -> None:
    bent.holds(7, "c", item("tour", NOON, quantity=2))


def lower_capacity_below_what_is_taken(bent: Tale) -> None:
    bent.adjusts(7, "hall", DAY, 0)


def oversell_for_a_moment(bent: Tale) -> None:
    """Only one version of many shows it: before and after, all is well."""
    bent.holds(7, "c", item("hall", NOON, quantity=2))
    bent.changes(7.2, "c", "bookingRelease", "CANCELLED")


def join_another_activity(bent: Tale) -> None:
    bent.holds(7, "c", item("pool", activity="polo"))
    bent.holds(7.1, "d", item("pool", activity="yoga"))


def skip_a_version_of_a_resource(bent: Tale) -> None:
    last = find(bent.dump.outbox, entity_id="hall", version=4)
    swap(bent.dump.outbox, last, replace(last, version=5))


def skip_a_version_of_a_booking(bent: Tale) -> None:
    last = find(bent.dump.events, booking_id="a", version=2)
    swap(bent.dump.events, last, replace(last, version=3))


def lose_a_claim(bent: Tale) -> None:
    bent.dump.claims.remove(find(bent.dump.claims, booking_id="a"))


def keep_a_claim_of_what_has_ended(bent: Tale) -> None:
    of_a = find(bent.dump.claims, booking_id="a")
    bent.dump.claims.append(Claim("b", "hall", of_a.starts_at, of_a.ends_at, 1))


def change_without_an_event(bent: Tale) -> None:
    first = find(bent.dump.outbox, entity_id="hall", version=1)
    assert first.starts_at is not None
    assert first.ends_at is not None
    bent.moves(7, "hall", first.starts_at, first.ends_at)
    bent.tells(9.6, "hall", 5)


def change_requirements_while_there_are_bookings(bent: Tale) -> None:
    bent.moves(7, "hall", after(7), None)


def refuse_while_there_is_room(bent: Tale) -> None:
    told = {"code": "SOLD_OUT", "vacancies": 0, "resource": "hall"}
    bent.says(2.5, HOLD, "k-early", {"items": [item("hall")]}, Outcome.FAIL, **told)


def tell_other_vacancies(bent: Tale) -> None:
    told = {"code": "SOLD_OUT", "vacancies": 1, "resource": "hall"}
    bent.says(4, HOLD, "k-other", {"items": [item("hall", quantity=2)]}, Outcome.FAIL, **told)


def refuse_by_what_was_long_ago(bent: Tale) -> None:
    told = {"code": "SOLD_OUT", "vacancies": 0, "resource": "hall"}
    bent.says(6.5, HOLD, "k-late-one", {"items": [item("hall")]}, Outcome.FAIL, **told)


def say_closed_while_open(bent: Tale) -> None:
    bent.says(4, HOLD, "k-closed", {"items": [item("hall")]}, Outcome.FAIL, code="CLOSED")


def say_expired_while_it_was_not(bent: Tale) -> None:
    bent.says(4, "bookingConfirm", "k-soon", {"booking": "b"}, Outcome.FAIL, code="HOLD_EXPIRED")


def say_in_use_while_it_is_not(bent: Tale) -> None:
    asked = {"resource": "hall", "startsAt": NOON[0], "endsAt": NOON[1], "capacity": 1}
    bent.says(7, "capacitySet", "k-lower", asked, Outcome.FAIL, code="CAPACITY_IN_USE")


def read_an_old_version(bent: Tale) -> None:
    bent.reads(7, "hall", MORNING, 2, 2, 0)


def read_less_than_is_left(bent: Tale) -> None:
    bent.reads(7, "hall", MORNING, 4, 3, 1)


def read_another_capacity(bent: Tale) -> None:
    bent.reads(7, "hall", MORNING, 4, 4, 3)


def show_more_than_the_version_that_is_told(bent: Tale) -> None:
    """Of both versions' time, and true of the later one: somebody has booked while it was read."""
    bent.reads(3, "hall", MORNING, 1, 2, 0, call="availability")


def say_that_what_was_held_is_not_there(bent: Tale) -> None:
    bent.says(7, "bookingCancel", "k-gone", {"booking": "a"}, Outcome.FAIL, code="NOT_FOUND")


def push_backwards(bent: Tale) -> None:
    bent.recorded.pushes[-1:-1] = [Push(0, "hall", 3, after(9.6)), Push(0, "hall", 4, after(9.7))]


def push_ahead(bent: Tale) -> None:
    bent.recorded.pushes.insert(2, Push(0, "hall", 4, after(5)))


def end_before_the_last_version(bent: Tale) -> None:
    bent.recorded.pushes.remove(find(bent.recorded.pushes, resource="hall", version=4))


BENT: list[tuple[Callable[[Tale], None], Promise]] = [
    (forget_key, Promise.LOST),
    (forget_confirmation, Promise.LOST),
    (forget_hold, Promise.LOST),
    (forget_adjustment, Promise.LOST),
    (expire_what_is_confirmed, Promise.CONTRADICTED),
    (book_another_time, Promise.CONTRADICTED),
    (answer_another_status, Promise.CONTRADICTED),
    (do_what_was_refused, Promise.CONTRADICTED),
    (answer_a_key_with_two_bookings, Promise.TWICE),
    (hold_twice_with_one_key, Promise.TWICE),
    (extend_without_being_asked, Promise.TWICE),
    (adjust_without_being_asked, Promise.TWICE),
    (do_under_an_unknown_key, Promise.UNASKED),
    (leave_it_open, Promise.UNRESOLVED),
    (ask_again_too_early, Promise.UNRESOLVED),
    (claim_twice, Promise.OVERSOLD),
    (claim_what_is_required_twice, Promise.OVERSOLD),
    (lower_capacity_below_what_is_taken, Promise.OVERSOLD),
    (oversell_for_a_moment, Promise.OVERSOLD),
    (join_another_activity, Promise.SHARED),
    (skip_a_version_of_a_resource, Promise.GAP),
    (skip_a_version_of_a_booking, Promise.GAP),
    (lose_a_claim, Promise.DRIFTED),
    (keep_a_claim_of_what_has_ended, Promise.DRIFTED),
    (change_without_an_event, Promise.DRIFTED),
    (change_requirements_while_there_are_bookings, Promise.DRIFTED),
    (refuse_while_there_is_room, Promise.UNJUSTIFIED),
    (tell_other_vacancies, Promise.UNJUSTIFIED),
    (refuse_by_what_was_long_ago, Promise.UNJUSTIFIED),
    (say_closed_while_open, Promise.UNJUSTIFIED),
    (say_expired_while_it_was_not, Promise.UNJUSTIFIED),
    (say_in_use_while_it_is_not, Promise.UNJUSTIFIED),
    (read_an_old_version, Promise.UNJUSTIFIED),
    (read_less_than_is_left, Promise.UNJUSTIFIED),
    (read_another_capacity, Promise.UNJUSTIFIED),
    (show_more_than_the_version_that_is_told, Promise.UNJUSTIFIED),
    (say_that_what_was_held_is_not_there, Promise.UNJUSTIFIED),
    (push_backwards, Promise.STALE),
    (push_ahead, Promise.STALE),
    (end_before_the_last_version, Promise.STALE),
]


def test_a_true_history_is_found_true() -> None:
    true = tale()
    verdict = check(true.recorded, true.dump)
    assert [str(violation) for violation in verdict.violations] == []
    assert (verdict.sold_outs, verdict.unknown_keys, verdict.resolved_keys) == (2, 1, 1)


@pytest.mark.parametrize(("bend", "promise"), BENT, ids=lambda each: getattr(each, "__name__", ""))
def test_every_lie_is_found(bend: Callable[[Tale], None], promise: Promise) -> None:
    bent = tale()
    bend(bent)
    found = check(bent.recorded, bent.dump).violations
    assert promise in {violation.promise for violation in found}, [str(violation) for violation in found]


def test_every_promise_is_broken_by_some_lie() -> None:
    assert {promise for _, promise in BENT} == set(Promise)


def test_a_sold_out_may_be_explained_by_a_state_that_the_next_was_written_over() -> None:
    """What was asked before the next version was seen by anybody may have been answered by the one before."""
    told = {"code": "SOLD_OUT", "vacancies": 0, "resource": "hall"}
    late = tale()
    late.says(5.2, HOLD, "k-just", {"items": [item("hall")]}, Outcome.FAIL, **told)
    assert check(late.recorded, late.dump).violations == ()
    later = tale()
    later.says(5.3, HOLD, "k-just", {"items": [item("hall")]}, Outcome.FAIL, **told)
    assert [each.promise for each in check(later.recorded, later.dump).violations] == [Promise.UNJUSTIFIED]


def test_a_refusal_that_another_attempt_overtook_is_no_contradiction() -> None:
    """Refused, while an earlier attempt with the same key was still on its way, which then was done."""
    overtaken = tale()
    overtaken.holds(7, "c", item("hall"))
    overtaken.tells(9.6, "hall", 5)
    done = overtaken.recorded.attempts.pop()
    sold_out = {"code": "SOLD_OUT", "vacancies": 0, "resource": "hall"}
    overtaken.recorded.attempts += [
        replace(done, outcome=Outcome.UNKNOWN, answer={}, invoked_at=after(3.8), returned_at=after(3.9)),
        replace(done, outcome=Outcome.FAIL, answer=sold_out, invoked_at=after(3.9), returned_at=after(4)),
        replace(done, invoked_at=after(8.5), returned_at=after(8.6)),
    ]
    assert check(overtaken.recorded, overtaken.dump).violations == ()


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    done = history.invoked(HOLD, "k", {"items": [item("hall")]})
    lost = history.invoked("bookingCancel", "l", {"booking": "a"})
    history.pushed(1, "hall", 3)
    history.killed("worker")
    history.returned(done, Outcome.OK, {"booking": "a"})
    history.settled()
    history.close()
    read = read_history(history.path)
    assert [(each.key, each.outcome) for each in read.attempts] == [("k", Outcome.OK), ("l", Outcome.UNKNOWN)]
    assert read.attempts[0].returned_at < read.attempts[1].returned_at
    assert (read.pushes[0].version, read.kills, lost) == (3, ["worker"], 2)
    assert read.settled_at is not None
