"""Every table, imported: what migrations are compared with."""

from sqlmodel import SQLModel

from models import booking, price, resource, tax_entry, venue, waitlist
from models.ledger import tables

METADATA = SQLModel.metadata

__all__ = ["METADATA", "booking", "price", "resource", "tables", "tax_entry", "venue", "waitlist"]
