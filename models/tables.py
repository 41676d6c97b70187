"""Every table, imported: what migrations are compared with."""

from sqlmodel import SQLModel

from models import booking, payment, price, resource, venue, waitlist, webhook
from models.ledger import tables

METADATA = SQLModel.metadata

__all__ = ["METADATA", "booking", "payment", "price", "resource", "tables", "venue", "waitlist", "webhook"]
