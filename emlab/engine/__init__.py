"""The process that owns a session while it runs: it watches, schedules and records."""
