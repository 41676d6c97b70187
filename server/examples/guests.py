"""Invented guests; every address is under example.com, which belongs to nobody (RFC 2606)."""

import random
import unicodedata
from collections.abc import Sequence

from models.ledger.requests import Contact

CUSTOMER = "customer:customer"
"""Whose some of the bookings are: of the account that `vacancy token --role customer` makes a token for."""

CUSTOMER_SHARE = 0.04
CUSTOMER_CONTACT = Contact(name="Camille Example", email="customer@example.com")

FIRST_NAMES: Sequence[str] = (
    "Amina", "Yacine", "Leïla", "Karim", "Nour", "Samir", "Inês", "Tiago", "Beatriz", "João", "Marta", "Rui",
    "Charlotte", "Jack", "Mia", "Oliver", "Ruby", "Noah", "Ada", "Émile", "Greta", "Henrik", "Sofia", "Luca",
    "Zoë", "Mateusz", "Aoife", "Kenji", "Priya", "Thandi",
)  # fmt: skip
LAST_NAMES: Sequence[str] = (
    "Benali", "Haddad", "Mansouri", "Cherif", "Belkacem", "Ziani", "Almeida", "Carvalho", "Ferreira", "Lopes",
    "Moreira", "Teixeira", "Wilson", "Thompson", "Nguyen", "Kelly", "Fraser", "Hughes", "Rossi", "Dubois", "Schäfer",
    "Lindqvist", "Nowak", "Murphy", "Tanaka", "Sharma", "Dlamini", "Okafor", "García", "Novák",
)  # fmt: skip


def guest(chance: random.Random) -> tuple[Contact, str | None]:
    """Somebody, and their customer id if they are the one with an account."""
    if chance.random() < CUSTOMER_SHARE:
        return CUSTOMER_CONTACT, CUSTOMER
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    return Contact(name=f"{first} {last}", email=f"{_plain(first)}.{_plain(last)}@example.com"), None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
