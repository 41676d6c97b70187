"""What the business can refuse, one class per fact.

    BookingError                 every expected refusal; has a stable code
    ├── InvalidInput             INVALID_INPUT     the request itself makes no sense
    │   └── InvalidTime          INVALID_TIME      a civil time that the venue's clocks never show
    ├── NotFound                 NOT_FOUND         unknown, foreign or malformed id: no difference is shown
    ├── Unauthenticated          UNAUTHENTICATED   the call needs somebody, and nobody is there
    ├── Forbidden                FORBIDDEN         somebody is there, but may not do this
    ├── RuleViolation            (code of the rule) a rule of the venue refuses
    ├── SoldOut                  SOLD_OUT          not enough capacity at some instant of the interval
    ├── Closed                   CLOSED            the resource takes no new claims at some instant of the interval
    ├── ActivityConflict         ACTIVITY_CONFLICT another party is there, and may not be joined
    ├── HoldExpired              HOLD_EXPIRED      the hold is over, and its place may be somebody else's
    ├── HoldLimit                HOLD_LIMIT        the hold can not be extended any further
    ├── NotCancellable           NOT_CANCELLABLE   the booking is past the point where it can be cancelled
    ├── InvalidState             INVALID_STATE     the booking is not in a state in which this can be done
    ├── CapacityInUse            CAPACITY_IN_USE   capacity can not be lowered below what is taken
    ├── WaitlistFull             WAITLIST_FULL     nobody more can wait, or this party not more often
    ├── PriceChanged             PRICE_CHANGED     the price is not what was agreed to, or not any more
    ├── PromoCodeInvalid         PROMO_CODE_INVALID no such code, not now, or not any more
    ├── NotPriced                PRICE_UNAVAILABLE what it costs can not be told
    ├── TaxUnavailable           TAX_UNAVAILABLE   who counts the tax does not answer just now
    ├── NothingDue               NOTHING_DUE       there is nothing to be paid now
    ├── PaymentRequired          PAYMENT_REQUIRED  something is to be paid first
    ├── PaymentDeclined          PAYMENT_DECLINED  the last attempt to pay has failed; there may be time for another
    ├── PaymentUnavailable       PAYMENT_UNAVAILABLE money can not be collected, or not now
    ├── VersionConflict          VERSION_CONFLICT  it changed since the caller looked
    ├── IdempotencyConflict      IDEMPOTENCY_CONFLICT the key was used before for another request
    ├── Busy                     BUSY              too much at once; the same call with the same key may be repeated
    └── Refused                  (code of the first) several refusals of one request, each of the kinds above

Anything that is not a BookingError is a defect: it is logged with its trace and masked for the client.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from models.keys import QuoteKey


class InstallationError(Exception):
    """Something that is installed beside Vacancy does not fit, and it does not start: one line says what."""


class BookingError(Exception):
    """An expected refusal: `code` is for programs and never changes its meaning, `message` is for people."""

    code: str = "INVALID_INPUT"
    retryable: bool = False

    def __init__(self, message: str, *, path: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = tuple(path)


class InvalidInput(BookingError):
    """The request makes no sense as it stands; `path` names the input field."""

    code = "INVALID_INPUT"


class InvalidTime(InvalidInput):
    """A civil time that does not exist on that day in the venue's zone."""

    code = "INVALID_TIME"


class NotFound(BookingError):
    """Nothing under this id that the caller may see."""

    code = "NOT_FOUND"


class Unauthenticated(BookingError):
    """The call needs a token."""

    code = "UNAUTHENTICATED"


class Forbidden(BookingError):
    """The caller's role does not allow this."""

    code = "FORBIDDEN"


