"""Changing a booking, and cancelling a part of it, over GraphQL: what is told, what is done, and what is owed then."""

from typing import Any

import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.resource import AvailabilityType, Resource
from models.venue import Organization, Venue
from schema.global_id import decode
from tests.resolvers.conftest import Asker, id_of, staff_of
from tests.resolvers.managers import FEE, STANDARD, Manager
from tests.support.factories import make_organization, make_resource
from tests.support.prices import make_guesthouse, put_promo_code
from tests.support.staff import fresh_key

MONEY = "{ amount }"
QUOTE = f"""{{ id total {MONEY} subtotal {MONEY} tax {MONEY} dueNow {MONEY} dueAtVenue {MONEY}
    dueLater {{ by amount {MONEY} }} lines {{ item kind amount {MONEY} }} taxes {{ amount {MONEY} included rate }}
    replaces {{ id }} promoCode cancellation {{ refundNow {MONEY} }} }}"""
BOOKING = f"""{{ id status version items {{ id quantity startsAt resource {{ id }} }}
    cancellation {{ refundNow {MONEY} }} quote {QUOTE} }}"""
ERRORS = (
    "errors { code path ... on SoldOut { vacancies alternatives { startsAt } } ... on VersionConflict { current } }"
)
CHANGE = f"""{{ booking {{ version }} quote {QUOTE} totalBefore {MONEY} totalAfter {MONEY} delta {MONEY}
    dueNow {MONEY} refund {MONEY} }}"""
EVENTS = """query ($id: ID!, $token: String) { booking(id: $id, token: $token) {
    events { edges { node { kind itemsBefore { quantity } } } } } }"""
STRICT: dict[str, Any] = {"code": "STRICT", "name": "Not refundable", "parameters": {}}
JUNE = {"arrival": "2030-07-01", "departure": "2030-07-03"}
LATER = {"arrival": "2030-07-08", "departure": "2030-07-11"}


def flat(found: Any) -> Any:
    """Without the wrapping of amounts."""
    if isinstance(found, dict):
        return found["amount"] if set(found) == {"amount"} else {name: flat(value) for name, value in found.items()}
    return [flat(each) for each in found] if isinstance(found, list) else found


def whole(quote: dict[str, Any]) -> bool:
    """Parts sum to totals."""
    due = quote["dueNow"] + quote["dueAtVenue"] + sum(later["amount"] for later in quote["dueLater"])
    added = sum(tax["amount"] for tax in quote["taxes"] if not tax["included"])
    lines = sum(line["amount"] for line in quote["lines"])
    return bool((lines, added, lines + added, due) == (quote["subtotal"], quote["tax"], quote["total"], quote["total"]))


async def sets(manager: Manager, room: Resource, kind: str, **parameters: Any) -> None:
    """A rule of the room."""
    operation = "mutation ($input: BookingRuleSetInput!) { bookingRuleSet(input: $input) { errors { code message } } }"
    given = {"idempotencyKey": fresh_key(), "resourceId": id_of(room), "type": kind, "parameters": parameters}
    done = await manager.ask(operation, {"input": given}, viewer=manager.viewer)
    assert done["bookingRuleSet"]["errors"] == []


