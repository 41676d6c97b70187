"""Prices as managers set them, and as guests see, lock and pay them: the same to the cent wherever they are shown."""

from datetime import timedelta
from typing import Any

import pytest

from engine.viewer import GUEST, Role, Viewer
from models.database import Database
from models.resource import Resource
from models.venue import Venue
from schema.global_id import GlobalKind, encode
from tests.resolvers.conftest import NOW, Asker, id_of
from tests.support.factories import make_resource
from tests.support.prices import FRIDAY, NIGHTLY, WEEKEND, find_organization, make_guesthouse, make_room, put_promo_code
from tests.support.staff import BELOW_MANAGER, fresh_key, viewer_of

MONEY = "amount currency"
QUOTE = f"""id total {{ {MONEY} text(locale: "pt-PT") }} subtotal {{ amount }} tax {{ amount }} dueNow {{ amount }}
    dueAtVenue {{ amount }} expiresAt promoCode
    lines {{ item label kind quantity unitPrice {{ amount }} amount {{ amount }} rule }}"""
ERRORS = "errors { __typename code path ... on PriceChanged { quote { id total { amount } } } }"
SAMPLES = "samples { before { subtotal { amount } } after { ratePlan subtotal { amount } lines { label } } }"
PLAN = f"ratePlan {{ id code name parameters scope priority version }} {SAMPLES} {ERRORS}"
RULE = f"priceRule {{ id type name parameters scope version }} {SAMPLES} {ERRORS}"


class Desk:
    """Asks mutations, as a manager unless told otherwise."""

    def __init__(self, ask: Asker, venue: Venue) -> None:
        self.ask, self.manager = ask, viewer_of(Role.MANAGER, venue.organization_id)

    async def __call__(
        self, field: str, payload: str, /, *, viewer: Viewer | None = None, **input: Any
    ) -> dict[str, Any]:
        """The payload."""
        type_ = f"{field[0].upper()}{field[1:]}Input"
        operation = f"mutation ($input: {type_}!) {{ done: {field}(input: $input) {{ {payload} }} }}"
        given = {"input": {"idempotencyKey": fresh_key()} | input}
        return dict((await self.ask(operation, given, viewer=viewer or self.manager))["done"])

    async def hold(self, room: Resource, *, now: Any = NOW, viewer: Viewer = GUEST, **more: Any) -> dict[str, Any]:
        """The payload of a hold of one weekend."""
        operation = f"""mutation ($input: BookingHoldInput!) {{ done: bookingHold(input: $input) {{
            booking {{ id quote {{ {QUOTE} }} }} {ERRORS} }} }}"""
        given = {"input": {"idempotencyKey": fresh_key(), "items": [weekend(room)]} | more}
        return dict((await self.ask(operation, given, viewer=viewer, now=now))["done"])

    async def quote(self, room: Resource, *, viewer: Viewer = GUEST, **more: Any) -> dict[str, Any]:
        """The quote of one weekend; the test fails if there is none."""
        asked = {"items": [weekend(room)]} | more
        payload = await self("quoteCreate", f"quote {{ {QUOTE} }} {ERRORS}", viewer=viewer, **asked)
        assert payload["errors"] == []
        return dict(payload["quote"])


def weekend(room: Resource, **more: Any) -> dict[str, Any]:
    """Two nights, of which the second and not the first is at the weekend rate."""
    arrival = FRIDAY - timedelta(days=1)
    stay = {"arrival": arrival.isoformat(), "departure": (arrival + timedelta(days=2)).isoformat()}
    return {"resourceId": id_of(room), "stay": stay, **more}


@pytest.fixture
async def venue(database: Database) -> Venue:
    return await make_guesthouse(database)


@pytest.fixture
async def room(database: Database, venue: Venue) -> Resource:
    return await make_room(database, venue, capacity=20)


@pytest.fixture
def desk(ask: Asker, venue: Venue) -> Desk:
    return Desk(ask, venue)


