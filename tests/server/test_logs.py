import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from server.logs import OUTAGE_SECONDS, JsonLines, OncePerOutage, TextLines, configure_logging, request_id

CONTACT = "ada@example.com"


@pytest.fixture
def id_() -> Iterator[str]:
    token = request_id.set("a-request")
    yield "a-request"
    request_id.reset(token)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, requests, pool = (logging.getLogger(name) for name in (None, "vacancy.requests", "asyncpg.pool"))
    before, filters = (root.handlers[:], root.level, requests.level), pool.filters[:]
    yield
    pool.filters[:] = filters
    root.handlers[:], root.level, requests.level = before[0], before[1], before[2]


def logged(formatter: logging.Formatter, error: Exception | None = None, **more: Any) -> str:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(formatter)
    logger = logging.getLogger("vacancy.test_logs")
    logger.propagate = False
    logger.handlers = [handler]
    logger.warning("%s of %s", 1, "them", exc_info=error, extra=more)
    return lines.getvalue()


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 - with its trace
        return caught


def test_a_line_is_an_object_with_the_id_of_its_request(id_: str) -> None:
    line = json.loads(logged(JsonLines(), fields={"incident": "abc"}))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "WARNING",
        "logger": "vacancy.test_logs",
        "message": "1 of them",
        "request_id": id_,
        "incident": "abc",
    }


def test_outside_of_a_request_there_is_no_id() -> None:
    assert "request_id" not in json.loads(logged(JsonLines()))
    assert re.fullmatch(r"\S+Z WARNING vacancy.test_logs: 1 of them\n", logged(TextLines()))


def test_for_people_it_is_a_line_of_text(id_: str) -> None:
    assert logged(TextLines()).endswith(f"WARNING vacancy.test_logs: 1 of them [{id_}]\n")


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_an_exception_is_told_by_place_and_type_and_not_by_what_it_repeats(formatter: logging.Formatter) -> None:
    told = logged(formatter, raised(ValueError(f"{CONTACT} is no address")))
    assert "in raised" in told
    assert "builtins.ValueError" in told
    assert CONTACT not in told
    told = logged(formatter, raised(asyncpg.UniqueViolationError(f"Key (email)=({CONTACT}) already exists.")))
    assert "asyncpg.exceptions.UniqueViolationError: 23505" in told
    assert CONTACT not in told
    assert "no attribute" in logged(formatter, raised(AttributeError("no attribute")))


def test_one_object_per_line_where_no_terminal_is(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    logging.getLogger("vacancy").error("two\nlines")
    logging.getLogger("vacancy.requests").info("not wanted")
    logging.getLogger("uvicorn.error").info("not wanted")
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "two\nlines"
    configure_logging(requests=True)
    logging.getLogger("vacancy.requests").info("wanted")
    assert json.loads(capfd.readouterr().err)["message"] == "wanted"


def test_what_is_said_again_and_again_is_told_once_per_outage(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    now = 0.0
    pool = asyncpg.pool.logger
    assert any(isinstance(each, OncePerOutage) for each in pool.filters)
    pool.filters[:] = [OncePerOutage(lambda: now)]
    for pause in (1, 2, 60, OUTAGE_SECONDS, OUTAGE_SECONDS + 1, 1):
        now += pause
        pool.warning("It is down", exc_info=raised(ConnectionRefusedError(f"{CONTACT} is not there")))
    pool.warning("Something else")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    down = "It is down (builtins.ConnectionRefusedError)"
    assert [line["message"] for line in lines] == [down, down, "Something else"]
    assert not any("trace" in line for line in lines)