class Guest:
    """Somebody with a booking."""

    def __init__(self, ask: Asker) -> None:
        self.ask, self.shown = ask, dict[str, Any]()

    async def does(self, name: str, *, key: str | None = None, viewer: Viewer = GUEST, **input: Any) -> dict[str, Any]:
        """The payload of a mutation."""
        kind = {"bookingConfirm": "BookingAction", "bookingCancel": "BookingAction"}.get(
            name, name[0].upper() + name[1:]
        )
        operation = (
            f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ token booking {BOOKING} {ERRORS} }} }}"
        )
        given = {"idempotencyKey": key or fresh_key()} | self.shown | input
        return dict(flat((await self.ask(operation, {"input": given}, viewer=viewer))[name]))

    async def did(self, name: str, **input: Any) -> dict[str, Any]:
        """The booking; the test fails if it was refused."""
        payload = await self.does(name, **input)
        assert payload["errors"] == []
        booking = dict(payload["booking"])
        assert booking["quote"] is None or whole(booking["quote"])
        return booking

    async def refused(self, name: str, **input: Any) -> list[str]:
        """The codes."""
        payload = await self.does(name, **input)
        assert payload["booking"] is None
        return [error["code"] for error in payload["errors"]]

    async def looks(self, name: str, **input: Any) -> dict[str, Any]:
        """What a change would make of the price."""
        operation = f"query ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {CHANGE} }}"
        found = dict(flat((await self.ask(operation, {"input": self.shown | input}))[name]))
        assert found["quote"] is None or whole(found["quote"])
        return found

    async def books(self, *items: dict[str, Any], confirms: bool = True, **more: Any) -> dict[str, Any]:
        """A booking of these items; it is paid at the desk, so staff confirm it."""
        payload = await self.does("bookingHold", items=list(items), **more)
        assert payload["errors"] == []
        self.shown = {"bookingId": payload["booking"]["id"], "token": payload["token"]}
        if not confirms:
            return dict(payload["booking"])
        of = decode(items[0]["resourceId"])
        assert of is not None
        return await self.did("bookingConfirm", viewer=Viewer(Role.STAFF, of.organization_id, "ada"))


def item(room: Resource, quantity: int = 1, *, stay: dict[str, str] = JUNE, adults: int = 2) -> dict[str, Any]:
    guests = [{"type": "ADULT", "count": adults}]
    return {"resourceId": id_of(room), "stay": stay, "quantity": quantity, "guests": guests}


@pytest.fixture
async def organization(database: Database) -> Organization:
    return await make_organization(database)


@pytest.fixture
async def venue(database: Database, organization: Organization) -> Venue:
    return await make_guesthouse(database, organization=organization)


@pytest.fixture
async def room(database: Database, venue: Venue) -> Resource:
    return await make_resource(database, venue=venue, capacity=3, availability_type=AvailabilityType.NIGHTLY)


@pytest.fixture
def manager(ask: Asker, organization: Organization) -> Manager:
    return Manager(ask, staff_of(organization, Role.MANAGER))


@pytest.fixture
def guest(ask: Asker) -> Guest:
    return Guest(ask)


@pytest.fixture
async def prices(manager: Manager, room: Resource) -> None:
    await manager.sets_prices(room)


@pytest.mark.usefixtures("prices")
async def test_a_part_is_cancelled_and_then_the_rest(manager: Manager, guest: Guest, room: Resource) -> None:
    """Three rooms: 600.00 and 2 × 2 × 4.00 = 16.00 of tax; a fee of 25.00 is kept of all three, 8.33 of one."""
    await manager.done("cancellationPolicy", resourceId=id_of(room), **FEE)
    booked = await guest.books(item(room, 3))
    assert (booked["quote"]["total"], booked["cancellation"]["refundNow"]) == (61_600, 59_100)

    part = {"itemId": booked["items"][0]["id"], "quantity": 1}
    told = await guest.looks("bookingItemCancelQuote", **part)
    # 400.00 and 16.00 × 2/3 = 10.67 are left, and 25.00 - 25.00 × 2/3 = 8.33 kept.
    assert (told["totalBefore"], told["totalAfter"], told["delta"]) == (61_600, 41_900, -19_700)
    assert (told["dueNow"], told["refund"], told["booking"]["version"]) == (0, 19_700, 2)
    assert [(line["kind"], line["amount"]) for line in told["quote"]["lines"]] == [
        ("NIGHT", 60_000),
        ("CANCELLED", -20_000),
        ("KEPT", 833),
    ]

    smaller = await guest.did("bookingItemCancel", expectedVersion=2, **part)
    assert (smaller["status"], smaller["version"], smaller["items"][0]["quantity"]) == ("CONFIRMED", 3, 2)
    assert smaller["quote"]["total"] == told["totalAfter"]
    assert smaller["quote"]["replaces"] == {"id": booked["quote"]["id"]}
    assert smaller["cancellation"]["refundNow"] == 41_900 - 2_500, "all that is kept in the end is one fee"

    rest = {"itemId": booked["items"][0]["id"], "quantity": 2}
    told = await guest.looks("bookingItemCancelQuote", **rest)
    assert (told["quote"], told["totalAfter"], told["refund"]) == (None, 2_500, 39_400)
    assert await guest.refused("bookingItemCancel", expectedVersion=2, **part | {"quantity": 3}) == ["VERSION_CONFLICT"]
    over = await guest.did("bookingItemCancel", **rest)
    assert (over["status"], over["cancellation"]["refundNow"]) == ("CANCELLED", 39_400)
    history = await guest.ask(EVENTS, {"id": guest.shown["bookingId"], "token": guest.shown["token"]})
    events = [edge["node"] for edge in history["booking"]["events"]["edges"]]
    assert [event["kind"] for event in events] == ["HELD", "CONFIRMED", "ITEM_CANCELLED", "CANCELLED"]
    assert [event["itemsBefore"] for event in events] == [None, None, [{"quantity": 3}], None]