async def test_a_plan_and_a_rule_are_set_previewed_changed_and_removed(
    desk: Desk, ask: Asker, database: Database, venue: Venue
) -> None:
    room = await make_room(database, venue, priced=False)
    plan: dict[str, Any] = {"resourceId": id_of(room), "code": "STANDARD", "name": "Standard", "parameters": NIGHTLY}
    sample = [{"item": weekend(room)}]
    dry = await desk("ratePlanSet", PLAN, **plan, dryRun=True, samples=sample)
    assert (dry["errors"], dry["ratePlan"]) == ([], None)
    after = {"ratePlan": "STANDARD", "subtotal": {"amount": 200_00}, "lines": [{"label": "Standard"}]}
    assert dry["samples"] == [{"before": None, "after": after}]
    made = await desk("ratePlanSet", PLAN, **plan)
    named = {"code": "STANDARD", "name": "Standard", "parameters": NIGHTLY}
    assert made["ratePlan"] | {"id": ""} == {"id": "", **named, "scope": "RESOURCE", "priority": 0, "version": 1}
    rule: dict[str, Any] = {"venueId": id_of(venue), "type": "WEEKDAY", "name": "Weekend", "parameters": WEEKEND}
    dry = await desk("priceRuleSet", RULE, **rule, dryRun=True, samples=sample)
    assert [dry["samples"][0][when]["subtotal"]["amount"] for when in ("before", "after")] == [200_00, 215_00]
    weekly = (await desk("priceRuleSet", RULE, **rule))["priceRule"]
    assert (weekly["version"], weekly["scope"], weekly["type"]) == (1, "VENUE", "WEEKDAY")

    changes: dict[str, Any] = {
        "priceRuleId": weekly["id"],
        "parameters": {"weekdays": [5], "percent": "10"},
        "expectedVersion": 1,
    }
    changed = (await desk("priceRuleSet", RULE, **changes))["priceRule"]
    assert (changed["version"], changed["name"]) == (2, "Weekend")
    assert (await desk("priceRuleSet", RULE, **changes))["errors"][0]["code"] == "VERSION_CONFLICT"
    assert (await desk("priceRuleSet", RULE, priceRuleId=weekly["id"]))["priceRule"]["version"] == 2

    seen = """query ($id: ID!) { node(id: $id) { ... on Resource { ratePlans { code }
        priceRules { type parameters history { edges { node { version actor isRemoved content } } } } } } }"""
    shown = (await ask(seen, {"id": id_of(room)}, viewer=desk.manager))["node"]
    assert shown["ratePlans"] == [{"code": "STANDARD"}]
    [listed] = shown["priceRules"]
    history = [edge["node"] for edge in listed["history"]["edges"]]
    assert [(one["version"], one["actor"], one["content"]["parameters"]["percent"]) for one in history] == [
        (1, "manager:amina", "15"),
        (2, "manager:amina", "10"),
    ]
    assert (await ask(seen, {"id": id_of(room)}))["node"] == {"ratePlans": [{"code": "STANDARD"}], "priceRules": None}

    gone = await desk("priceRuleRemove", RULE, priceRuleId=weekly["id"])
    assert gone["priceRule"]["version"] == 3
    assert (await desk("priceRuleRemove", RULE, priceRuleId=weekly["id"]))["errors"][0]["code"] == "NOT_FOUND"
    assert (await desk("ratePlanRemove", PLAN, ratePlanId=made["ratePlan"]["id"]))["errors"] == []
    assert (await ask(seen, {"id": id_of(room)}, viewer=desk.manager))["node"] == {"ratePlans": [], "priceRules": []}


@pytest.mark.parametrize("role", BELOW_MANAGER)
async def test_only_managers_set_prices(desk: Desk, venue: Venue, role: Role) -> None:
    code = "UNAUTHENTICATED" if role is Role.GUEST else "FORBIDDEN"
    viewer = viewer_of(role, venue.organization_id)
    plan: dict[str, Any] = {"venueId": id_of(venue), "code": "STANDARD", "name": "Standard", "parameters": NIGHTLY}
    rule: dict[str, Any] = {"venueId": id_of(venue), "type": "WEEKDAY", "name": "Weekend", "parameters": WEEKEND}
    for name, payload, given in (
        ("ratePlanSet", PLAN, plan),
        ("priceRuleSet", RULE, rule),
        ("promoCodeSet", f"promoCode {{ id }} {ERRORS}", {"venueId": id_of(venue), "code": "SPRING"}),
    ):
        payload_ = await desk(name, payload, viewer=viewer, **given)
        assert [error["code"] for error in payload_["errors"]] == [code]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"parameters": {"amount": 1.5, "every": "NIGHT"}}, ["parameters", "amount"]),
        ({"parameters": {"amount": 10_00, "every": "MINUTES"}}, ["parameters", "every"]),
        ({"parameters": {"derivedFrom": "OTHER", "percent": "-10"}}, ["parameters", "derivedFrom"]),
        ({"parameters": {"derivedFrom": "NEW", "percent": "-10"}}, ["parameters", "derivedFrom"]),
        ({"code": "new"}, ["code"]),
        ({"name": "  "}, ["name"]),
        ({"priority": 1_001}, ["priority"]),
        ({"validFrom": "2030-01-02", "validUntil": "2030-01-02"}, ["validUntil"]),
        ({"expectedVersion": 1}, ["expectedVersion"]),
        ({"venueId": "x"}, []),
    ],
)
async def test_plans_that_make_no_sense_are_refused(
    desk: Desk, room: Resource, given: dict[str, Any], path: list[str]
) -> None:
    plan: dict[str, Any] = {"resourceId": id_of(room), "code": "NEW", "name": "New", "parameters": NIGHTLY} | given
    [error] = (await desk("ratePlanSet", PLAN, **plan))["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", *path])


