"""An operation of the API: its place, its parameters, and the function that carries it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from payments.simulator.documents import Document
from payments.simulator.parameters import COMMON, Parameters
from payments.simulator.world import World


class Call(NamedTuple):
    """One request: the names in its path, its parameters, and how the caller is known."""

    path: dict[str, str]
    params: dict[str, Any]
    base_url: str
    """Where the simulator is, as the caller reached it: next_action points there."""

    client_secret: str | None = None
    """Set exactly if the caller has the publishable key only: then it opens one intent, and nothing else."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint. `publishable`: it can be called with the publishable key, as Stripe.js does."""

    method: str
    path: str
    run: Callable[[World, Call], Document]
    parameters: Parameters
    publishable: bool = False

    @property
    def name(self) -> str:
        """How faults and the log of requests name it: `POST /v1/payment_intents/{id}/capture`."""
        return f"{self.method} {self.path}"


def get(path: str, run: Callable[[World, Call], Document], parameters: Parameters = COMMON) -> Operation:
    """An operation that only looks."""
    return Operation("GET", path, run, parameters)


def post(path: str, run: Callable[[World, Call], Document], parameters: Parameters) -> Operation:
    """An operation that does something."""
    return Operation("POST", path, run, parameters)


def delete(path: str, run: Callable[[World, Call], Document]) -> Operation:
    """An operation that removes something."""
    return Operation("DELETE", path, run, {})
