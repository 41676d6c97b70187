"""Promo codes of a venue: set by managers, and found good or not when a guest enters one."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict

from sqlalchemy import func
from sqlmodel import col, select

from engine import authority, fields
from engine.idempotency import commit_once
from engine.price_fields import check_valid, checked_code
from engine.price_history import content_of, written
from engine.viewer import Role, Viewer
from models import civil
from models.database import Database, WriteSession
from models.errors import InvalidInput, PromoCodeInvalid
from models.keys import PriceKey, VenueKey
from models.ledger.requests import Command
from models.price import PromoCode
from models.queries.prices import read_promo_code, read_uses
from models.venue import Venue

CODES_MAX = 1_000
"""Promo codes of one venue."""

USES_MAX = 1_000_000


class PromoFields(TypedDict, total=False):
    """What is named is set; what is absent stays. `uses_max` None: any number of bookings."""

    code: str
    uses_max: int | None
    valid_from: date | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class SetPromoCode:
    """Change a promo code, or make one for a venue."""

    key: str
    request_hash: bytes
    target: PriceKey | VenueKey
    fields: PromoFields
    expected_version: int | None = None


async def set_promo_code(database: Database, viewer: Viewer, request: SetPromoCode) -> PromoCode:
    """Make or change it, once per key; answers with what this call made of it.

    Fewer uses than there are bookings is no error: then there are no more. Raises InvalidInput (also for a code that
    the venue has already), NotFound, VersionConflict, Unauthenticated, Forbidden, IdempotencyConflict, Busy. Locks the
    venue, or the code itself, which holds that use it lock too.
    """
    target = request.target
    name, field = ("venue", "venueId") if isinstance(target, VenueKey) else ("promo code", "promoCodeId")
    authority.require(viewer, Role.MANAGER, target.organization_id, name, field)

    async def work(session: WriteSession) -> dict[str, Any]:
        if isinstance(target, VenueKey):
            row = await _new(session, target, request, viewer.actor)
            session.add(row)
        else:
            row = await _locked(session, target, request.expected_version)
        _assign(row, request.fields, viewer.actor)
        return await written(session, row)

    done = await commit_once(
        database, Command(target.organization_id, viewer.actor, request.key, request.request_hash), work
    )
    return PromoCode.model_validate(await content_of(database, target.organization_id, done))


async def good_promo_code(
    database: Database, venue: Venue, code: str, *, now: datetime, is_used: bool = False
) -> PromoCode:
    """The promo code of this venue, if it holds now. Raises PromoCodeInvalid otherwise, and says why.

    Whether it may still be used is looked at without a lock: the ledger counts again when something is held. It may by
    a booking that uses it already (`is_used`).
    """
    organization_id = venue.organization_id
    text = code.strip().upper()
    async with database.reading(organization_id) as session:
        found = await read_promo_code(session, organization_id, venue.id, text)
        if found is None:
            raise PromoCodeInvalid("There is no such promo code.")
        key = PriceKey(organization_id, found.id)
        uses = (await read_uses(session, [key])).get(key, 0) if found.uses_max is not None and not is_used else 0
    today = civil.local_day(now, civil.zone(venue.time_zone))
    if found.valid_from is not None and today < found.valid_from:
        raise PromoCodeInvalid("This promo code does not hold yet.")
    if found.valid_until is not None and today >= found.valid_until:
        raise PromoCodeInvalid("This promo code does not hold any more.")
    if found.uses_max is not None and uses >= found.uses_max:
        raise PromoCodeInvalid("This promo code has been used as often as it may be.")
    return found


async def _new(session: WriteSession, venue: VenueKey, request: SetPromoCode, actor: str) -> PromoCode:
    if request.expected_version is not None:
        raise InvalidInput("What is yet to be made has no version.", path=("input", "expectedVersion"))
    if await session.get(Venue, venue, with_for_update={"key_share": True}) is None:
        raise authority.unknown("venue", "venueId")
    if "code" not in request.fields:
        raise InvalidInput("A new promo code needs a code.", path=("input", "code"))
    code = checked_code(request.fields["code"])
    of_venue = (PromoCode.organization_id == venue.organization_id, PromoCode.venue_id == venue.id)
    if (await session.exec(select(PromoCode.id).where(*of_venue, col(PromoCode.code) == code))).one_or_none():
        raise InvalidInput("The venue has this promo code already.", path=("input", "code"))
    count = (await session.exec(select(func.count()).select_from(PromoCode).where(*of_venue))).one()
    if count >= CODES_MAX:
        raise InvalidInput(f"There are {CODES_MAX:,} promo codes already: change one.", path=("input",))
    return PromoCode(organization_id=venue.organization_id, venue_id=venue.id, code=code, last_actor=actor)


async def _locked(session: WriteSession, key: PriceKey, expected_version: int | None) -> PromoCode:
    row = await session.get(PromoCode, key, with_for_update={"key_share": True})
    if row is None:
        raise authority.unknown("promo code", "promoCodeId")
    fields.check_version("promo code", row.version, expected_version)
    return row


def _assign(row: PromoCode, changes: PromoFields, actor: str) -> None:
    if changes.get("code", row.code) != row.code:
        raise InvalidInput("The code of a promo code does not change: make another.", path=("input", "code"))
    uses_max = changes.get("uses_max", row.uses_max)
    if uses_max is not None:
        fields.check_range("usesMax", uses_max, 1, USES_MAX)
    valid_from, valid_until = changes.get("valid_from", row.valid_from), changes.get("valid_until", row.valid_until)
    check_valid(valid_from, valid_until)
    wanted = {"uses_max": uses_max, "valid_from": valid_from, "valid_until": valid_until}
    differing = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    if differing:
        row.last_actor = actor
