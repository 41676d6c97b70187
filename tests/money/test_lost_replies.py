"""The provider fails in every way at every call of a payment, and the guest asks again: charged once, or not at all."""

import itertools
from typing import Final

import pytest

from models.errors import BookingError, PaymentUnavailable
from tests.money.till import PRICE, Fate, Till, check_out
from tests.support.checkouts import VISA
from tests.support.staff import fresh_key

FAULTS: Final = ("lost_before", "lost_after", "error_before", "error_after", "rate_limited")
CALLS: Final = (
    "POST /v1/payment_intents",
    "POST /v1/payment_intents/*/confirm",
    "POST /v1/payment_intents/*/capture",
    "GET /v1/payment_intents/*",
)
ASKED_MAX: Final = 4


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_lost_reply_charges_once(till: Till, fault: str) -> None:
    """Once, and twice in a row; but of making an intent, which has no more than two keys, what fails is remembered."""
    for call, times in itertools.product(CALLS, (1, 2)):
        if (fault, call, times) == ("error_after", CALLS[0], 2):
            continue
        booking, key = await till.hold(), fresh_key()
        await till.simulator.fault(fault, call, count=times)
        for _ in range(ASKED_MAX):
            try:
                done = await check_out(till.database, till.gateway, booking, key=key, method=VISA)
            except BookingError as error:
                if not error.retryable:
                    raise
            else:
                assert done.error is None
                break
        await till.let_time_pass()
        await till.work_off()
        assert await till.fate_of(booking) == Fate("CONFIRMED", "CAPTURED", PRICE, 0), (call, times)
        await till.simulator.raw("DELETE", "/simulator/faults")


async def test_what_can_not_be_made_for_a_day_is_not_booked(till: Till) -> None:
    """The provider fails at both keys of an intent, and will say so for a day: nobody is charged, and the hold ends."""
    booking = await till.hold()
    await till.simulator.fault("error_after", CALLS[0], count=2)
    for _ in range(ASKED_MAX):
        with pytest.raises(PaymentUnavailable):
            await check_out(till.database, till.gateway, booking, method=VISA)
    await till.run_out(booking)
    await till.work_off()
    assert await till.fate_of(booking) == Fate("EXPIRED", "VOID", 0, 0)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_lost_reply_lets_go_what_is_not_booked(till: Till, fault: str) -> None:
    booking = await till.hold()
    await till.open(booking)
    await till.run_out(booking)
    await till.simulator.fault(fault, "POST /v1/payment_intents/*/cancel", count=2)
    for _ in range(ASKED_MAX):
        await till.let_time_pass()
        await till.work_off()
    assert await till.fate_of(booking) == Fate("EXPIRED", "VOID", 0, 0)
