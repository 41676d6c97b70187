"""What bookingCheckout and bookingCheckoutComplete tell beside the booking: why it is not paid, with alternatives."""

from engine.checkout import CheckedOut
from engine.late import asked_again
from models.errors import SoldOut
from schema.context import Info
from schema.errors import UserError, user_errors


async def checkout_errors(info: Info, done: CheckedOut) -> list[UserError]:
    """None, or the reason; of what was sold while the guest paid, what else could be booked."""
    if done.error is None:
        return []
    is_gone = isinstance(done.error, SoldOut)
    return user_errors(done.error, await asked_again(info.context.database, done.money.record) if is_gone else ())
