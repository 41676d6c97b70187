"""What a booking costs after a part of it was cancelled, or after it was changed: new quotes, made of the ones before.

Pure functions of what was agreed on, of the part and of an instant. What was sold is not priced again for what is left
of it: each line, tax and night keeps its share, by units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from engine.cancellation.parts import kept_of_part, rest_of
from engine.cancellation.payments import Due
from engine.cancellation.stored import as_stored
from engine.cancellation.terms import Priced, Terms
from engine.costs import taxed
from engine.money import allocate
from engine.pricing.charges import Charge, ChargeKind
from engine.quote_rows import due_later_of, lines_of, stored_due, stored_line, stored_tax, taxes_of, terms_of
from engine.quotes import hash_of
from engine.taxes.base import TaxCollection, TaxLine
from models.base import new_id
from models.errors import NotPriced
from models.price import Quote

CANCELLED = "Cancelled"
BEFORE = "Kept of what was cancelled or changed"


@dataclass(frozen=True, slots=True)
class Part:
    """So many units of an item, which has `of`; `guests` are who is left, as in `models.booking.BookingItem`."""

    position: int
    quantity: int
    of: int
    guests: Sequence[dict[str, Any]] | None = None

    @property
    def share(self) -> tuple[int, int]:
        """What is left of it, and of how many units."""
        return self.of - self.quantity, self.of


class Before(NamedTuple):
    """What a booking owes of before a change: see `engine.cancellation.terms.Terms`."""

    kept: int = 0
    least: int = 0


def without_part(quote: Quote, part: Part, at: datetime, *, is_owed: bool) -> Quote:
    """The quote of what is left when a part is cancelled at this instant. `quote` is not altered.

    Of the part the venue keeps what it keeps of the whole item then and not of the rest; where nothing is owed yet
    (`is_owed`), nothing. What is to be paid becomes less from the end: what is due at the venue, then the latest.
    Nobody else can hold by it: it is the price of what was sold before.
    Raises NotPriced for a quote of which it can not be told what the item costs, or of which a tax provider has counted
    taxes: it knows of the whole, and is asked anew when the booking is changed to what is left.
    """
    sold = [line for line in lines_of(quote) if line.kind is not ChargeKind.KEPT]
    place = _place(quote, sold, part)
    terms, taxes = terms_of(quote), taxes_of(quote)
    kept = 0
    if any(line.calculation is not None for line in taxes):
        raise NotPriced("The taxes of this booking were counted elsewhere: change it to what is to be left.")
    if place is not None:
        taxes = [_without(line, place, part.share) for line in taxes]
        sold = _with_cancelled(sold, part)
        subtotal = sum(line.amount for line in sold if line.item == part.position)
        whole = terms.items[place]
        rest = rest_of(whole, _priced(whole.priced, subtotal, taxes, place), part.share)
        kept = kept_of_part(whole, rest, at) if is_owed else 0
        items = (*terms.items[:place], rest, *terms.items[place + 1 :])
        terms = replace(terms, items=items, kept_before=terms.kept_before + kept)
    return _made(quote, sold, taxes, terms, at, inputs=_inputs(quote, part))


def carrying(quote: Quote, replaced: Quote, before: Before, at: datetime) -> Quote:
    """The quote of a booking that is changed at this instant, which takes the place of another one and owes what is
    owed of before. Nobody else can hold by it.

    So much is due at once, whatever was to be paid later or at the venue: it has been due already.
    """
    terms = replace(terms_of(quote), kept_before=before.kept, owed_least=before.least)
    lines = [*lines_of(quote), *_before_line(terms, quote)]
    fields = quote.model_dump(exclude={"created_at"})
    fields |= {
        "lines": [stored_line(line) for line in lines],
        "subtotal": quote.subtotal + terms.before,
        "total": quote.total + terms.before,
        **_due_at_once(quote, quote.due_now + terms.before, before.least),
        "kept_before": before.kept,
        "owed_least": before.least,
        "replaces_id": replaced.id,
        "expires_at": at.astimezone(UTC),
    }
    return Quote(**fields)


def _place(quote: Quote, sold: Sequence[Charge], part: Part) -> int | None:
    """The place of the item among those that have a price, which terms and taxes go by; None: it has none."""
    count = len(quote.terms)
    if count == len(quote.inputs["items"]):
        return part.position
    priced = sorted({line.item for line in sold})
    if len(priced) != count:
        raise NotPriced("What a part of this booking costs can not be told.")
    return priced.index(part.position) if part.position in priced else None


def _with_cancelled(sold: Sequence[Charge], part: Part) -> list[Charge]:
    """The lines, with one more that takes off what the part costs; one for all parts of an item."""
    of_item = [line for line in sold if line.item == part.position]
    _, gone = allocate(sum(line.amount for line in of_item), [part.share[0], part.quantity])
    before = sum(line.amount for line in of_item if line.kind is ChargeKind.CANCELLED)
    others = [line for line in sold if line.item != part.position or line.kind is not ChargeKind.CANCELLED]
    if not gone and not before:
        return others
    amount = before - gone
    line = Charge(part.position, of_item[0].day, ChargeKind.CANCELLED, 1, amount, amount, CANCELLED)
    return [*others, line]


def _without(line: TaxLine, place: int, share: tuple[int, int]) -> TaxLine:
    left, of = share
    rest, _ = allocate(line.by_item[place], [left, of - left])
    by_item = (*line.by_item[:place], rest, *line.by_item[place + 1 :])
    # "€4.00 × 14" was counted of all; a percentage, and the amount of one, are those of the rest as well.
    return replace(line, by_item=by_item, amount=sum(by_item), rate=line.rate.partition(" × ")[0])


def _priced(whole: Priced, subtotal: int, taxes: Sequence[TaxLine], place: int) -> Priced:
    """As `engine.costs.paid_with_booking`, of what is left."""
    price, levies = taxed(subtotal, taxes, place)
    return Priced(price, levies, tuple(allocate(price, list(whole.nights))) if whole.nights else ())


def _made(
    quote: Quote,
    sold: Sequence[Charge],
    taxes: Sequence[TaxLine],
    terms: Terms,
    at: datetime,
    *,
    inputs: dict[str, Any],
) -> Quote:
    lines = [*sold, *_before_line(terms, quote)]
    tax = sum(line.amount for line in taxes if not line.included)
    subtotal = sum(line.amount for line in lines)
    return Quote(
        organization_id=quote.organization_id,
        id=new_id(),
        currency=quote.currency,
        inputs=inputs,
        inputs_hash=hash_of(inputs),
        lines=[stored_line(line) for line in lines],
        taxes=[stored_tax(line) for line in taxes],
        terms=as_stored(terms),
        subtotal=subtotal,
        tax=tax,
        total=subtotal + tax,
        kept_before=terms.kept_before,
        owed_least=terms.owed_least,
        replaces_id=quote.id,
        promo_code_id=quote.promo_code_id,
        actor=quote.actor,
        expires_at=at.astimezone(UTC),
        **_less_due(quote, taxes, terms),
    )


def _less_due(quote: Quote, taxes: Sequence[TaxLine], terms: Terms) -> dict[str, Any]:
    """What is due when, now that the terms' total is less: from the end."""
    levied_before, levied = _at_venue(taxes_of(quote)), _at_venue(taxes)
    less = terms_of(quote).total - terms.total
    balance = quote.due_at_venue - levied_before
    off = min(balance, less)
    balance, less = balance - off, less - off
    later: list[Due] = []
    for due in sorted(due_later_of(quote), key=lambda one: one.at, reverse=True):
        off = min(due.amount, less)
        less -= off
        if due.amount > off:
            later.append(Due(due.at, due.amount - off))
    return {
        "due_now": quote.due_now - less,
        "due_later": [stored_due(due) for due in reversed(later)],
        "due_at_venue": balance + levied,
    }


