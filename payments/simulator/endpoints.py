"""The table of contents of the API: every operation, each in the file of its noun."""

from typing import Final

from payments.simulator import (
    charges,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    refunds,
    tax_calculations,
    tax_transactions,
    webhook_endpoints,
)
from payments.simulator.operations import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *payment_intents.OPERATIONS,
    *refunds.OPERATIONS,
    *charges.OPERATIONS,
    *disputes.OPERATIONS,
    *customers.OPERATIONS,
    *payment_methods.OPERATIONS,
    *tax_calculations.OPERATIONS,
    *tax_transactions.OPERATIONS,
    *events.OPERATIONS,
    *webhook_endpoints.OPERATIONS,
)
