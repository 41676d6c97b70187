"""Taxes and cancellation policies as clients set, try, see and remove them."""

from datetime import time
from typing import Any

import pytest

from engine.viewer import GUEST, Role
from models.database import Database
from models.resource import AvailabilityType, Resource
from models.venue import Organization, Venue
from tests.resolvers.conftest import Asker, id_of, staff_of
from tests.resolvers.managers import FLEXIBLE, IVA, POLICY, TAX, TMT, Manager, euros
from tests.support.factories import make_organization, make_resource, make_venue


@pytest.fixture
async def organization(database: Database) -> Organization:
    return await make_organization(database)


@pytest.fixture
async def venue(database: Database, organization: Organization) -> Venue:
    return await make_venue(
        database,
        organization=organization,
        time_zone="Europe/Lisbon",
        currency="EUR",
        country="PT",
        check_in_time=time(15),
        check_out_time=time(11),
    )


@pytest.fixture
async def room(database: Database, venue: Venue) -> Resource:
    return await make_resource(database, venue=venue, availability_type=AvailabilityType.NIGHTLY, slug="double-room")


@pytest.fixture
async def manager(ask: Asker, organization: Organization, room: Resource) -> Manager:
    """With a room for 106.00 a night."""
    made = Manager(ask, staff_of(organization, Role.MANAGER))
    plan: dict[str, Any] = {"code": "STANDARD", "name": "Standard", "parameters": {"amount": 10_600, "every": "NIGHT"}}
    await made.done("ratePlan", resourceId=id_of(room), **plan)
    return made


def ten_nights(room: Resource) -> dict[str, Any]:
    """Two adults and two children, one of whom is old enough for the tourist tax."""
    return {
        "item": {
            "resourceId": id_of(room),
            "stay": {"arrival": "2030-07-01", "departure": "2030-07-11"},
            "guests": [{"type": "ADULT", "count": 2}, {"type": "CHILD", "count": 2, "ages": [12, 13]}],
        }
    }


async def test_a_dry_run_tells_what_a_stay_would_come_to(manager: Manager, venue: Venue, room: Resource) -> None:
    """10 × 106.00 = 1,060.00, of which IVA is 1,060.00 × 6/106 = 60.00; TMT is 3 × 7 × 4.00 = 84.00 at the venue."""
    await manager.done("taxRule", venueId=id_of(venue), **IVA)
    dry = await manager("taxRule", venueId=id_of(venue), **TMT, dryRun=True, samples=[ten_nights(room)])
    [sample] = dry["samples"]
    iva = {
        "code": "IVA", "label": "IVA", "amount": {"amount": 6_000, "text": "60,00\xa0€"}, "rate": "6 %",
        "included": True, "collect": "NOW",
    }  # fmt: skip
    tmt = {
        "code": "TMT", "label": "Taxa Municipal Turística", "amount": {"amount": 8_400, "text": "84,00\xa0€"},
        "rate": "€4.00 × 21", "included": False, "collect": "AT_VENUE",
    }  # fmt: skip
    assert (dry["made"], dry["errors"]) == (None, [])
    assert sample["before"]["taxes"] == [iva]
    assert sample["after"]["taxes"] == [iva, tmt]
    assert sample["before"]["total"] == euros(106_000)
    for field, amount in (
        ("subtotal", 106_000),
        ("tax", 8_400),
        ("total", 114_400),
        ("dueNow", 106_000),
        ("dueAtVenue", 8_400),
    ):
        assert sample["after"][field] == euros(amount), field


async def test_a_policy_tells_what_comes_back_and_what_is_due_when(
    manager: Manager, venue: Venue, room: Resource
) -> None:
    """Of 1,060.00: 30 % is 318.00 now, and 742.00 two weeks before. Until a week before all comes back, then half."""
    await manager.done("taxRule", venueId=id_of(venue), **TMT)
    asked = {"venueId": id_of(venue), **FLEXIBLE}
    dry = await manager("cancellationPolicy", **asked, dryRun=True, samples=[ten_nights(room)])
    [sample] = dry["samples"]
    assert sample["before"]["cancellation"] == {
        "refundNow": euros(106_000),
        "steps": [{"until": "2030-07-01T14:00:00Z", "refund": euros(106_000)}],
    }
    after = sample["after"]
    assert after["cancellation"] == {
        "refundNow": euros(106_000),
        "steps": [
            {"until": "2030-06-24T17:00:00Z", "refund": euros(106_000)},
            {"until": "2030-06-29T17:00:00Z", "refund": euros(53_000)},
        ],
    }
    assert after["dueNow"] == euros(31_800)
    assert after["dueLater"] == [{"by": "2030-06-17T14:00:00Z", "amount": euros(74_200)}]
    assert after["dueAtVenue"] == euros(8_400)
    assert after["total"] == euros(31_800 + 74_200 + 8_400)


