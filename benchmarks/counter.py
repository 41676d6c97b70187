"""The bare counter, to compare with: REST and one statement that counts down one row and writes another.

No intervals, no rules, no idempotency, no history, no GraphQL: about the least that can be called a booking.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.baseline import DATABASE_VARIABLE, POOL_SIZE

TABLES = """
CREATE TABLE counter (id uuid PRIMARY KEY, capacity integer NOT NULL, taken integer NOT NULL DEFAULT 0);
CREATE TABLE counted (
    id uuid PRIMARY KEY, counter_id uuid NOT NULL, quantity integer NOT NULL, contact_name text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""
HOLD = """
WITH taken AS (
    UPDATE counter SET taken = taken + $2 WHERE id = $1 AND taken + $2 <= capacity RETURNING id
)
INSERT INTO counted (id, counter_id, quantity, contact_name) SELECT $3, id, $2, $4 FROM taken RETURNING id
"""


async def hold(request: Request) -> Response:
    """Count what the body asks for, or 409."""
    asked = await request.json()
    found = await request.state.pool.fetchval(
        HOLD, uuid.UUID(asked["resourceId"]), asked["quantity"], uuid.uuid4(), asked["contact"]["name"]
    )
    if found is None:
        return JSONResponse({"error": "SOLD_OUT"}, 409)
    return JSONResponse({"id": str(found), "status": "ON_HOLD"}, 201)


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
    """The pool; it has as many connections as the others'."""
    async with asyncpg.create_pool(os.environ[DATABASE_VARIABLE], min_size=1, max_size=POOL_SIZE) as pool:
        yield {"pool": pool}


app = Starlette(routes=[Route("/holds", hold, methods=["POST"])], lifespan=lifespan)
