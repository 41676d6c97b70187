"""What may go wrong around the embedded servers. Each message is one line for the person at the terminal.

EmbeddedError            an OperatorError: the person who runs Vacancy can put it right
├── StateTaken           another process uses the state folder
├── StateUnusable        the folder cannot be made, entered, or belongs to someone else
├── StateForeign         the folder holds the data of another PostgreSQL version
├── BinariesMissing      no server binaries for this platform
└── ServerFailed         a server did not start
"""

from server.errors import OperatorError


class EmbeddedError(OperatorError):
    """The embedded servers, or the folder they live in, cannot be used."""


class StateTaken(EmbeddedError):
    """Another process holds the state folder; the message says which, and how to choose another folder."""


class StateUnusable(EmbeddedError):
    """The state folder cannot be made, entered or written, or belongs to another user."""


class StateForeign(EmbeddedError):
    """The state folder holds data that this version of PostgreSQL does not read."""


class BinariesMissing(EmbeddedError):
    """No PostgreSQL or Valkey program for this platform; the message names the variable to set instead."""


class ServerFailed(EmbeddedError):
    """A server exited or stayed silent while starting; the message ends with the end of its log."""