async def test_they_are_shown_to_everybody_and_their_history_to_staff(
    ask: Asker, manager: Manager, venue: Venue, room: Resource
) -> None:
    tax = await manager.done("taxRule", venueId=id_of(venue), **TMT, validFrom="2030-01-01", priority=2)
    policy = await manager.done("cancellationPolicy", resourceId=id_of(room), **FLEXIBLE)
    assert (tax["scope"], tax["version"], tax["parameters"]) == ("VENUE", 1, TMT["parameters"])
    assert (policy["scope"], policy["version"], policy["parameters"]) == ("RESOURCE", 1, FLEXIBLE["parameters"])
    await manager.done("taxRule", taxRuleId=tax["id"], name="City tax", validFrom=None)
    history = "history { edges { node { version actor content isRemoved } } }"
    operation = f"""query ($id: ID!) {{ node(id: $id) {{ ... on Resource {{
        taxRules {{ {TAX} {history} }} cancellationPolicies {{ {POLICY} {history} }} }} }} }}"""
    seen = (await ask(operation, {"id": id_of(room)}, viewer=GUEST))["node"]
    assert seen == {
        "taxRules": [tax | {"name": "City tax", "validFrom": None, "version": 2, "history": None}],
        "cancellationPolicies": [policy | {"history": None}],
    }
    seen = (await ask(operation, {"id": id_of(room)}, viewer=manager.viewer))["node"]
    [told] = seen["taxRules"]
    lines = [edge["node"] for edge in told["history"]["edges"]]
    assert [(line["version"], line["actor"], line["content"]["name"]) for line in lines] == [
        (1, "manager:ada", "Taxa Municipal Turística"),
        (2, "manager:ada", "City tax"),
    ]
    operation = "query ($slug: String!) { venue(slug: $slug) { taxRules { name } cancellationPolicies { code } } }"
    assert (await ask(operation, {"slug": venue.slug}))["venue"] == {
        "taxRules": [{"name": "City tax"}],
        "cancellationPolicies": [],
    }


async def test_what_is_removed_is_owed_no_more(ask: Asker, manager: Manager, room: Resource) -> None:
    tax = await manager.done("taxRule", resourceId=id_of(room), **TMT)
    policy = await manager.done("cancellationPolicy", resourceId=id_of(room), **FLEXIBLE)
    dry = await manager("taxRule", "Remove", taxRuleId=tax["id"], dryRun=True, samples=[ten_nights(room)])
    assert [len(dry["samples"][0][side]["taxes"]) for side in ("before", "after")] == [1, 0]
    conflict = await manager.refused("taxRule", "Remove", taxRuleId=tax["id"], expectedVersion=7)
    assert (conflict["code"], conflict["current"]) == ("VERSION_CONFLICT", 1)
    await manager.done("taxRule", "Remove", taxRuleId=tax["id"])
    await manager.done("cancellationPolicy", "Remove", cancellationPolicyId=policy["id"])
    operation = "query ($id: ID!) { node(id: $id) { ... on Resource { taxRules { id } cancellationPolicies { id } } } }"
    seen = (await ask(operation, {"id": id_of(room)}, viewer=manager.viewer))["node"]
    assert seen == {"taxRules": [], "cancellationPolicies": []}
    gone = await manager.refused("taxRule", taxRuleId=tax["id"], name="Back")
    assert (gone["code"], gone["path"]) == ("NOT_FOUND", ["input", "taxRuleId"])


@pytest.mark.parametrize(
    ("what", "changes", "path"),
    [
        ("taxRule", {"parameters": {"code": "TMT", "amount": 4.5}}, ["parameters", "amount"]),
        ("taxRule", {"parameters": {"code": "A", "amount": 4, "bands": [{}]}}, ["parameters", "bands", "0", "amount"]),
        ("taxRule", {"type": "PERCENT", "parameters": {"code": "VAT", "rate": 6}}, ["parameters", "rate"]),
        ("cancellationPolicy", {"parameters": {"steps": [{"daysBefore": 1, "refund": 50}]}},
         ["parameters", "steps", "0", "refund"]),
        ("cancellationPolicy", {"parameters": {"balance": {"daysBefore": 1}}}, ["parameters"]),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_refused_with_its_path(
    manager: Manager, room: Resource, what: str, changes: dict[str, Any], path: list[str]
) -> None:
    given = TMT if what == "taxRule" else FLEXIBLE
    refusal = await manager.refused(what, resourceId=id_of(room), **(given | changes))
    assert (refusal["code"], refusal["path"]) == ("INVALID_INPUT", ["input", *path])


async def test_a_sample_that_can_not_be_priced_is_told(manager: Manager, venue: Venue, room: Resource) -> None:
    sample = ten_nights(room)
    sample["item"]["ratePlan"] = "NONE"
    dry = await manager("taxRule", venueId=id_of(venue), **TMT, dryRun=True, samples=[sample])
    assert dry["samples"] == [{"before": None, "after": None}]


async def test_kinds_are_told_with_what_their_parameters_may_be(ask: Asker) -> None:
    told = await ask("{ taxRuleTypes { type description parametersSchema example } cancellationPolicySchema }")
    kinds = {kind["type"]: kind for kind in told["taxRuleTypes"]}
    assert list(kinds) == ["PERCENT", "PER_NIGHT", "PER_PERSON_NIGHT", "PER_STAY", "PER_BOOKING", "PROVIDED"]
    assert kinds["PERCENT"]["parametersSchema"]["required"] == ["code", "rate"]
    assert "steps" in told["cancellationPolicySchema"]["properties"]