@pytest.mark.usefixtures("prices")
async def test_to_another_day_and_a_bigger_party(guest: Guest, room: Resource) -> None:
    booked = await guest.books(item(room))
    asked = {"items": [item(room, 2, stay=LATER, adults=4)]}
    told = await guest.looks("bookingChangeQuote", **asked)
    # 2 × 3 × 100.00, and 4 × 3 × 4.00 of tax.
    assert (told["totalBefore"], told["totalAfter"], told["delta"]) == (21_600, 64_800, 43_200)
    assert (told["dueNow"], told["refund"]) == (43_200, 0)
    assert await guest.refused("bookingChange", expectedTotal=64_799, **asked) == ["PRICE_CHANGED"]
    assert await guest.refused("bookingChange", expectedVersion=1, **asked) == ["VERSION_CONFLICT"]

    key = fresh_key()
    changed = await guest.did("bookingChange", key=key, expectedVersion=2, expectedTotal=64_800, **asked)
    assert await guest.did("bookingChange", key=key, expectedVersion=2, expectedTotal=64_800, **asked) == changed
    assert (changed["status"], changed["version"], changed["quote"]["total"]) == ("CONFIRMED", 3, 64_800)
    assert (changed["items"][0]["quantity"], changed["items"][0]["startsAt"]) == (2, "2030-07-08T14:00:00Z")
    assert changed["quote"]["replaces"] == {"id": booked["quote"]["id"]}
    back = await guest.looks("bookingChangeQuote", items=[item(room)])
    assert (back["delta"], back["refund"]) == (-43_200, 43_200), "all would come back until it begins"


@pytest.mark.usefixtures("prices")
async def test_what_does_not_fit_loses_nothing(guest: Guest, ask: Asker, room: Resource) -> None:
    booked = await guest.books(item(room))
    await Guest(ask).books(item(room, 3, stay=LATER))
    payload = await guest.does("bookingChange", items=[item(room, stay=LATER)])
    [error] = payload["errors"]
    assert (error["code"], error["vacancies"]) == ("SOLD_OUT", 0)
    assert error["alternatives"], "when else"
    shown = f"query ($id: ID!, $token: String) {{ booking(id: $id, token: $token) {BOOKING} }}"
    now = await ask(shown, {"id": guest.shown["bookingId"], "token": guest.shown["token"]})
    assert flat(now["booking"]) == booked
    assert (await guest.did("bookingChange", items=[item(room, 3)]))["items"][0]["quantity"] == 3, "its own is free"


@pytest.mark.usefixtures("prices")
async def test_a_change_is_no_way_around_the_terms(manager: Manager, guest: Guest, room: Resource) -> None:
    """Nothing comes back of 216.00; so nothing does when the booking is changed to what costs less, or is flexible."""
    strict = await manager.done("cancellationPolicy", resourceId=id_of(room), **STRICT)
    await guest.books(item(room))
    await manager.done("cancellationPolicy", verb="Remove", cancellationPolicyId=strict["id"])
    one = {"items": [item(room, stay={"arrival": "2030-07-20", "departure": "2030-07-21"})]}
    told = await guest.looks("bookingChangeQuote", **one)
    # 100.00 and 8.00 of tax; 200.00 had been lost, and the tax of 16.00 comes back while nobody has come.
    assert (told["totalAfter"], told["refund"], told["dueNow"]) == (20_000, 1_600, 0)
    changed = await guest.did("bookingChange", **one)
    assert [line["amount"] for line in changed["quote"]["lines"]] == [10_000, 9_200]
    assert changed["cancellation"]["refundNow"] == 0
    dear = await guest.did("bookingChange", items=[item(room, 3, stay=LATER)])
    # 900.00 and 24.00 of tax; it is flexible by now, but for what was lost.
    assert (dear["quote"]["total"], dear["cancellation"]["refundNow"]) == (92_400, 72_400)


