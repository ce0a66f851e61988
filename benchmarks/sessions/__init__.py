"""Sessions for benchmarks, filled without pixels."""

from benchmarks.sessions.filled import FilledSession

__all__ = ["FilledSession"]
