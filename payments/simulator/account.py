"""All of one simulator: the account, its faults, its keys' answers, its webhooks, and the log of what was asked."""

from collections import deque
from typing import Any, Final

from payments.simulator.agenda import do_what_is_due
from payments.simulator.deliveries import Deliveries
from payments.simulator.disk import Disk
from payments.simulator.documents import Documents
from payments.simulator.faults import Faults
from payments.simulator.idempotency import Replies
from payments.simulator.settings import SimulatorSettings
from payments.simulator.webhook_endpoints import add_endpoint
from payments.simulator.world import World

LOG_LENGTH_MAX: Final = 1_000
NOTHING: Final = {"authorized": 0, "captured": 0, "refunded": 0}


class Account:
    """Made in the event loop that serves it."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings
        self._disk = Disk(settings.state_file) if settings.state_file is not None else None
        self.world = World(Documents(self._disk))
        self.faults = Faults(settings.seed)
        self.replies = Replies(self.world)
        self.deliveries = Deliveries(self.world, self.faults, settings.retry_seconds)
        self.world.on_event = self.deliveries.enqueue
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH_MAX)
        self._add_endpoint()

    def settle(self) -> None:
        """Do what is due by the clock, and keep what has changed."""
        do_what_is_due(self.world)
        self.world.documents.save()

    def clear(self) -> None:
        """As new: nothing is kept but the endpoint of the settings, and what is under way comes to nothing."""
        self.world.clear()
        self.replies = Replies(self.world)
        self.faults.clear()
        self.deliveries.forget()
        self.log.clear()
        self._add_endpoint()

    def money(self) -> dict[str, dict[str, int]]:
        """By currency, in minor units: what is authorized and open, what was captured, and what of that given back."""
        totals: dict[str, dict[str, int]] = {}
        documents = self.world.documents
        for intent in documents.oldest_first("payment_intent"):
            total = totals.setdefault(intent["currency"], dict(NOTHING))
            total["authorized"] += intent["amount_capturable"]
            total["captured"] += intent["amount_received"]
        for refund in documents.oldest_first("refund"):
            if refund["status"] in ("succeeded", "pending"):
                totals.setdefault(refund["currency"], dict(NOTHING))["refunded"] += refund["amount"]
        return totals

    def close(self) -> None:
        """Keep what has changed, and close the file."""
        self.world.documents.save()
        if self._disk is not None:
            self._disk.close()

    def _add_endpoint(self) -> None:
        """The endpoint of the settings, once, however often the simulator is started."""
        url, secret = self.settings.webhook_url, self.settings.webhook_secret
        if url is None:
            return
        for endpoint in self.world.documents.oldest_first("webhook_endpoint"):
            if endpoint["url"] == url:
                endpoint["_secrets"] = [[secret, None]]
                self.world.put("webhook_endpoint", endpoint)
                break
        else:
            add_endpoint(self.world, url, ["*"], secret)
        self.world.documents.save()
