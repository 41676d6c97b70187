"""The platform's own limits: no rule widens them, and what they refuse has cost nothing yet.

They have the shape of rules (a request and facts in, nothing or a Refusal out) but are not stored: the same for all.
"""

from datetime import timedelta

from engine.rules.base import Refusal, RuleFacts, RuleRequest
from engine.rules.weeks import FIRST_YEAR, LAST_YEAR
from models import civil
from models.errors import InvalidInput
from models.interval import Interval

DURATION_DAYS_MAX = 366
HORIZON_DAYS_MAX = 730
WINDOW_DAYS_MAX = 366
QUANTITY_MIN, QUANTITY_MAX = 1, 10_000
ITEMS_MIN, ITEMS_MAX = 1, 20


def evaluate(request: RuleRequest, facts: RuleFacts) -> list[Refusal]:
    """Every limit that the request is over, in the order: quantity, duration, past, horizon."""
    found = (limit(request, facts) for limit in (quantity, duration, past, horizon))
    return [refusal for refusal in found if refusal is not None]


def quantity(request: RuleRequest, facts: RuleFacts) -> Refusal | None:
    """From 1 to 10,000, else INVALID_INPUT."""
    return _count("quantity", request.quantity, QUANTITY_MIN, QUANTITY_MAX)


def duration(request: RuleRequest, facts: RuleFacts) -> Refusal | None:
    """At most 366 days, and for a stay 366 nights, else TOO_LONG."""
    if request.stay is not None:
        arrival, departure = request.stay
        too_long = (departure - arrival).days > DURATION_DAYS_MAX
    else:
        too_long = request.interval.duration > timedelta(days=DURATION_DAYS_MAX)
    if not too_long:
        return None
    return Refusal(
        code="TOO_LONG",
        message=f"At most {DURATION_DAYS_MAX} days can be booked at once.",
        parameters={"days": DURATION_DAYS_MAX},
    )


def past(request: RuleRequest, facts: RuleFacts) -> Refusal | None:
    """Not before now, and for a stay not before today's date in the venue's zone, else TOO_SOON.

    A guest may still arrive today when check-in time is over.
    """
    if request.stay is not None:
        today = civil.local_day(facts.now, facts.zone)
        earliest = today.isoformat() if request.stay[0] < today else None
    else:
        too_soon = request.interval.starts_at < facts.now
        earliest = civil.local_text(facts.now, facts.zone) if too_soon else None
    if earliest is None:
        return None
    return Refusal(
        code="TOO_SOON",
        message="This time has begun or is over.",
        parameters={"earliest": earliest},
    )


def horizon(request: RuleRequest, facts: RuleFacts) -> Refusal | None:
    """Starts at most 730 days ahead, for a stay counted from today's date in the venue's zone, else TOO_FAR."""
    ahead = timedelta(days=HORIZON_DAYS_MAX)
    if request.stay is not None:
        last_day = civil.local_day(facts.now, facts.zone) + ahead
        latest = last_day.isoformat() if request.stay[0] > last_day else None
    else:
        last_start = facts.now + ahead
        latest = civil.local_text(last_start, facts.zone) if request.interval.starts_at > last_start else None
    if latest is None:
        return None
    return Refusal(
        code="TOO_FAR",
        message=f"At most {HORIZON_DAYS_MAX} days ahead can be booked.",
        parameters={"latest": latest},
    )


def items(count: int) -> Refusal | None:
    """One booking has 1 to 20 items, else INVALID_INPUT."""
    return _count("number of items", count, ITEMS_MIN, ITEMS_MAX)


def window(interval: Interval) -> Refusal | None:
    """What is looked at in one question: at most 366 days from one in 1970 to 2200, else INVALID_INPUT."""
    if interval.duration > timedelta(days=WINDOW_DAYS_MAX):
        return Refusal(
            code=InvalidInput.code,
            message=f"The window is longer than {WINDOW_DAYS_MAX} days: ask for a shorter one.",
            parameters={"days": WINDOW_DAYS_MAX},
        )
    if not FIRST_YEAR <= interval.starts_at.year <= LAST_YEAR:
        return Refusal(
            code=InvalidInput.code,
            message=f"The window does not start in the years {FIRST_YEAR} to {LAST_YEAR}.",
            parameters={"earliest": FIRST_YEAR, "latest": LAST_YEAR},
        )
    return None


def _count(noun: str, count: int, minimum: int, maximum: int) -> Refusal | None:
    if minimum <= count <= maximum:
        return None
    return Refusal(
        code=InvalidInput.code,
        message=f"The {noun} must be from {minimum} to {maximum}.",
        parameters={"minimum": minimum, "maximum": maximum},
    )
