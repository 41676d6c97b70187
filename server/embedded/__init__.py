"""PostgreSQL, Valkey and a payment simulator that Vacancy brings along and runs itself: nothing has to be installed.

`embedded_servers` is the way in; each module under it knows one thing: the state folder, the account that the
servers run as, their binaries, and each server.
"""

from server.embedded.errors import EmbeddedError
from server.embedded.servers import Servers, embedded_servers

__all__ = ["EmbeddedError", "Servers", "embedded_servers"]
