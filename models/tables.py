"""Every table, imported: what migrations are compared with."""

from sqlmodel import SQLModel

from models import booking, price, resource, venue, waitlist
from models.ledger import tables

METADATA = SQLModel.metadata

__all__ = ["METADATA", "booking", "price", "resource", "tables", "venue", "waitlist"]
