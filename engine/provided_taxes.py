"""What a booking costs where a tax provider has a say: asked once, before anything is written."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from engine.costs import Cost, CostItem, cost_of, taxed_items
from engine.payment import PaymentRefused, PaymentUnavailable
from engine.ports import TaxProvider
from engine.taxes.bill import ComesBack, TaxBill, TaxCalculation, TaxKey, bill_of, provided_of
from models.errors import NotPriced, TaxUnavailable

logger = logging.getLogger(__name__)


async def cost_with_taxes(provider: TaxProvider, items: Sequence[CostItem], *, booked_at: datetime) -> Cost:
    """What `cost_of` says, with what the provider counts, which is asked only where a venue leaves that to one.

    No transaction may be open: the provider is asked over the network. Raises TaxUnavailable where it does not answer,
    NotPriced where it can not tell, InvalidInput for items in several places, and what `cost_of` raises.
    """
    venues = [item.facts.venue for item in items]
    bill = bill_of(taxed_items(items), [venue.country for venue in venues], venues[0].currency)
    if bill is None:
        return cost_of(items, booked_at=booked_at)
    try:
        provided = provided_of(bill, await provider.calculate(bill))
    except PaymentUnavailable as error:
        raise TaxUnavailable("The tax can not be told just now: ask again.") from error
    except (PaymentRefused, ValueError) as error:
        logger.warning("the tax provider can not tell a tax in %s: %s", bill.place.country, error)
        raise NotPriced("The tax provider can not tell what is owed for this.") from error
    return cost_of(items, booked_at=booked_at, provided=provided)


class NoTaxProvider:
    """The port TaxProvider where none is set up: taxes are those of the venues' own tables."""

    async def calculate(self, bill: TaxBill) -> TaxCalculation:
        """Nobody to ask."""
        raise _nobody()

    async def record(self, calculation: str, key: TaxKey) -> str:
        """Nobody to tell."""
        raise _nobody()

    async def reverse(self, recorded: str, key: TaxKey, comes_back: ComesBack | None) -> str:
        """Nobody to tell."""
        raise _nobody()


def _nobody() -> PaymentRefused:
    return PaymentRefused("no_tax_provider", "No tax provider is set up")


NO_TAX_PROVIDER: Final = NoTaxProvider()
