"""What stories ask of the example venues, and how they read what they are told."""

from datetime import UTC, datetime, timedelta

from tests.e2e.clients import Client, Json

VENUE = """
query($slug: String!) { venue(slug: $slug) { id name timeZone currency organization { slug }
  resources(first: 100) { edges { node { id slug name availabilityType sharing capacity version
    requirements { resource { slug } perUnit perBooking } rules { type } } } } } }
"""
SLOTS = """
query($id: ID!, $window: WindowInput!, $minutes: Int, $quantity: Int) { node(id: $id) { ... on Resource {
  slots(window: $window, durationMinutes: $minutes, quantity: $quantity)
    { startsAt endsAt localStart capacity vacancies status bookable refusals { code } } } } }
"""
AVAILABILITY = """
query($input: AvailabilityInput!) { availability(input: $input) { resource { slug } startsAt endsAt capacity vacancies
  status bookable version refusals { code message parameters } alternatives { startsAt endsAt bookable } } }
"""
MY_BOOKINGS = """
query($filter: BookingFilter) { viewer { role organization { slug } }
  bookings(first: 100, filter: $filter) { edges { node { id reference customer status } } pageInfo { hasNextPage } } }
"""
ONE_BOOKING = "query($id: ID, $token: String) { booking(id: $id, token: $token) { id status } }"


def resources_of(venue: Json) -> dict[str, Json]:
    """Its resources by slug; `venue` as VENUE asks for it."""
    return {edge["node"]["slug"]: edge["node"] for edge in venue["resources"]["edges"]}


async def free_slot(client: Client, resource_id: str, *, minutes: int, quantity: int) -> Json:
    """The first time from tomorrow on at which so many can be had."""
    asked = {"id": resource_id, "window": days_ahead(1, 15), "minutes": minutes, "quantity": quantity}
    found: list[Json] = (await client.ask(SLOTS, **asked))["node"]["slots"]
    return next(slot for slot in found if slot["bookable"])


async def availability_of(client: Client, resource_id: str, window: Json, quantity: int = 1) -> Json:
    """What is left of one resource in a window."""
    asked = {"resourceIds": [resource_id], "window": window, "quantity": quantity}
    found: Json = (await client.ask(AVAILABILITY, input=asked))["availability"][0]
    return found


def least_of(change: Json) -> int:
    """The vacancies at the fullest instant of what was pushed."""
    return min(int(step["vacancies"]) for step in change["steps"])


def item_of(resource_id: str, window: Json, quantity: int = 1) -> Json:
    """An item of bookingHold."""
    return {"resourceId": resource_id, "window": window, "quantity": quantity}


def window_of(slot: Json) -> Json:
    """The slot's time, as it is asked for."""
    return {"startsAt": slot["startsAt"], "endsAt": slot["endsAt"]}


def days_ahead(first: int, last: int) -> Json:
    """The window from so many days from now to so many."""
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return {
        "startsAt": (today + timedelta(days=first)).isoformat(),
        "endsAt": (today + timedelta(days=last)).isoformat(),
    }
