"""`python -m benchmarks.price_chart > FILE`: a month's prices of a room, as an SVG, made from the API of a server.

It asks what any guest may ask: the calendar of nights, and what a single night of each day costs, line by line. So it
shows what is charged, and which price rules have made it so.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape
from typing import Any, Final, NamedTuple

import httpx

ANSWER_SECONDS_MAX: Final = 30.0
DAYS_MAX: Final = 62
ROOM: Final = """
query Room($venue: String!) {
  venue(slug: $venue) { name currency resources(first: 100) { edges { node { id slug name } } } }
}
"""
CALENDAR: Final = """
query Month($room: ID!, $from: Date!, $to: Date!) {
  node(id: $room) { ... on Resource { calendar(from: $from, to: $to) { date bookable priceFrom { amount text } } } }
}
"""
NIGHT: Final = """
query Night($input: QuoteInput!) { quote(input: $input) { quote { lines { label rule } } errors { code } } }
"""

WIDTH: Final = 960
HEIGHT: Final = 380
LEFT: Final = 62
TOP: Final = 56
BOTTOM: Final = 86
COLORS: Final = ("#2b6cb0", "#dd6b20", "#2f855a", "#805ad5", "#b83280", "#718096")
"""One for each set of rules that some night is priced by; those that come last share the last."""


class Night(NamedTuple):
    """A day of the calendar: the price from which it can be had, and the names of the rules in it."""

    day: date
    amount: int
    text: str
    rules: tuple[str, ...]


def main() -> None:
    """Ask, and print the SVG. Ends with a message if the server does not answer, or has no such room."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.price_chart", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000/graphql", help="the server's GraphQL")
    parser.add_argument("--venue", default="casa-do-mirante", help="its slug")
    parser.add_argument("--room", default=None, help="the resource's slug; the first of the venue if none is given")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, help="the first night")
    parser.add_argument("--days", type=int, default=31, help=f"how many, at most {DAYS_MAX}")
    given = parser.parse_args()
    with httpx.Client(timeout=ANSWER_SECONDS_MAX) as client:
        venue = _ask(client, given.url, ROOM, venue=given.venue)["venue"]
        rooms = [edge["node"] for edge in venue["resources"]["edges"]] if venue else []
        room = next((one for one in rooms if given.room in (None, one["slug"])), None)
        if room is None:
            parser.error("there is no such room")
        nights = list(_nights(client, given.url, room["id"], given.first, min(given.days, DAYS_MAX)))
    print(svg(f"{room['name']}, {venue['name']}: prices for a night", nights))


def _ask(client: httpx.Client, url: str, document: str, **variables: object) -> Any:
    answer = client.post(url, json={"query": document, "variables": variables}).raise_for_status().json()
    if "errors" in answer:
        sys.exit(f"{url}: {answer['errors'][0]['message']}")
    return answer["data"]


def _nights(client: httpx.Client, url: str, room: str, first: date, count: int) -> Iterator[Night]:
    """The days that have a price."""
    until = first + timedelta(days=count)
    found = _ask(client, url, CALENDAR, room=room, **{"from": first.isoformat(), "to": until.isoformat()})
    for one in found["node"]["calendar"]:
        if one["priceFrom"] is None:
            continue
        day = date.fromisoformat(one["date"])
        stay = {"arrival": day.isoformat(), "departure": (day + timedelta(days=1)).isoformat()}
        quote = _ask(client, url, NIGHT, input={"items": [{"resourceId": room, "stay": stay}]})["quote"]["quote"]
        rules = tuple(line["label"] for line in quote["lines"] if line["rule"] is not None) if quote else ()
        yield Night(day, one["priceFrom"]["amount"], one["priceFrom"]["text"], rules)


def svg(title: str, nights: Sequence[Night]) -> str:
    """A bar for each night, of the color of the rules that it is priced by; all whole pixels. Pure."""
    if not nights:
        sys.exit("nothing of it has a price")
    most = max(night.amount for night in nights)
    step = (WIDTH - LEFT - 10) // len(nights)
    kinds = list(dict.fromkeys(night.rules for night in nights))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="11"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
        *_scale(nights, most),
        *(_bar(night, LEFT + n * step, step, most, _color(kinds, night)) for n, night in enumerate(nights)),
        *_legend(kinds),
        "</svg>",
    ]
    return "\n".join(parts)


def _height(amount: int, most: int) -> int:
    return amount * (HEIGHT - TOP - BOTTOM) // max(most, 1)


def _color(kinds: Sequence[tuple[str, ...]], night: Night) -> str:
    return COLORS[min(kinds.index(night.rules), len(COLORS) - 1)]


def _scale(nights: Sequence[Night], most: int) -> Iterator[str]:
    """The lowest and the highest price, each with its line."""
    lowest = min(nights, key=lambda night: night.amount)
    highest = next(night for night in nights if night.amount == most)
    for night in (lowest, highest) if lowest.amount < most else (highest,):
        y = HEIGHT - BOTTOM - _height(night.amount, most)
        yield f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - 10}" y2="{y}" stroke="#cbd5e0"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(night.text)}</text>'


def _bar(night: Night, x: int, step: int, most: int, color: str) -> str:
    height, foot = _height(night.amount, most), HEIGHT - BOTTOM
    told = escape(f"{night.day:%a %d %b %Y}: {night.text} {', '.join(night.rules)}".rstrip())
    weekday = f"{night.day:%a}"[:2]
    return (
        f'<g><title>{told}</title><rect x="{x + 2}" y="{foot - height}" width="{step - 4}" height="{height}" '
        f'fill="{color}"/><text x="{x + step // 2}" y="{foot + 14}" text-anchor="middle">{night.day.day}</text>'
        f'<text x="{x + step // 2}" y="{foot + 27}" text-anchor="middle" fill="#718096">{weekday}</text></g>'
    )


def _legend(kinds: Sequence[tuple[str, ...]]) -> Iterator[str]:
    shown = list(dict.fromkeys(min(n, len(COLORS) - 1) for n in range(len(kinds))))
    for place, n in enumerate(shown):
        names = " + ".join(kinds[n]) or "the rate plan alone"
        label = "others" if n == len(COLORS) - 1 and len(kinds) > len(COLORS) else names
        x, y = LEFT + place % 3 * 300, HEIGHT - 36 + place // 3 * 18
        yield f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{COLORS[n]}"/>'
        yield f'<text x="{x + 18}" y="{y}">{escape(label)}</text>'


if __name__ == "__main__":
    main()
