"""`/`: in plain HTML, what runs here and how to ask it. Nothing on it is loaded from anywhere."""

import base64
import hashlib
import re
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from engine.timeline import EffectiveTimeline
from models.venue import Venue
from server.resources import Resources, utc_now
from server.showcase import Shown, base_url, read_examples, read_showcase

PAGE: Final = Template((Path(__file__).parent / "pages" / "home.html").read_text())
STRIP_WIDTH: Final = 700

NOTHING: Final = '<p class="faint">No venue is published yet. <code>vacancy seed</code> puts in some examples.</p>'


def _policy(html: str) -> str:
    """A Content-Security-Policy that allows this page's own style sheet, by its hash, and nothing else."""
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


POLICY: Final = _policy(PAGE.template)


async def home(request: Request) -> Response:
    """The page, with the vacancies of this moment."""
    resources: Resources = request.state.resources
    now = utc_now()
    venues = await read_showcase(resources.database, now)
    shown = await read_examples(resources.database, base_url(resources.settings), now)
    html = PAGE.substitute(
        now=f"{now:%Y-%m-%d %H:%M}",
        venues="\n".join(_venue(venue, listed) for venue, listed in venues) or NOTHING,
        ask=escape(shown.ask if shown else ""),
        watch=escape(shown.watch if shown else ""),
        hold=escape(shown.hold if shown else ""),
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


def _venue(venue: Venue, listed: list[Shown]) -> str:
    about = f"{venue.time_zone} · {venue.currency} · venue(slug: “{venue.slug}”)"
    return (
        f'<section class="venue"><h3>{escape(venue.name)}</h3><small>{escape(about)}</small>'
        f"<ul>{''.join(_resource(shown) for shown in listed)}</ul></section>"
    )


def _resource(shown: Shown) -> str:
    resource, now = shown.facts.resource, shown.timeline.steps[0]
    free = f"{now.vacancies} of {now.capacity} free now"
    return (
        f"<li><span><b>{escape(resource.name)}</b></span><span>{free}</span>"
        f"{_strip(shown.timeline, f'{resource.name}: the next seven days')}</li>"
    )


def _strip(timeline: EffectiveTimeline, title: str) -> str:
    """The steps as coloured bars from left to right."""

    def x(instant: datetime) -> float:
        return (instant - timeline.window.starts_at) / timeline.window.duration * STRIP_WIDTH

    bars = "".join(
        f'<rect class="{step.status}" x="{x(step.starts_at):.1f}" height="10"'
        f' width="{x(step.ends_at) - x(step.starts_at):.1f}"><title>{step.vacancies} of {step.capacity}</title></rect>'
        for step in timeline.steps
    )
    return (
        f'<svg viewBox="0 0 {STRIP_WIDTH} 10" preserveAspectRatio="none" shape-rendering="crispEdges" role="img"'
        f' aria-label="{escape(title)}">{bars}</svg>'
    )
