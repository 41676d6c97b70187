"""Taxes and cancellation policies as managers set them: checked, versioned, and known where something is priced."""

import asyncio
from datetime import date
from typing import Any

import asyncpg
import pytest

from engine.facts import ResourceFacts, load_facts
from engine.viewer import GUEST, Role
from models.database import Database
from models.errors import Forbidden, InvalidInput, NotFound, Unauthenticated, VersionConflict
from models.keys import ResourceKey, VenueKey
from models.price import CancellationPolicy, TaxRule
from models.resource import Resource
from models.venue import Venue
from tests.support.audits import assert_audit_clean
from tests.support.factories import key_of, make_organization, make_resource, make_venue
from tests.support.settings import VAT, key_of_setting, planned, put, take_away
from tests.support.staff import viewer_of

HALF = {"steps": [{"daysBefore": 1, "refund": "50"}]}
DAY = date(2030, 6, 1)
ROUNDS_MAX = 200


@pytest.fixture
async def venue(database: Database) -> Venue:
    return await make_venue(database)


@pytest.fixture
async def room(database: Database, venue: Venue) -> Resource:
    return await make_resource(database, venue=venue)


def of(venue: Venue) -> VenueKey:
    return VenueKey(venue.organization_id, venue.id)


async def facts_of(database: Database, room: Resource) -> ResourceFacts:
    return (await load_facts(database, [key_of(room)]))[key_of(room)]


def tax(code: str, *on: str, **more: object) -> dict[str, Any]:
    parameters = {"code": code, "rate": "10", **({"onTaxes": list(on)} if on else {}), **more}
    return {"identity": "PERCENT", "parameters": parameters}


async def test_what_is_set_is_known_of_the_resource(database: Database, venue: Venue, room: Resource) -> None:
    before = await facts_of(database, room)
    of_venue = await put(database, TaxRule, of(venue), **tax("VAT"), valid_until=DAY)
    own = await put(database, TaxRule, key_of(room), **tax("VAT", rate="5"), valid_from=DAY)
    policy = await put(database, CancellationPolicy, of(venue), identity="HALF", parameters=HALF)
    facts = await facts_of(database, room)
    assert [row.id for row in facts.stored_taxes] == [of_venue.id, own.id]
    assert facts.taxes.on(DAY)["VAT"].key == own.id
    assert facts.taxes.on(date(2030, 5, 31))["VAT"].key == of_venue.id
    assert [row.id for row in facts.stored_policies] == [policy.id]
    assert facts.policies.on(DAY, "STANDARD") is not None
    assert facts.catalog_version > before.catalog_version
    assert facts.version == before.version, "whether it can be booked is the same"


async def test_each_change_is_a_version_and_setting_the_same_is_none(
    database: Database, owner: asyncpg.Connection, owner_url: str, room: Resource
) -> None:
    first = await put(database, TaxRule, key_of(room), **tax("VAT"))
    key = key_of_setting(first)
    assert (first.version, first.parameters) == (1, VAT)
    again = await put(database, TaxRule, key, parameters={"code": "VAT", "rate": "10.0"})
    assert again.version == 1
    changed = await put(database, TaxRule, key, name="Other", expected=1)
    assert (changed.version, changed.name, changed.parameters) == (2, "Other", VAT)
    with pytest.raises(VersionConflict) as conflict:
        await put(database, TaxRule, key, name="Third", expected=1)
    assert conflict.value.current == 2
    gone = await take_away(database, TaxRule, key, expected=2)
    assert (gone.version, gone.is_removed) == (3, True)
    assert (await facts_of(database, room)).stored_taxes == ()
    with pytest.raises(NotFound):
        await put(database, TaxRule, key, name="Fourth")
    await assert_audit_clean(owner_url)
    history = await owner.fetch("SELECT * FROM price_change WHERE setting_id = $1 ORDER BY version", first.id)
    assert [(line["kind"], line["version"], line["is_removed"], line["actor"]) for line in history] == [
        ("TAX_RULE", 1, False, "manager:amina"),
        ("TAX_RULE", 2, False, "manager:amina"),
        ("TAX_RULE", 3, True, "manager:amina"),
    ]


async def test_the_same_key_gives_the_same_answer(database: Database, room: Resource) -> None:
    first = await put(database, CancellationPolicy, key_of(room), key="k" * 16, identity="HALF", parameters=HALF)
    await put(database, CancellationPolicy, key_of_setting(first), parameters={})
    again = await put(database, CancellationPolicy, key_of(room), key="k" * 16, identity="HALF", parameters=HALF)
    assert (again.id, again.version, again.parameters) == (first.id, 1, HALF)