@pytest.mark.usefixtures("prices")
async def test_a_hold_that_nobody_has_paid_owes_nothing_of_before(
    manager: Manager, guest: Guest, room: Resource
) -> None:
    await manager.done("cancellationPolicy", resourceId=id_of(room), **STRICT)
    held = await guest.books(item(room, 2), confirms=False)
    told = await guest.looks("bookingItemCancelQuote", itemId=held["items"][0]["id"], quantity=1)
    assert (told["totalBefore"], told["totalAfter"], told["dueNow"], told["refund"]) == (41_600, 20_800, 20_800, 0)
    smaller = await guest.did("bookingItemCancel", itemId=held["items"][0]["id"], quantity=1)
    assert (smaller["status"], smaller["quote"]["dueNow"]) == ("ON_HOLD", 20_800)
    moved = await guest.did("bookingChange", items=[item(room, stay=LATER)])
    assert (moved["status"], moved["quote"]["total"]) == ("ON_HOLD", 32_400)


@pytest.mark.usefixtures("prices")
async def test_nobody_else_holds_by_the_price_of_what_was_sold_before(
    manager: Manager, guest: Guest, ask: Asker, room: Resource
) -> None:
    booked = await guest.books(item(room, 2))
    smaller = await guest.did(
        "bookingItemCancel",
        itemId=booked["items"][0]["id"],
        quantity=1,
        guests=[{"type": "ADULT", "count": 2}],
    )
    again = {"items": [item(room)], "quoteId": smaller["quote"]["id"]}
    assert await Guest(ask).refused("bookingHold", **again) == ["PRICE_CHANGED"]
    moved = await guest.did("bookingChange", items=[item(room, stay=LATER)])
    again = {"items": [item(room, stay=LATER)], "quoteId": moved["quote"]["id"]}
    assert await Guest(ask).refused("bookingHold", **again) == ["PRICE_CHANGED"]


@pytest.mark.usefixtures("prices")
async def test_the_promo_code_stays_and_is_not_used_twice(
    database: Database, guest: Guest, ask: Asker, venue: Venue, room: Resource
) -> None:
    await put_promo_code(database, venue, uses_max=1)
    booked = await guest.books(item(room), promoCode="SPRING")
    assert booked["quote"]["total"] == 16_000 + 1_600
    changed = await guest.did("bookingChange", items=[item(room, stay=LATER)])
    assert (changed["quote"]["promoCode"], changed["quote"]["total"]) == ("SPRING", 24_000 + 2_400)
    other = await Guest(ask).refused("bookingHold", items=[item(room)], promoCode="SPRING")
    assert other == ["PROMO_CODE_INVALID"]


@pytest.mark.usefixtures("prices")
async def test_its_own_places_do_not_make_it_dearer(manager: Manager, guest: Guest, room: Resource) -> None:
    rule = {"type": "OCCUPANCY", "name": "Nearly full", "parameters": {"minPercent": 60, "percent": "50"}}
    operation = "mutation ($input: PriceRuleSetInput!) { priceRuleSet(input: $input) { errors { code } } }"
    given = {"input": {"idempotencyKey": fresh_key(), "resourceId": id_of(room), **rule}}
    assert (await manager.ask(operation, given, viewer=manager.viewer))["priceRuleSet"]["errors"] == []
    await guest.books(item(room, 2))
    told = await guest.looks("bookingChangeQuote", items=[item(room, 3)])
    assert told["totalAfter"] == 60_000 + 1_600


