"""Query functions: plain functions that take a session. Every query names the organization of each row it asks for."""
