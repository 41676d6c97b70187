"""A simulator for every test: a process for all of a run, which forgets everything in between."""

from collections.abc import AsyncIterator, Iterator

import pytest
import stripe

from tests.support.payments import Simulator, simulator_process


@pytest.fixture(scope="session")
def simulator_url() -> Iterator[str]:
    with simulator_process() as (url, _):
        yield url


@pytest.fixture
async def simulator(simulator_url: str) -> AsyncIterator[Simulator]:
    async with Simulator(simulator_url) as simulator:
        await simulator.tell("/reset")
        yield simulator


@pytest.fixture
async def client(simulator: Simulator) -> stripe.StripeClient:
    """stripe-python, which tries nothing twice."""
    return simulator.client()
