"""The public types: scalars, ids, cursors, the printed schema and the contract."""
