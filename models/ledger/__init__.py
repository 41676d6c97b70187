"""The ledger: the only way that capacity is taken and given back. Its rules are SQL (sql/); this is its handle."""
