"""Price, taxes, payments and terms of a booking together, with their arithmetic; and that parts make the whole."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from engine.cancellation.deciding import PolicySet, SetPolicy, parse
from engine.cancellation.payments import Due
from engine.cancellation.refunds import refund
from engine.costs import Cost, CostItem, cost_of
from engine.facts import ResourceFacts
from engine.pricing.charges import Charge, ChargeKind, PricedItem
from engine.rules.base import GuestCount, RuleRequest
from engine.rules.deciding import RuleSet
from engine.taxes.deciding import NO_TAXES, TaxSet
from models import civil
from models.base import new_id
from models.errors import NotPriced
from models.resource import AvailabilityType, Resource
from models.venue import Venue
from tests.engine.taxes.examples import amount, percent, set_taxes

ARRIVAL = date(2026, 6, 10)
LISBON = civil.zone("Europe/Lisbon")
BOOKED_AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
EVERYTHING = set_taxes(
    percent("6", "IVA", included=True),
    percent("10", "SERVICE"),
    amount("PER_PERSON_NIGHT", 400, "TMT", collect="AT_VENUE"),
    amount("PER_STAY", 300, "FEE"),
)


def policies(*all_: dict[str, Any]) -> PolicySet:
    return PolicySet(tuple(SetPolicy(code="P", policy=parse(one), age=n) for n, one in enumerate(all_)))


def facts_with(taxes: TaxSet = NO_TAXES, agreed: PolicySet | None = None) -> ResourceFacts:
    organization_id = new_id()
    venue = Venue(
        organization_id=organization_id, slug="v", name="V", time_zone=LISBON.key, currency="EUR", country="PT"
    )
    resource = Resource(
        organization_id=organization_id,
        venue_id=venue.id,
        slug="r",
        name="R",
        capacity=1,
        availability_type=AvailabilityType.NIGHTLY,
    )
    return ResourceFacts(
        resource=resource,
        venue=venue,
        stored_rules=(),
        requirements=(),
        rules=RuleSet((), resource.availability_type),
        version=0,
        taxes=taxes,
        policies=agreed or PolicySet(),
    )


def item(facts: ResourceFacts, nights: Sequence[int], *, fee: int = 0, plan: str = "STANDARD") -> CostItem:
    """Two guests, from 15:00 on 10 June to 11:00, so many nights at these prices, and a fee once."""
    departure = ARRIVAL + timedelta(days=len(nights))
    request = RuleRequest(
        civil.night(ARRIVAL, departure, time(15), time(11), LISBON),
        (ARRIVAL, departure),
        1,
        None,
        (GuestCount("ADULT", 2),),
    )
    charges = [
        Charge(0, ARRIVAL + timedelta(days=n), ChargeKind.NIGHT, 1, price, price, "Night")
        for n, price in enumerate(nights)
    ]
    if fee:
        charges.append(Charge(0, ARRIVAL, ChargeKind.BOOKING, 1, fee, fee, "Cleaning"))
    return CostItem(facts, request, PricedItem.of(charges, plan))


def cost(*items: CostItem) -> Cost:
    return cost_of(items, booked_at=BOOKED_AT)


def test_all_of_it_together() -> None:
    """Two nights at 106.00, with 6 % included: 212.00, of which 200.00 without tax.

    The service is 10 % of 200.00 = 20.00. The tourist tax is 2 × 2 × 4.00 = 16.00 at the venue, and the fee 3.00 now.
    Half of 212.00 + 20.00 is due now, 116.00; the rest and the fee two weeks before: 116.00 + 3.00.
    """
    half = {"steps": [{"hoursBefore": 24, "nights": 1}], "deposit": {"percent": "50"}, "balance": {"daysBefore": 14}}
    found = cost(item(facts_with(EVERYTHING, policies(half)), [10_600, 10_600]))
    assert (found.subtotal, found.tax, found.total) == (21_200, 2_000 + 1_600 + 300, 25_100)
    assert found.taxes.included == 1_200
    assert (found.due_now, found.due_at_venue) == (11_600, 1_600)
    assert found.due_later == (Due(datetime(2026, 5, 27, 14, tzinfo=UTC), 11_600 + 300),)
    # All but the first night, which is half of 232.00, and the fee whole: 235.00 - 116.00.
    assert refund(found.terms, BOOKED_AT) == 11_900
    assert refund(found.terms, datetime(2026, 6, 9, 14, tzinfo=UTC)) == 300


def test_without_taxes_and_policies_the_price_is_due_and_comes_back() -> None:
    found = cost(item(facts_with(), [10_000, 5_000], fee=2_000))
    assert (found.subtotal, found.tax, found.total, found.due_now) == (17_000, 0, 17_000, 17_000)
    assert refund(found.terms, BOOKED_AT) == 17_000


def test_what_is_charged_on_arrival_is_kept_with_the_first_night() -> None:
    kept = policies({"steps": [{"hoursBefore": 0, "nights": 1}]})
    found = cost(item(facts_with(NO_TAXES, kept), [10_000, 5_000], fee=2_000))
    assert refund(found.terms, BOOKED_AT) == 5_000


def test_the_policy_goes_by_the_rate_plan() -> None:
    agreed = policies({"plans": ["SAVER"]}, {"steps": [{"hoursBefore": 0, "refund": "100"}]})
    facts = facts_with(NO_TAXES, agreed)
    assert refund(cost(item(facts, [10_000])).terms, BOOKED_AT) == 10_000
    assert refund(cost(item(facts, [10_000], plan="SAVER")).terms, BOOKED_AT) == 0


def test_what_can_not_be_read_has_no_price() -> None:
    unreadable = PolicySet((SetPolicy(code="GONE", policy=None),))
    with pytest.raises(NotPriced, match="GONE"):
        cost(item(facts_with(NO_TAXES, unreadable), [10_000]))
    with pytest.raises(NotPriced, match="WINDOW_TAX"):
        cost(item(facts_with(TaxSet((), ("WINDOW_TAX",))), [10_000]))


def test_parts_make_the_whole() -> None:
    chance = random.Random("costs")
    for _ in range(400):
        agreed = policies(
            {
                "steps": [{"hoursBefore": chance.randint(0, 900), "refund": chance.choice(("0", "33.3", "100"))}],
                "deposit": chance.choice(({"percent": "33.3"}, {"amount": 5_000}, {"nights": 1})),
                **({"balance": {"daysBefore": chance.randint(0, 60)}} if chance.random() < 0.7 else {}),
            }
        )
        facts = facts_with(chance.choice((EVERYTHING, NO_TAXES)), agreed)
        items = [
            item(facts, [chance.randint(0, 20_000) for _ in range(chance.randint(1, 5))], fee=chance.randint(0, 3_000))
            for _ in range(chance.randint(1, 3))
        ]
        found = cost(*items)
        later = sum(due.amount for due in found.due_later)
        assert found.due_now + later + found.due_at_venue == found.total == found.subtotal + found.tax
        assert found.terms.total + found.taxes.added_at_venue == found.total
        for days in (-40, -1, 0, 1):
            at = datetime(2026, 6, 10, 14, tzinfo=UTC) + timedelta(days=days)
            assert 0 <= refund(found.terms, at) <= found.terms.total
