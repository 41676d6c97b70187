"""Every table, imported: what migrations are compared with."""

from sqlmodel import SQLModel

from models import booking, resource, venue, waitlist
from models.ledger import tables

METADATA = SQLModel.metadata

__all__ = ["METADATA", "booking", "resource", "tables", "venue", "waitlist"]