class RuleViolation(BookingError):
    """A rule of the venue refuses: `rule` names its type, `parameters` say by how much."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        rule: str,
        parameters: Mapping[str, object] | None = None,
        path: Sequence[str] = (),
    ) -> None:
        super().__init__(message, path=path)
        self.code = code
        self.rule = rule
        self.parameters = dict(parameters or {})


class SoldOut(BookingError):
    """Fewer than the asked quantity is left at the fullest instant; `vacancies` is what is left there."""

    code = "SOLD_OUT"

    def __init__(self, message: str, *, resource_id: uuid.UUID, vacancies: int, path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.resource_id = resource_id
        self.vacancies = vacancies


class Closed(BookingError):
    """The resource is closed (stop-sell) at some instant of the interval."""

    code = "CLOSED"


class ActivityConflict(BookingError):
    """The resource is in use by a party that may not be joined (SAME_ACTIVITY, EXCLUSIVE)."""

    code = "ACTIVITY_CONFLICT"


class HoldExpired(BookingError):
    """The hold is over."""

    code = "HOLD_EXPIRED"


class HoldLimit(BookingError):
    """The hold has reached the resource's ceiling."""

    code = "HOLD_LIMIT"


class NotCancellable(BookingError):
    """The booking can not be cancelled any more."""

    code = "NOT_CANCELLABLE"


class InvalidState(BookingError):
    """The booking's status does not allow this."""

    code = "INVALID_STATE"


class PriceChanged(BookingError):
    """The price is not the one that was expected, or its quote is over. `quote`: what it costs now, and until when.

    None: nothing has a price any more, or it is yet to be asked for.
    """

    code = "PRICE_CHANGED"

    def __init__(self, message: str, *, quote: QuoteKey | None = None, path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.quote = quote


class PromoCodeInvalid(BookingError):
    """There is no such promo code, it does not hold now, or it was used as often as it may be."""

    code = "PROMO_CODE_INVALID"


class NotPriced(BookingError):
    """What something costs can not be told: a plan or rule of its prices can not be read, or is of no use."""

    code = "PRICE_UNAVAILABLE"


class TaxUnavailable(BookingError):
    """The tax provider does not answer, and there is no price without its tax; nothing was done."""

    code = "TAX_UNAVAILABLE"
    retryable = True


class NothingDue(BookingError):
    """Nothing is to be paid now: it is confirmed without."""

    code = "NOTHING_DUE"


class PaymentRequired(BookingError):
    """Something is due now that is neither held nor taken."""

    code = "PAYMENT_REQUIRED"


class PaymentDeclined(BookingError):
    """The last attempt to pay has failed. `reason` is the provider's word for it, for programs.

    `until`: the places are kept so long for another attempt; None: there is no time for one.
    """

    code = "PAYMENT_DECLINED"

    def __init__(self, message: str, *, reason: str, until: datetime | None, path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.reason = reason
        self.until = until


class PaymentUnavailable(BookingError):
    """Money can not be collected: not now, where it is `retryable`; or nothing is collected here online."""

    code = "PAYMENT_UNAVAILABLE"

    def __init__(self, message: str, *, retryable: bool, path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.retryable = retryable


class CapacityInUse(BookingError):
    """Capacity would fall below what is taken; `references` name the bookings in the way (at most 20)."""

    code = "CAPACITY_IN_USE"

    def __init__(self, message: str, *, references: Sequence[str], path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.references = tuple(references)


class WaitlistFull(BookingError):
    """The waitlist takes no more entries, of anybody or of this party."""

    code = "WAITLIST_FULL"


class VersionConflict(BookingError):
    """The row moved since the caller looked; `current` is its version now."""

    code = "VERSION_CONFLICT"

    def __init__(self, message: str, *, current: int, path: Sequence[str] = ()) -> None:
        super().__init__(message, path=path)
        self.current = current


class IdempotencyConflict(BookingError):
    """The idempotency key was used before, by the same actor, for another request."""

    code = "IDEMPOTENCY_CONFLICT"


class Busy(BookingError):
    """The database did not answer in time, so nobody knows whether it was done; repeat the call with the same key."""

    code = "BUSY"
    retryable = True


class Refused(BookingError):
    """Several reasons at once: `errors` are all of them, so that a guest need not find them one by one."""

    def __init__(self, errors: Sequence[BookingError]) -> None:
        super().__init__("; ".join(error.message for error in errors), path=errors[0].path)
        self.errors = tuple(errors)
        self.code = errors[0].code