async def test_it_costs_the_same_wherever_it_is_shown(desk: Desk, ask: Asker, venue: Venue, room: Resource) -> None:
    rule: dict[str, Any] = {"venueId": id_of(venue), "type": "WEEKDAY", "name": "Weekend", "parameters": WEEKEND}
    await desk("priceRuleSet", RULE, **rule)
    operation = f"""query ($id: ID!, $input: AvailabilityInput!, $quote: QuoteInput!) {{
        availability(input: $input) {{ quote {{ {QUOTE} }} }}
        quote(input: $quote) {{ quote {{ {QUOTE} }} {ERRORS} }}
        node(id: $id) {{ ... on Resource {{
            calendar(from: "2030-06-06", to: "2030-06-09") {{ priceFrom {{ amount }} }} }} }}
    }}"""
    asked = weekend(room)
    data = await ask(
        operation,
        {
            "id": id_of(room),
            "input": {"resourceIds": [id_of(room)], "stay": asked["stay"]},
            "quote": {"items": [asked]},
        },
    )
    kept = await desk.quote(room)
    held = (await desk.hold(room, quoteId=kept["id"], expectedTotal=215_00))["booking"]["quote"]
    straight = (await desk.hold(room))["booking"]["quote"]

    assert kept["total"] == {"amount": 215_00, "currency": "EUR", "text": "215,00\u00a0€"}
    assert kept["lines"] == [
        {"item": 0, "label": "Standard", "kind": "NIGHT", "quantity": 2, "unitPrice": {"amount": 100_00},
         "amount": {"amount": 200_00}, "rule": None},
        {"item": 0, "label": "Weekend", "kind": "ADJUSTMENT", "quantity": 1, "unitPrice": {"amount": 15_00},
         "amount": {"amount": 15_00}, "rule": "WEEKDAY"},
    ]  # fmt: skip
    assert held == kept
    names = ("total", "subtotal", "tax", "dueNow", "dueAtVenue", "lines")
    for shown in (data["availability"][0]["quote"], data["quote"]["quote"], straight):
        assert {name: shown[name] for name in names} == {name: kept[name] for name in names}
    # One night each: Thursday, and Friday and Saturday at 115.00.
    assert [day["priceFrom"]["amount"] for day in data["node"]["calendar"]] == [100_00, 115_00, 115_00]


async def test_what_is_edited_after_the_quote_changes_nothing_for_who_has_it(desk: Desk, room: Resource) -> None:
    kept = await desk.quote(room)
    dearer: dict[str, Any] = {
        "resourceId": id_of(room),
        "type": "WEEKDAY",
        "name": "Dear",
        "parameters": {**WEEKEND, "percent": "50"},
    }
    await desk("priceRuleSet", RULE, **dearer)

    by_quote = await desk.hold(room, quoteId=kept["id"], expectedTotal=200_00)
    assert by_quote["errors"] == []
    assert by_quote["booking"]["quote"] == kept

    [error] = (await desk.hold(room, expectedTotal=200_00))["errors"]
    assert (error["__typename"], error["code"], error["path"]) == (
        "PriceChanged", "PRICE_CHANGED", ["input", "expectedTotal"]
    )  # fmt: skip
    assert error["quote"]["total"] == {"amount": 250_00}
    again = await desk.hold(room, quoteId=error["quote"]["id"], expectedTotal=250_00)
    assert again["booking"]["quote"]["id"] == error["quote"]["id"]


