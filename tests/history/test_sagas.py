"""The checker finds every kind of lie also about approval, members, series and waitlists."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.history.checker import check
from tests.history.dump import Event, Hint, Key
from tests.history.records import Outcome
from tests.history.sagas import Saga, saga
from tests.history.several import HOLD_ALL
from tests.history.tales import NOON, after, item
from tests.history.test_checker import find, swap
from tests.history.violations import Promise
from tests.history.waiting import LEAVE


def tell(bent: Saga, key: str, **told: Any) -> None:
    """An acknowledgement of this key that says something else."""
    attempt = find(bent.recorded.attempts, key=key)
    swap(bent.recorded.attempts, attempt, replace(attempt, answer={**attempt.answer, **told}))


def outcome(bent: Saga, key: str, number: int, **told: Any) -> None:
    """An acknowledgement of this key that says something else of one of several bookings."""
    outcomes = list(find(bent.recorded.attempts, key=key).answer["outcomes"])
    outcomes[number] = {**outcomes[number], **told}
    tell(bent, key, outcomes=outcomes)


def approve_what_was_rejected(bent: Saga) -> None:
    swap(bent.dump.events, find(bent.dump.events, kind="SUBMITTED"), Event("s", 2, "SUBMITTED", "REJECTED", after(1.5)))


def confirm_what_the_venue_has_to_approve(bent: Saga) -> None:
    submitted = find(bent.dump.events, kind="SUBMITTED")
    swap(bent.dump.events, submitted, replace(submitted, kind="CONFIRMED", status="CONFIRMED"))


def forget_what_was_approved(bent: Saga) -> None:
    bent.dump.events.remove(find(bent.dump.events, kind="APPROVED"))
    swap(
        bent.dump.bookings,
        find(bent.dump.bookings, id="s"),
        replace(bent.dump.bookings[0], status="PENDING", version=2),
    )


def say_invalid_of_what_is_pending(bent: Saga) -> None:
    bent.says(1.85, "bookingApprove", "k-invalid", {"booking": "s"}, Outcome.FAIL, code="INVALID_STATE")


def count_a_member_twice(bent: Saga) -> None:
    bent.holds(11, "x", item("rooms"), chosen=["west"])


def choose_without_taking(bent: Saga) -> None:
    bent.dump.claims.remove(find(bent.dump.claims, resource_id="west"))


def refuse_while_members_are_free(bent: Saga) -> None:
    told = {"code": "SOLD_OUT", "vacancies": 0, "resource": "rooms"}
    bent.says(2.5, "bookingHold", "k-early", {"items": [item("rooms")]}, Outcome.FAIL, **told)


def tell_another_number_of_members(bent: Saga) -> None:
    told = {"code": "SOLD_OUT", "vacancies": 0, "resource": "rooms"}
    bent.says(3.5, "bookingHold", "k-number", {"items": [item("rooms", quantity=2)]}, Outcome.FAIL, **told)


def forget_the_key_of_a_series(bent: Saga) -> None:
    bent.dump.keys.remove(find(bent.dump.keys, key="ka"))


def forget_a_date(bent: Saga) -> None:
    bent.dump.keys.remove(find(bent.dump.keys, key="series b\n1"))


def book_half_of_all(bent: Saga) -> None:
    attempt = find(bent.recorded.attempts, key="kb")
    swap(bent.recorded.attempts, attempt, replace(attempt, input={**attempt.input, "mode": "ALL"}))


def book_another_date(bent: Saga) -> None:
    booked = find(bent.dump.items, booking_id="b1")
    swap(bent.dump.items, booked, replace(booked, quantity=2))


def answer_with_another_booking(bent: Saga) -> None:
    outcome(bent, "ka", 0, booking="a1")


def answer_another_outcome(bent: Saga) -> None:
    outcome(bent, "ka-seriesConfirm", 0, code="HOLD_EXPIRED")


def hold_a_date_that_nobody_asked_for(bent: Saga) -> None:
    bent.holds(11, "c0", item("hall", NOON), key="series c\n0")


def refuse_a_date_while_there_is_room(bent: Saga) -> None:
    free = {**item("hall", NOON), "count": 1, "mode": "ALL"}
    outcomes = [{"booking": None, "code": "SOLD_OUT", "vacancies": 0}]
    bent.says(11, HOLD_ALL, "k-free", free, Outcome.FAIL, code="SOLD_OUT", outcomes=outcomes)


def confirm_one_that_was_not(bent: Saga) -> None:
    confirmed = find(bent.dump.events, booking_id="a0", kind="CONFIRMED")
    swap(bent.dump.events, confirmed, replace(confirmed, kind="EXTENDED", status="CONFIRMED"))


def refuse_to_confirm_what_is_held(bent: Saga) -> None:
    outcomes = [{"booking": "b1", "status": "ON_HOLD", "version": 1, "code": "INVALID_STATE"}]
    asked = {"series": "b", "bookings": ["b1"]}
    bent.says(11, "seriesConfirm", "k-held", asked, Outcome.FAIL, code="INVALID_STATE", outcomes=outcomes)


def forget_who_waits(bent: Saga) -> None:
    bent.dump.keys.remove(find(bent.dump.keys, key="kw"))


def wait_without_being_asked(bent: Saga) -> None:
    bent.joins(11, "u", item("hall"))
    bent.recorded.attempts.pop()
    bent.dump.keys.pop()


def wait_for_something_else(bent: Saga) -> None:
    entry = find(bent.dump.entries, id="v")
    swap(bent.dump.entries, entry, replace(entry, quantity=1))


def split_a_party(bent: Saga) -> None:
    swap(
        bent.dump.items,
        find(bent.dump.items, booking_id="o"),
        replace(find(bent.dump.items, booking_id="o"), quantity=2),
    )


def offer_twice(bent: Saga) -> None:
    entry = find(bent.dump.entries, id="w")
    swap(bent.dump.entries, entry, replace(entry, offers=1))


def hold_twice_for_one_entry(bent: Saga) -> None:
    bent.holds(8.6, "q", item("hall"), key="waitlist w 3")


def offer_what_is_not_held(bent: Saga) -> None:
    held = find(bent.dump.events, booking_id="p", kind="HELD")
    swap(bent.dump.events, held, replace(held, status="CONFIRMED"))


def offer_what_is_not_there(bent: Saga) -> None:
    bent.becomes(11, "w", "OFFERED", "nothing")


def keep_an_offer_that_is_over(bent: Saga) -> None:
    after_it = find(bent.dump.entry_events, entry_id="w", version=3)
    swap(bent.dump.entry_events, after_it, replace(after_it, status="LEFT"))


def leave_without_a_trace(bent: Saga) -> None:
    tell(bent, "kv-leave-11", status="WAITING")


def skip_a_version_of_an_entry(bent: Saga) -> None:
    hint = find(bent.dump.outbox, kind="WAITLIST", entity_id="w", version=2)
    swap(bent.dump.outbox, hint, Hint("WAITLIST", "w", 9, hint.created_at, hint.published_at))


def say_that_who_waits_can_not_leave(bent: Saga) -> None:
    bent.says(6.4, LEAVE, "k-waits", {"entry": "w"}, Outcome.FAIL, code="INVALID_STATE")


def show_a_status_that_never_was(bent: Saga) -> None:
    bent.looks(6.4, "w", "OFFERED", 1)


def do_under_an_unknown_offer(bent: Saga) -> None:
    bent.dump.keys.append(Key("waitlist nobody 1", after(1), booking_id="s"))


BENT: list[tuple[Callable[[Saga], None], Promise]] = [
    (approve_what_was_rejected, Promise.CONTRADICTED),
    (confirm_what_the_venue_has_to_approve, Promise.LOST),
    (forget_what_was_approved, Promise.LOST),
    (say_invalid_of_what_is_pending, Promise.UNJUSTIFIED),
    (count_a_member_twice, Promise.OVERSOLD),
    (choose_without_taking, Promise.DRIFTED),
    (refuse_while_members_are_free, Promise.UNJUSTIFIED),
    (tell_another_number_of_members, Promise.UNJUSTIFIED),
    (forget_the_key_of_a_series, Promise.LOST),
    (forget_a_date, Promise.TWICE),
    (book_half_of_all, Promise.CONTRADICTED),
    (book_another_date, Promise.CONTRADICTED),
    (answer_with_another_booking, Promise.TWICE),
    (answer_another_outcome, Promise.CONTRADICTED),
    (hold_a_date_that_nobody_asked_for, Promise.UNASKED),
    (refuse_a_date_while_there_is_room, Promise.UNJUSTIFIED),
    (confirm_one_that_was_not, Promise.LOST),
    (refuse_to_confirm_what_is_held, Promise.UNJUSTIFIED),
    (forget_who_waits, Promise.LOST),
    (wait_without_being_asked, Promise.TWICE),
    (wait_for_something_else, Promise.CONTRADICTED),
    (split_a_party, Promise.CONTRADICTED),
    (offer_twice, Promise.TWICE),
    (hold_twice_for_one_entry, Promise.TWICE),
    (offer_what_is_not_held, Promise.LOST),
    (offer_what_is_not_there, Promise.LOST),
    (keep_an_offer_that_is_over, Promise.CONTRADICTED),
    (leave_without_a_trace, Promise.CONTRADICTED),
    (skip_a_version_of_an_entry, Promise.GAP),
    (say_that_who_waits_can_not_leave, Promise.UNJUSTIFIED),
    (show_a_status_that_never_was, Promise.UNJUSTIFIED),
    (do_under_an_unknown_offer, Promise.UNASKED),
]


def test_a_true_history_is_found_true() -> None:
    true = saga()
    verdict = check(true.recorded, true.dump)
    assert [str(violation) for violation in verdict.violations] == []
    assert (verdict.sold_outs, verdict.series, verdict.offers) == (2, 3, 2)


@pytest.mark.parametrize(("bend", "promise"), BENT, ids=lambda each: getattr(each, "__name__", ""))
def test_every_lie_is_found(bend: Callable[[Saga], None], promise: Promise) -> None:
    bent = saga()
    bend(bent)
    found = check(bent.recorded, bent.dump).violations
    assert promise in {violation.promise for violation in found}, [str(violation) for violation in found]


def test_what_was_held_for_who_waits_no_more_may_be_given_back_at_once() -> None:
    late = saga()
    late.holds(11, "q", item("hall", NOON), key="waitlist w 3")
    late.changes(11, "q", "RELEASED", "CANCELLED", actor="waitlist")
    assert check(late.recorded, late.dump).violations == ()


def test_who_leaves_gives_back_what_is_offered() -> None:
    left = saga()
    left.joins(11, "u", item("hall", NOON))
    left.offers(11.5, "u", "z")
    left.changes(12, "z", "RELEASED", "CANCELLED", actor="guest:u")
    left.becomes(12, "u", "LEFT")
    left.leaves(12, "u", 3)
    assert check(left.recorded, left.dump).violations == ()


def test_a_date_may_be_explained_by_what_was_so_when_it_was_remembered() -> None:
    """A repetition, long after, is told what was remembered."""
    again = saga()
    first = find(again.recorded.attempts, key="kb")
    again.recorded.attempts.append(replace(first, invoked_at=after(20), returned_at=after(21)))
    assert check(again.recorded, again.dump).violations == ()
