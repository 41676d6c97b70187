"""Every table, imported: what migrations are compared with."""

from sqlmodel import SQLModel

from models import booking, payment, price, resource, tax_entry, venue, waitlist, webhook
from models.ledger import tables

METADATA = SQLModel.metadata

__all__ = ["METADATA", "booking", "payment", "price", "resource", "tables", "tax_entry", "venue", "waitlist", "webhook"]
