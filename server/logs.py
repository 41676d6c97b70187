"""Logging: one line per event on standard error. What is logged never holds a token, a contact or a query string."""

import logging
import sys
import time
from typing import Final

FORMAT: Final = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"


def configure_logging() -> None:
    """Send warnings and worse to standard error, with the time in UTC. Called once by each process."""
    formatter = logging.Formatter(FORMAT, TIME_FORMAT)
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    # WARNING: at INFO uvicorn and httpx would log URLs as they are, with whatever somebody put into them.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