def _due_at_once(quote: Quote, due_now: int, least: int) -> dict[str, Any]:
    """What is due when, with at least so much at once: of what is due next, and then at the venue."""
    missing = max(0, least - due_now)
    later: list[Due] = []
    for due in due_later_of(quote):
        sooner = min(due.amount, missing)
        due_now, missing = due_now + sooner, missing - sooner
        if due.amount > sooner:
            later.append(Due(due.at, due.amount - sooner))
    return {
        "due_now": due_now + missing,
        "due_later": [stored_due(due) for due in later],
        "due_at_venue": quote.due_at_venue - missing,
    }


def _at_venue(taxes: Sequence[TaxLine]) -> int:
    return sum(line.amount for line in taxes if not line.included and line.collect is TaxCollection.AT_VENUE)


def _before_line(terms: Terms, quote: Quote) -> list[Charge]:
    """The line of what is owed of before, if anything is: of no item, so it stands with the first."""
    if not terms.before:
        return []
    day = date.fromisoformat(quote.lines[0]["day"]) if quote.lines else quote.expires_at.date()
    return [Charge(0, day, ChargeKind.KEPT, 1, terms.before, terms.before, BEFORE)]


def _inputs(quote: Quote, part: Part) -> dict[str, Any]:
    items = [dict(item) for item in quote.inputs["items"]]
    guests = None if part.guests is None else [dict(one) for one in part.guests]
    items[part.position] |= {"quantity": part.share[0], "guests": guests}
    return quote.inputs | {"items": items}