@pytest.mark.parametrize(
    ("model", "fields", "path"),
    [
        (TaxRule, {}, ("type",)),
        (TaxRule, {"identity": "WINDOW_TAX", "parameters": {}}, ("type",)),
        (TaxRule, {"identity": "PERCENT"}, ("parameters",)),
        (TaxRule, {"identity": "PERCENT", "parameters": {"code": "VAT"}}, ("parameters", "rate")),
        (TaxRule, {"identity": "PERCENT", "parameters": {"code": "VAT", "rate": 10}}, ("parameters", "rate")),
        (TaxRule, {**tax("VAT"), "priority": 1_001}, ("priority",)),
        (TaxRule, {**tax("VAT"), "name": " "}, ("name",)),
        (TaxRule, {**tax("VAT"), "valid_from": DAY, "valid_until": DAY}, ("validUntil",)),
        (TaxRule, tax("VAT", "OTHER"), ("parameters",)),
        (CancellationPolicy, {"parameters": {}}, ("code",)),
        (CancellationPolicy, {"identity": "half", "parameters": {}}, ("code",)),
        (CancellationPolicy, {"identity": "HALF"}, ("parameters",)),
        (
            CancellationPolicy,
            {"identity": "HALF", "parameters": {"steps": [{"daysBefore": 1}]}},
            ("parameters", "steps", "0"),
        ),
    ],
)
async def test_what_makes_no_sense_is_refused(
    database: Database, room: Resource, model: Any, fields: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await put(database, model, key_of(room), **fields)
    assert caught.value.path == ("input", *path)


async def test_only_managers_of_the_organization_may(database: Database, room: Resource) -> None:
    other = await make_organization(database)
    for viewer, refusal in (
        (GUEST, Unauthenticated),
        (viewer_of(Role.STAFF, room.organization_id), Forbidden),
        (viewer_of(Role.MANAGER, other.id), NotFound),
    ):
        with pytest.raises(refusal):
            await put(database, TaxRule, key_of(room), viewer=viewer, **tax("VAT"))


async def test_a_dry_run_is_refused_as_the_call_and_writes_nothing(
    database: Database, owner: asyncpg.Connection, room: Resource
) -> None:
    edit = await planned(database, TaxRule, key_of(room), **tax("VAT"))
    assert edit.before is None
    assert edit.after is not None
    with pytest.raises(InvalidInput, match="no such tax"):
        await planned(database, TaxRule, key_of(room), **tax("VAT", "OTHER"))
    assert await owner.fetchval("SELECT count(*) FROM tax_rule") == 0


async def test_what_another_tax_is_on_can_not_go_or_change_its_code(database: Database, room: Resource) -> None:
    fee = await put(database, TaxRule, key_of(room), **tax("SERVICE"))
    vat = await put(database, TaxRule, key_of(room), **tax("VAT", "SERVICE"))
    with pytest.raises(InvalidInput, match="no such tax"):
        await take_away(database, TaxRule, key_of_setting(fee))
    with pytest.raises(InvalidInput, match="no such tax"):
        await put(database, TaxRule, key_of_setting(fee), parameters={"code": "OTHER", "rate": "10"})
    with pytest.raises(InvalidInput, match="circle"):
        await put(database, TaxRule, key_of_setting(fee), parameters={**VAT, "code": "SERVICE", "onTaxes": ["VAT"]})
    await take_away(database, TaxRule, key_of_setting(vat))
    await take_away(database, TaxRule, key_of_setting(fee))


async def test_taxes_of_a_venue_are_checked_with_those_of_its_resources(
    database: Database, venue: Venue, room: Resource
) -> None:
    other = await make_resource(database, venue=venue)
    await put(database, TaxRule, of(venue), **tax("A"))
    await put(database, TaxRule, key_of(room), **tax("B", "A"))
    with pytest.raises(InvalidInput, match="circle"):
        await put(database, TaxRule, of(venue), **tax("A", "B"))
    with pytest.raises(InvalidInput, match="no such tax"):
        await put(database, TaxRule, key_of(other), **tax("C", "B"))


async def test_two_at_once_never_make_a_circle(database: Database, venue: Venue, room: Resource) -> None:
    """One of the venue and one of its resource, each of which alone would be allowed: one of them is refused."""
    for code in ("A", "B"):
        await put(database, TaxRule, of(venue), **tax(code))
    for _ in range(5):
        both = await asyncio.gather(
            put(database, TaxRule, of(venue), **tax("A", "B"), priority=1),
            put(database, TaxRule, key_of(room), **tax("B", "A"), priority=1),
            return_exceptions=True,
        )
        refused = [one for one in both if isinstance(one, InvalidInput)]
        made = [one for one in both if isinstance(one, TaxRule)]
        assert (len(refused), len(made)) == (1, 1)
        await take_away(database, TaxRule, key_of_setting(made[0]))


async def test_without_the_locks_they_do(
    database: Database, venue: Venue, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: rounds are played until it happens."""

    async def unlocked(*_: object) -> None:
        return None

    monkeypatch.setattr("engine.price_settings.lock", unlocked)
    for code in ("A", "B"):
        await put(database, TaxRule, of(venue), **tax(code))
    for _ in range(ROUNDS_MAX):
        both = await asyncio.gather(
            put(database, TaxRule, of(venue), **tax("A", "B"), priority=1),
            put(database, TaxRule, key_of(room), **tax("B", "A"), priority=1),
            return_exceptions=True,
        )
        made = [one for one in both if isinstance(one, TaxRule)]
        if len(made) == 2:
            return
        await take_away(database, TaxRule, key_of_setting(made[0]))
    pytest.fail("the race was never met")


async def test_a_resource_of_another_venue_has_taxes_of_its_own(
    database: Database, venue: Venue, room: Resource
) -> None:
    await put(database, TaxRule, of(venue), **tax("VAT"))
    other = await make_resource(database)
    assert (await facts_of(database, other)).stored_taxes == ()
    with pytest.raises(NotFound):
        await put(database, TaxRule, ResourceKey(room.organization_id, other.id), **tax("VAT"))


async def test_a_policy_for_a_rate_plan_goes_before_one_for_all(
    database: Database, venue: Venue, room: Resource
) -> None:
    await put(database, CancellationPolicy, key_of(room), identity="HALF", parameters=HALF, priority=9)
    await put(database, CancellationPolicy, of(venue), identity="NONE", parameters={"plans": ["NON_REFUNDABLE"]})
    policies = (await facts_of(database, room)).policies
    standard, strict = policies.on(DAY, "STANDARD"), policies.on(DAY, "NON_REFUNDABLE")
    assert standard is not None
    assert strict is not None
    assert (len(standard.steps), len(strict.steps)) == (1, 0)
