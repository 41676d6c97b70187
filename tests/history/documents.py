"""What clients ask, as GraphQL, and what the history keeps of answers."""

from typing import Any

from schema.global_id import decode
from tests.history.effects import ADJUSTMENTS, EVENTS, HOLD
from tests.history.records import Json
from tests.history.several import CALLS as OF_SERIES
from tests.history.several import HOLD_ALL, ON_ALL
from tests.history.waiting import CALLS as OF_ENTRIES
from tests.history.waiting import JOIN, LEAVE, READ

BOOKING = "booking { id status version }"
READING = "startsAt endsAt capacity vacancies"
WAITING = "entry { id status version }"
CHANGES = f"changes {{ refusal {{ code }} {BOOKING} }}"
REFUSALS = "refusals { code parameters }"
SERIES = f"series {{ id token occurrences {{ token {REFUSALS} {BOOKING} }} }}"
ERRORS = "__typename code ... on SoldOut { vacancies resource { id } }"


def _mutation(call: str, input_type: str, selects: str, of_errors: str = "") -> str:
    selects = f"{selects} errors {{ {ERRORS} {of_errors} }}"
    return f"mutation($input: {input_type}!) {{ done: {call}(input: $input) {{ {selects} }} }}"


DOCUMENTS = {
    HOLD: _mutation(HOLD, "BookingHoldInput", f"{BOOKING} token"),
    **{
        call: _mutation(call, "BookingActionInput", BOOKING)
        for call in ("bookingExtend", "bookingConfirm", "bookingRelease", "bookingCancel")
    },
    **{call: _mutation(call, "BookingDecisionInput", BOOKING) for call in ("bookingApprove", "bookingReject")},
    HOLD_ALL: _mutation(
        HOLD_ALL, "SeriesHoldInput", SERIES, f"... on SeriesConflict {{ occurrences {{ {REFUSALS} }} }}"
    ),
    **{
        call: _mutation(call, "SeriesActionInput", CHANGES, f"... on SeriesUnchanged {{ {CHANGES} }}")
        for call in ON_ALL
    },
    JOIN: _mutation(JOIN, "WaitlistJoinInput", f"{WAITING} token"),
    LEAVE: _mutation(LEAVE, "WaitlistLeaveInput", WAITING),
    READ: "query($id: ID!, $token: String) { done: waitlistEntry(id: $id, token: $token)"
    f" {{ id status version bookingToken {BOOKING} }} }}",
    "capacitySet": _mutation("capacitySet", "CapacitySetInput", "resource { id version }"),
    "resourceClose": _mutation("resourceClose", "ResourceCloseInput", "resource { id version }"),
    "resourceOpen": _mutation("resourceOpen", "ResourceOpenInput", "resource { id version }"),
    "availability": "query($input: AvailabilityInput!) { done: availability(input: $input)"
    f" {{ version {READING} }} }}",
    "timeline": "query($id: ID!, $window: WindowInput!) { done: node(id: $id) { ... on Resource"
    f" {{ timeline(window: $window) {{ version steps {{ {READING} }} }} }} }} }}",
}


def answer_of(call: str, done: Any) -> Json:
    """What the history keeps of an answer that is no refusal."""
    if call in ADJUSTMENTS:
        return {"version": done["resource"]["version"]}
    if call == "availability":
        (answer,) = done
        return _reading(answer["version"], [answer])
    if call == "timeline":
        return _reading(done["timeline"]["version"], done["timeline"]["steps"])
    if call == HOLD_ALL:
        series = done["series"]
        return {"series": uuid_of(series["id"]), "outcomes": [_date(date) for date in series["occurrences"]]}
    if call in OF_SERIES:
        return {"outcomes": [_change(change) for change in done["changes"]]}
    if call in OF_ENTRIES or call == READ:
        entry = done["entry"] if call in OF_ENTRIES else done
        if entry is None:  # of an entry that was there: the checker tells of it
            return {"entry": None, "status": "NOT_FOUND", "version": 0}
        return {"entry": uuid_of(entry["id"]), "status": entry["status"], "version": entry["version"]}
    assert call in EVENTS, call
    return _booking(done["booking"])


def secrets_of(call: str, done: Any) -> Json:
    """What opens what was made, which the history does not keep: the booking's token, or each of several by its id."""
    if call == HOLD_ALL:
        series = done["series"]
        booked = [date for date in series["occurrences"] if date["booking"]]
        return {"token": series["token"], "tokens": {uuid_of(date["booking"]["id"]): date["token"] for date in booked}}
    if call == READ and done is not None and done["booking"]:
        return {"tokens": {uuid_of(done["booking"]["id"]): done["bookingToken"]}}
    return {"token": done["token"]} if call in (HOLD, JOIN) else {}


def refusal(errors: list[Json]) -> Json:
    """What the history keeps of a refusal: the first of its reasons, and that of each booking or date."""
    first = errors[0]
    if "occurrences" in first:
        return {"code": first["code"], "outcomes": [_date(date) for date in first["occurrences"]]}
    if "changes" in first:
        return {"code": first["code"], "outcomes": [_change(change) for change in first["changes"]]}
    if first["code"] != "SOLD_OUT":
        return {"code": first["code"]}
    return {"code": "SOLD_OUT", "vacancies": first["vacancies"], "resource": uuid_of(first["resource"]["id"])}


def uuid_of(global_id: str) -> str:
    """The row's UUID."""
    found = decode(global_id)
    assert found is not None, global_id
    return str(found.id)


def _booking(booking: Json | None) -> Json:
    if booking is None:
        return {"booking": None}
    return {"booking": uuid_of(booking["id"]), "status": booking["status"], "version": booking["version"]}


def _date(date: Json) -> Json:
    """A date that could have been booked, but was not because of others, has neither a booking nor a code."""
    told: Json = {**_booking(date.get("booking")), "code": None}
    if date["refusals"]:
        first = date["refusals"][0]
        told |= {"code": first["code"], "vacancies": (first["parameters"] or {}).get("vacancies", 0)}
    return told


def _change(change: Json) -> Json:
    return {**_booking(change["booking"]), "code": change["refusal"] and change["refusal"]["code"]}


def _reading(version: int, steps: list[Json]) -> Json:
    names = ("startsAt", "endsAt", "capacity", "vacancies")
    return {"version": version, "steps": [{name: step[name] for name in names} for step in steps]}