async def test_a_quote_that_is_over_is_told_with_a_new_one(desk: Desk, room: Resource) -> None:
    kept = await desk.quote(room)
    later = NOW + timedelta(minutes=15)
    payload = await desk.hold(room, quoteId=kept["id"], now=later)

    assert payload["booking"] is None
    [error] = payload["errors"]
    assert (error["code"], error["quote"]["total"]["amount"]) == ("PRICE_CHANGED", 200_00)
    assert error["quote"]["id"] != kept["id"]
    assert (await desk.hold(room, quoteId=error["quote"]["id"], now=later))["errors"] == []


async def test_a_quote_is_of_its_very_request(desk: Desk, database: Database, venue: Venue, room: Resource) -> None:
    kept = await desk.quote(room)
    other = await make_room(database, venue)
    for items in ([weekend(room, quantity=2)], [weekend(other)], [weekend(room), weekend(room)]):
        [error] = (await desk.hold(room, quoteId=kept["id"], items=items))["errors"]
        assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "quoteId"])
    unknown = encode(GlobalKind.QUOTE, room.organization_id, room.id)
    [error] = (await desk.hold(room, quoteId=unknown))["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "quoteId"])


async def test_a_party_is_the_same_in_any_order(desk: Desk, room: Resource) -> None:
    party = [{"type": "ADULT", "count": 2}, {"type": "CHILD", "count": 2, "ages": [4, 9]}]
    turned = [{"type": "CHILD", "count": 2, "ages": [9, 4]}, {"type": "ADULT", "count": 2}]
    payload = await desk("quoteCreate", f"quote {{ id }} {ERRORS}", viewer=GUEST, items=[weekend(room, guests=party)])
    held = await desk.hold(room, quoteId=payload["quote"]["id"], items=[weekend(room, guests=turned)])
    assert held["errors"] == []


async def test_a_quote_is_created_once_per_key(desk: Desk, room: Resource) -> None:
    key = fresh_key()
    first, again = [await desk.quote(room, idempotencyKey=key) for _ in range(2)]
    assert first == again


async def test_a_promo_code_holds_so_many_times(
    desk: Desk, ask: Asker, database: Database, venue: Venue, room: Resource
) -> None:
    row = await put_promo_code(database, venue, uses_max=1)
    [unknown] = (await desk.hold(room, promoCode="WINTER"))["errors"]
    assert (unknown["code"], unknown["path"]) == ("PROMO_CODE_INVALID", ["input", "promoCode"])
    first = await desk.hold(room, promoCode=" spring ")
    assert (first["booking"]["quote"]["total"]["amount"], first["booking"]["quote"]["promoCode"]) == (160_00, "SPRING")
    assert [error["code"] for error in (await desk.hold(room, promoCode="SPRING"))["errors"]] == ["PROMO_CODE_INVALID"]

    seen = "query ($id: ID!) { node(id: $id) { ... on Venue { promoCodes { code uses usesMax } } } }"
    shown = await ask(seen, {"id": id_of(venue)}, viewer=desk.manager)
    assert shown["node"]["promoCodes"] == [{"code": "SPRING", "uses": 1, "usesMax": 1}]
    assert (await ask(seen, {"id": id_of(venue)}))["node"]["promoCodes"] is None

    release = "mutation ($input: BookingActionInput!) { bookingRelease(input: $input) { errors { code } } }"
    cancel = {"idempotencyKey": fresh_key(), "bookingId": first["booking"]["id"]}
    released = await ask(release, {"input": cancel}, viewer=desk.manager)
    assert released["bookingRelease"]["errors"] == []
    assert (await desk.hold(room, promoCode="SPRING"))["errors"] == []
    code = encode(GlobalKind.PROMO_CODE, row.organization_id, row.id)
    more = await desk("promoCodeSet", f"promoCode {{ usesMax version }} {ERRORS}", promoCodeId=code, usesMax=None)
    assert more["promoCode"] == {"usesMax": None, "version": 2}


async def test_a_promo_code_holds_on_its_days(desk: Desk, database: Database, venue: Venue, room: Resource) -> None:
    today = NOW.date()
    for code, days in (
        ("OVER", {"valid_until": today}),
        ("LATER", {"valid_from": today + timedelta(days=1)}),
        ("NOW", {"valid_from": today, "valid_until": today + timedelta(days=1)}),
    ):
        await put_promo_code(database, venue, code, **days)
        payload = await desk.hold(room, promoCode=code)
        assert [error["code"] for error in payload["errors"]] == ([] if code == "NOW" else ["PROMO_CODE_INVALID"])


async def test_partners_have_prices_of_their_own(desk: Desk, room: Resource) -> None:
    parameters = {"partners": ["partner:harbour"], "percent": "-15"}
    rule: dict[str, Any] = {
        "resourceId": id_of(room),
        "type": "PARTNER",
        "name": "Harbour Tours",
        "parameters": parameters,
    }
    await desk("priceRuleSet", RULE, **rule)
    harbour, other = (viewer_of(Role.PARTNER, room.organization_id, name) for name in ("harbour", "other"))
    totals = [(await desk.quote(room, viewer=viewer))["total"]["amount"] for viewer in (harbour, other, GUEST)]
    assert totals == [170_00, 200_00, 200_00]
    # What a partner was quoted is the partner's to hold.
    theirs = await desk.quote(room, viewer=harbour)
    [error] = (await desk.hold(room, quoteId=theirs["id"]))["errors"]
    assert error["code"] == "INVALID_INPUT"
    assert (await desk.hold(room, quoteId=theirs["id"], viewer=harbour))["errors"] == []


async def test_occupancy_counts_at_the_time_of_asking(desk: Desk, database: Database, venue: Venue) -> None:
    room = await make_room(database, venue, capacity=2)
    parameters = {"minPercent": 50, "percent": "20"}
    rule: dict[str, Any] = {
        "resourceId": id_of(room),
        "type": "OCCUPANCY",
        "name": "Half full",
        "parameters": parameters,
    }
    await desk("priceRuleSet", RULE, **rule)
    totals = [(await desk.hold(room))["booking"]["quote"]["total"]["amount"] for _ in range(2)]
    assert totals == [200_00, 240_00]


async def test_what_has_no_price_costs_nothing(desk: Desk, database: Database, venue: Venue) -> None:
    free = await make_room(database, venue, priced=False)
    payload = await desk("quoteCreate", f"quote {{ id }} {ERRORS}", items=[weekend(free)])
    assert payload == {"quote": None, "errors": []}
    assert (await desk.hold(free, expectedTotal=0))["booking"]["quote"] is None
    [error] = (await desk.hold(free, expectedTotal=1))["errors"]
    assert (error["code"], error["quote"]) == ("PRICE_CHANGED", None)


async def test_one_booking_has_one_currency(desk: Desk, database: Database, venue: Venue, room: Resource) -> None:
    organization = await find_organization(database, venue)
    swiss = await make_guesthouse(database, organization=organization, currency="CHF")
    other = await make_room(database, swiss)
    [error] = (await desk.hold(room, items=[weekend(room), weekend(other)]))["errors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "items"])
    free = await make_room(database, swiss, priced=False)
    assert (await desk.hold(room, items=[weekend(room), weekend(free)]))["errors"] == []


async def test_slots_have_prices(ask: Asker, database: Database, venue: Venue, desk: Desk) -> None:
    hall = await make_resource(database, venue=venue, rules={"START_GRID": {"minutes": 60}, "OPENING_HOURS": {
        "weekly": [{"weekday": day, "opens": "10:00", "closes": "12:00"} for day in range(1, 8)]}})  # fmt: skip
    parameters = {"amount": 8_00, "every": "MINUTES"}
    plan: dict[str, Any] = {"resourceId": id_of(hall), "code": "STANDARD", "name": "Hour", "parameters": parameters}
    assert (await desk("ratePlanSet", PLAN, **plan))["errors"] == []
    operation = """query ($id: ID!) { node(id: $id) { ... on Resource {
        slots(window: { startsAt: "2030-06-07T00:00:00Z", endsAt: "2030-06-08T00:00:00Z" }) { price { amount } }
        } } }"""
    slots = (await ask(operation, {"id": id_of(hall)}))["node"]["slots"]
    assert [slot["price"]["amount"] for slot in slots] == [8_00, 8_00]


async def test_staff_and_who_made_it_find_a_quote_by_its_id(desk: Desk, ask: Asker, room: Resource) -> None:
    customer = viewer_of(Role.CUSTOMER, room.organization_id, "ada")
    kept = await desk.quote(room, viewer=customer)
    find = "query ($id: ID!) { node(id: $id) { id } }"
    others = (GUEST, viewer_of(Role.CUSTOMER, room.organization_id, "eve"))
    for viewer in (customer, desk.manager):
        assert (await ask(find, {"id": kept["id"]}, viewer=viewer))["node"] == {"id": kept["id"]}
    for viewer in others:
        assert (await ask(find, {"id": kept["id"]}, viewer=viewer))["node"] is None
