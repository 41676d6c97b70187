"""Idempotency keys: the first answer to a key is the answer, for a day.

Kept are status and body of what an endpoint began to carry out, errors included. What was refused before that, for
its parameters, leaves no trace of its key.
"""

import hashlib
import json
from typing import Final, NamedTuple

from payments.simulator.documents import Document
from payments.simulator.forms import Form
from payments.simulator.refusals import Malformed, Refusal
from payments.simulator.world import World

KEY_LENGTH_MAX: Final = 255
KEPT_SECONDS: Final = 24 * 3_600


class Saved(NamedTuple):
    """What was answered, and the id of the request that it answered."""

    status: int
    body: str
    request_id: str


class Replies:
    """The saved answers of an account, and the keys whose requests are under way."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._under_way: set[str] = set()

    def begin(self, key: str, endpoint: str, form: Form) -> Saved | None:
        """The saved answer, or None, and then `finish` or `abandon` has to follow.

        Raises Refusal: 409 while another request with the key is under way, 400 when the key was first used with
        another endpoint or other parameters.
        """
        if len(key) > KEY_LENGTH_MAX:
            raise Malformed(f"The idempotency key is longer than {KEY_LENGTH_MAX} characters.")
        if key in self._under_way:
            raise Refusal(
                409,
                "invalid_request_error",
                f"There is currently another in-progress request using this Idempotent Key (that probably means you "
                f"submitted twice, and the other request is still going through): {key}. Please try again later.",
                code="idempotency_key_in_use",
            )
        saved = self._found(key)
        if saved is None:
            self._under_way.add(key)
            return None
        if saved["endpoint"] != endpoint:
            raise Refusal(
                400,
                "idempotency_error",
                f"Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{endpoint}' vs '{saved['endpoint']}'). Try using a key other than '{key}' if you meant to execute "
                "a different request.",
            )
        if saved["fingerprint"] != _fingerprint(form):
            raise Refusal(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
            )
        return Saved(saved["status"], saved["body"], saved["request"])

    def finish(self, key: str, endpoint: str, form: Form, answer: Saved) -> None:
        """Keep the answer."""
        self._under_way.discard(key)
        self._world.put(
            "reply",
            {
                "id": key,
                "endpoint": endpoint,
                "fingerprint": _fingerprint(form),
                "status": answer.status,
                "body": answer.body,
                "request": answer.request_id,
                "created": self._world.now(),
            },
        )

    def abandon(self, key: str) -> None:
        """The endpoint did not begin: the key is as new. Nothing to do after `finish`."""
        self._under_way.discard(key)

    def _found(self, key: str) -> Document | None:
        saved = self._world.documents.find("reply", key)
        if saved is not None and saved["created"] + KEPT_SECONDS <= self._world.now():
            self._world.documents.remove("reply", key)
            return None
        return saved


def _fingerprint(form: Form) -> str:
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
