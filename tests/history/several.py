"""Calls about all bookings of a series: one key, and an outcome for each of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tests.history.dump import Key
from tests.history.records import Attempt, Json, Outcome
from tests.history.there import There
from tests.history.told import check_told, kind_of
from tests.history.violations import Promise, Violation
from tests.history.wanted import asked_for, wanted_by

HOLD_ALL = "seriesHold"
ON_ALL: Mapping[str, str] = {"seriesConfirm": "CONFIRMED", "seriesRelease": "RELEASED"}
CALLS = frozenset({HOLD_ALL, *ON_ALL})
ALONE: Mapping[str, str] = {
    HOLD_ALL: "bookingHold",
    "seriesConfirm": "bookingConfirm",
    "seriesRelease": "bookingRelease",
}
"""What is asked of each booking alone."""


def dates_of(input: Json) -> list[Json]:
    """What is asked for on each date of a series, as the item of a hold: the same from day to day."""
    times = [datetime.fromisoformat(input[name]) for name in ("startsAt", "endsAt")]
    dates = []
    for number in range(input["count"]):
        starts_at, ends_at = (time + timedelta(days=number) for time in times)
        about = {name: input[name] for name in ("resource", "quantity", "activity")}
        dates.append({**about, "startsAt": starts_at.isoformat(), "endsAt": ends_at.isoformat()})
    return dates


def check_answer(where: str, attempt: Attempt, row: Key, there: There) -> Iterator[Violation]:
    """One acknowledgement: what was done to each booking is what is remembered, and is there."""
    outcomes = attempt.answer["outcomes"]
    told = tuple((one["booking"], one["code"]) for one in outcomes)
    if {booking for booking, _ in told} != {booking for booking, _ in row.answers}:
        yield Violation(Promise.TWICE, f"{where} was answered with {told}, and made {row.answers}")
        return
    if told != row.answers:
        yield Violation(Promise.CONTRADICTED, f"{where} was answered with {told}, and there is {row.answers}")
    for one in outcomes:
        if one["code"] is None:
            yield from check_told(where, one, ON_ALL.get(attempt.call, "HELD"), there)
    if attempt.call == HOLD_ALL:
        yield from _check_dates(where, attempt, there)


def is_of_a_date(key: str, by_key: Mapping[str, Sequence[Attempt]], there: There) -> bool:
    """Whether it is the key of one date of a series that somebody has asked for: no client's key has a line break."""
    booking_id = there.keys[key].booking_id
    return key.startswith("series ") and any(
        (booking_id, None) in row.answers
        for other, row in there.keys.items()
        if other in by_key and by_key[other][0].call == HOLD_ALL
    )


def changed(call: str, row: Key, there: There) -> list[tuple[str | None, str]]:
    """The events that a key has made: of a series that was held, keys of its dates tell that."""
    if call == HOLD_ALL:
        return []
    return [(booking_id, kind_of(ON_ALL[call], booking_id, there)) for booking_id, code in row.answers if code is None]


def each_alone(
    attempts: Iterable[Attempt], keys: Mapping[str, Key], first: Mapping[str, datetime]
) -> Iterator[Attempt]:
    """These attempts; those about several bookings as one for each that was refused.

    What was remembered was decided after the key was used first (`first`) and before it was remembered.
    """
    for attempt in attempts:
        if attempt.call not in CALLS or "outcomes" not in attempt.answer:
            yield attempt
            continue
        row = keys.get(attempt.key or "")
        if attempt.outcome is Outcome.OK and row is not None:
            attempt = replace(attempt, invoked_at=first[row.key], returned_at=row.created_at)
        asked = dates_of(attempt.input) if attempt.call == HOLD_ALL else attempt.input["bookings"]
        for about, one in zip(asked, attempt.answer["outcomes"], strict=True):
            if one["code"] is not None:
                input = {"items": [about]} if attempt.call == HOLD_ALL else {"booking": about}
                yield replace(attempt, call=ALONE[attempt.call], input=input, outcome=Outcome.FAIL, answer=one)


def _check_dates(where: str, attempt: Attempt, there: There) -> Iterator[Violation]:
    """All dates or none if all were asked for; each booking is of its date."""
    outcomes = attempt.answer["outcomes"]
    if attempt.input["mode"] == "ALL" and any(one["code"] is not None for one in outcomes):
        yield Violation(Promise.CONTRADICTED, f"{where}: half of all that was asked for, {outcomes}")
    for date, one in zip(dates_of(attempt.input), outcomes, strict=True):
        items = there.items[one["booking"]] if one["booking"] is not None else []
        if [wanted_by(item) for item in items] != ([] if one["booking"] is None else [asked_for(date)]):
            yield Violation(Promise.CONTRADICTED, f"{where}: on {date} there is {items}")