async def test_what_has_no_price(guest: Guest, room: Resource) -> None:
    booked = await guest.books(item(room, 2))
    told = await guest.looks("bookingChangeQuote", items=[item(room, 1)])
    assert {told[name] for name in ("quote", "totalBefore", "totalAfter", "delta", "refund")} == {None}
    smaller = await guest.did("bookingItemCancel", itemId=booked["items"][0]["id"], quantity=1)
    assert (smaller["items"][0]["quantity"], smaller["quote"]) == (1, None)


async def test_what_becomes_free_gives_all_back(manager: Manager, guest: Guest, room: Resource) -> None:
    plan = await manager.done("ratePlan", resourceId=id_of(room), **STANDARD)
    await guest.books(item(room))
    await manager.done("ratePlan", verb="Remove", ratePlanId=plan["id"])
    changed = await guest.did("bookingChange", items=[item(room, stay=LATER)])
    assert (changed["quote"]["total"], changed["quote"]["lines"]) == (0, [])


async def test_rules_are_asked_as_of_a_new_booking(manager: Manager, guest: Guest, ask: Asker, room: Resource) -> None:
    await guest.books(item(room, 3))
    await Guest(ask).books(item(room, 3, stay={"arrival": "2030-07-04", "departure": "2030-07-06"}))
    await sets(manager, room, "STAY_LENGTH", minNights=2)
    await sets(manager, room, "GAP", nights=2)
    one_night = {"arrival": "2030-07-01", "departure": "2030-07-02"}
    assert await guest.refused("bookingChange", items=[item(room, stay=one_night)]) == ["STAY_TOO_SHORT"]
    assert await guest.refused("bookingChange", items=[item(room, 3)]) == ["GAP_LEFT"], "the night of the third"
    beside = {"arrival": "2030-07-02", "departure": "2030-07-04"}
    assert (await guest.did("bookingChange", items=[item(room, 3, stay=beside)]))["version"] == 3


async def test_what_the_venue_has_to_approve_is_changed_by_the_venue(
    manager: Manager, guest: Guest, room: Resource
) -> None:
    await guest.books(item(room))
    await sets(manager, room, "APPROVAL_REQUIRED", withinHours=1)
    later = {"items": [item(room, stay=LATER)]}
    assert await guest.refused("bookingChange", **later) == ["RULE_VIOLATION"]
    changed = await guest.did("bookingChange", viewer=manager.viewer, **later)
    assert (changed["status"], changed["version"]) == ("CONFIRMED", 3)


async def test_what_a_customer_has_counts_without_the_booking(
    manager: Manager, guest: Guest, room: Resource, organization: Organization
) -> None:
    await sets(manager, room, "CUSTOMER_LIMIT", max=1)
    await sets(manager, room, "NO_OVERLAP")
    ada = Viewer(Role.CUSTOMER, organization.id, "ada")
    await guest.books(item(room), viewer=ada)
    assert (await guest.did("bookingChange", viewer=ada, items=[item(room, stay=LATER)]))["version"] == 3
    two = [item(room, stay=LATER), item(room)]
    assert await guest.refused("bookingChange", items=two) == ["CUSTOMER_LIMIT"] * 2, "whoever shows the token"


async def test_who_may_change_what(guest: Guest, ask: Asker, room: Resource) -> None:
    booked = await guest.books(item(room))
    items: dict[str, Any] = {"items": [item(room, stay=LATER)]}
    foreign = await Guest(ask).does("bookingChange", bookingId=booked["id"], **items)
    assert [error["code"] for error in foreign["errors"]] == ["UNAUTHENTICATED"]
    for part in ({"itemId": f"{booked['id']}.7", "quantity": 1}, {"itemId": "x", "quantity": 1}):
        assert await guest.refused("bookingItemCancel", **part) == ["NOT_FOUND"]
    for quantity in (0, 2):
        part = {"itemId": booked["items"][0]["id"], "quantity": quantity}
        assert await guest.refused("bookingItemCancel", **part) == ["INVALID_INPUT"]
    await guest.did("bookingCancel")
    assert await guest.refused("bookingChange", **items) == ["INVALID_STATE"]
