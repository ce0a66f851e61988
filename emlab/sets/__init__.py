"""Incremental sets: append-only, numbered, on SQLite in the session's folder."""
