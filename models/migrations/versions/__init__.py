"""Alembic's migrations of the tables. Functions and triggers are installed by `models.migrate` from ledger/sql/."""
