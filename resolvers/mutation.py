"""The Mutation root: a table of contents."""

import strawberry

from resolvers.booking_approve import booking_approve
from resolvers.booking_cancel import booking_cancel
from resolvers.booking_change import booking_change
from resolvers.booking_checkout import booking_checkout
from resolvers.booking_checkout_complete import booking_checkout_complete
from resolvers.booking_confirm import booking_confirm
from resolvers.booking_extend import booking_extend
from resolvers.booking_hold import booking_hold
from resolvers.booking_item_cancel import booking_item_cancel
from resolvers.booking_reject import booking_reject
from resolvers.booking_release import booking_release
from resolvers.booking_rule_remove import booking_rule_remove
from resolvers.booking_rule_set import booking_rule_set
from resolvers.cancellation_policy_remove import cancellation_policy_remove
from resolvers.cancellation_policy_set import cancellation_policy_set
from resolvers.capacity_set import capacity_set
from resolvers.price_rule_remove import price_rule_remove
from resolvers.price_rule_set import price_rule_set
from resolvers.promo_code_set import promo_code_set
from resolvers.quote_create import quote_create
from resolvers.rate_plan_remove import rate_plan_remove
from resolvers.rate_plan_set import rate_plan_set
from resolvers.resource_close import resource_close
from resolvers.resource_create import resource_create
from resolvers.resource_open import resource_open
from resolvers.resource_update import resource_update
from resolvers.series_confirm import series_confirm
from resolvers.series_hold import series_hold
from resolvers.series_release import series_release
from resolvers.tax_rule_remove import tax_rule_remove
from resolvers.tax_rule_set import tax_rule_set
from resolvers.venue_create import venue_create
from resolvers.venue_update import venue_update
from resolvers.waitlist_join import waitlist_join
from resolvers.waitlist_leave import waitlist_leave


@strawberry.type(
    description=(
        "What can be done. Each mutation has one input with an idempotencyKey, and answers with the object, or with "
        "typed errors and nothing done."
    )
)
class Mutation:
    """Every field declares who may ask, in its description and to the server."""

    quote_create = quote_create
    booking_hold = booking_hold
    booking_extend = booking_extend
    booking_release = booking_release
    booking_confirm = booking_confirm
    booking_checkout = booking_checkout
    booking_checkout_complete = booking_checkout_complete
    booking_cancel = booking_cancel
    booking_change = booking_change
    booking_item_cancel = booking_item_cancel
    booking_approve = booking_approve
    booking_reject = booking_reject
    series_hold = series_hold
    series_confirm = series_confirm
    series_release = series_release

    waitlist_join = waitlist_join
    waitlist_leave = waitlist_leave

    venue_create = venue_create
    venue_update = venue_update
    resource_create = resource_create
    resource_update = resource_update
    booking_rule_set = booking_rule_set
    booking_rule_remove = booking_rule_remove
    rate_plan_set = rate_plan_set
    rate_plan_remove = rate_plan_remove
    price_rule_set = price_rule_set
    price_rule_remove = price_rule_remove
    promo_code_set = promo_code_set
    tax_rule_set = tax_rule_set
    tax_rule_remove = tax_rule_remove
    cancellation_policy_set = cancellation_policy_set
    cancellation_policy_remove = cancellation_policy_remove
    capacity_set = capacity_set
    resource_close = resource_close
    resource_open = resource_open
