"""Queries and mutations, asked as the server asks them, on a real database."""
