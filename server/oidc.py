"""The keys of an identity provider: fetched when needed, kept for a while, and never waited for in every request."""

import asyncio
import json
import time
from typing import Any, Final

import httpx
import jwt

from models.errors import Busy

ALGORITHMS: Final = ("RS256", "ES256")
KEYS_MAX: Final = 50
DOCUMENT_BYTES_MAX: Final = 256 * 1024
FETCH_SECONDS_MAX: Final = 5.0

FRESH_SECONDS: Final = 600.0
"""How long a key set is used without asking again."""

STALE_SECONDS_MAX: Final = 24 * 3600.0
"""How long it is still used while the provider does not answer."""

REFETCH_SECONDS_MIN: Final = 30.0
"""At most one fetch in this time, whatever tokens arrive: one with a made-up key id must not make us a nuisance."""


class ProviderKeys:
    """The provider's public keys for RS256 and ES256, by key id. One for the life of the process."""

    def __init__(self, jwks_url: str, *, refetch_seconds_min: float = REFETCH_SECONDS_MIN) -> None:
        self._url = jwks_url
        self._refetch_seconds_min = refetch_seconds_min
        self._client = httpx.AsyncClient(timeout=FETCH_SECONDS_MAX, follow_redirects=False)
        self._lock = asyncio.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    async def key(self, key_id: str) -> jwt.PyJWK:
        """The key with this id; the set is fetched anew if it is old, or has no such key.

        Raises jwt.InvalidTokenError if there is none, Busy if the provider's keys can not be had.
        """
        is_known_and_being_renewed = key_id in self._keys and self._lock.locked()
        if self._must_fetch(key_id) and not is_known_and_being_renewed:
            async with self._lock:
                if self._must_fetch(key_id):  # another request may have fetched while we waited
                    await self._fetch()
                    self._tried_at = time.monotonic()
        if time.monotonic() - self._fetched_at > STALE_SECONDS_MAX:
            raise Busy("The identity provider's keys can not be fetched now: try again in a moment.")
        found = self._keys.get(key_id)
        if found is None:
            raise jwt.InvalidTokenError("signed with a key that the identity provider does not publish")
        return found

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._client.aclose()

    def _must_fetch(self, key_id: str) -> bool:
        now = time.monotonic()
        if now - self._tried_at < self._refetch_seconds_min:
            return False
        return key_id not in self._keys or now - self._fetched_at > FRESH_SECONDS

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX), self._client.stream("GET", self._url) as response:
                response.raise_for_status()
                document = b""
                async for chunk in response.aiter_bytes():
                    document += chunk
                    if len(document) > DOCUMENT_BYTES_MAX:
                        return
            self._keys = _read(json.loads(document))
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError):
            return  # the keys from before are still good for a while
        self._fetched_at = time.monotonic()


def _read(document: Any) -> dict[str, jwt.PyJWK]:
    """The keys of a key set (RFC 7517) that may sign for us; others, such as those for encryption, are passed over."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no key set")
    keys: dict[str, jwt.PyJWK] = {}
    for entry in listed[:KEYS_MAX]:
        try:
            key = jwt.PyJWK.from_dict(entry)
        except (jwt.PyJWTError, AttributeError, TypeError, ValueError):
            continue
        if key.algorithm_name in ALGORITHMS and key.key_id and key.public_key_use in (None, "sig"):
            keys[key.key_id] = key
    return keys
