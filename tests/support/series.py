"""Series as the ledger is asked for them: from ten to twelve on day after day."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from models.base import new_id
from models.interval import Interval
from models.ledger.requests import HoldItem
from models.ledger.series import HoldSeries, SeriesDate, key_of_date
from models.resource import Resource
from tests.support.factories import between, command_of, hold_of

TEN = between("10:00", "12:00")


def day(number: int) -> Interval:
    """Ten to twelve on the n-th day."""
    return Interval(TEN.starts_at + timedelta(days=number), TEN.ends_at + timedelta(days=number))


def series_of(
    resource: Resource,
    days: int = 3,
    *,
    all_or_none: bool = True,
    refused: tuple[int, ...] = (),
    quantity: int = 1,
    catalog_version: int | None = None,
    **who: Any,
) -> HoldSeries:
    """A series on so many days; those in `refused` are refused by rules."""
    command, series_id = command_of(resource.organization_id, **who), new_id()
    dates = []
    for n in range(days):
        if n in refused:
            dates.append(SeriesDate(day(n).starts_at.date(), day(n), refusals=({"code": "TOO_SOON"},)))
            continue
        asked = hold_of(resource, key=key_of_date(series_id, n))
        item = HoldItem(resource.id, day(n), quantity, catalog_version=catalog_version)
        asked = replace(asked, items=(item,), series_id=series_id, series_position=n)
        dates.append(SeriesDate(day(n).starts_at.date(), day(n), hold=asked))
    return HoldSeries(command, series_id, all_or_none, tuple(dates))
