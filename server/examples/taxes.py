"""Taxes of the example venues: examples, and no legal advice. docs/taxes.md tells the source of each, and what is open.

Whoever runs a venue has to know what is owed there, and sets it with taxRuleSet.
"""

from datetime import date

from engine.money import Percent as Rate
from engine.taxes.amount import AgeBand
from engine.taxes.base import TaxCollection
from engine.taxes.per_person_night import PerPersonNight
from engine.taxes.percent import Percent
from server.examples.kinds import ExampleTax

# 4.00 for each night and guest of 13 years or more, for at most seven nights of a stay; 2.00 before September 2024.
_TOURIST_TAX = "Taxa Municipal Turística"
_RISE = date(2024, 9, 1)


def _tourist_tax(cents: int) -> PerPersonNight:
    return PerPersonNight(
        code="TMT",
        collect=TaxCollection.AT_VENUE,
        amount=cents,
        max_nights=7,
        bands=(AgeBand(max_age=12, amount=0),),
        exempt_types=("MEDICAL",),
    )


LISBON_GUESTHOUSE = (
    ExampleTax("IVA", Percent(code="IVA", rate=Rate.parse("6"), included=True)),
    ExampleTax(_TOURIST_TAX, _tourist_tax(200), valid_from=date(2019, 1, 1), valid_until=_RISE),
    ExampleTax(_TOURIST_TAX, _tourist_tax(400), valid_from=_RISE),
)

# Shared spaces sell to businesses: prices are told without it.
ALGIERS_SPACES = (ExampleTax("TVA", Percent(code="TVA", rate=Rate.parse("19"))),)

LORD_HOWE_TOURS = (ExampleTax("GST", Percent(code="GST", rate=Rate.parse("10"), included=True)),)
