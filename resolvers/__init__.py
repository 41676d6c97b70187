"""The Query and Mutation roots: tables of contents, and one file per larger query and per mutation."""
