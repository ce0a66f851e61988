"""The errors that emlab raises, one family.

Every message says what was found, what was expected and how to fix it.

::

    EmlabError
    ├── ParameterError      a value that a person gave cannot be used
    ├── WorkflowError       a workflow does not fit together
    ├── FormatError         a file is not what it should be
    │   ├── TruncatedFile   … because its end is missing
    │   └── FileUnavailable … because it is absent, or may not be read
    ├── DataError           pixels or numbers that cannot be processed
    ├── SessionError        a session cannot be created, opened or used this way
    │   ├── SessionExists
    │   ├── SessionMissing
    │   ├── SessionBusy     another engine owns it
    │   ├── SessionDamaged  its database is broken
    │   └── EngineUnreachable  no engine answers on the control channel
    └── ProgramError        something that emlab needs is not installed or failed
"""

from __future__ import annotations


class EmlabError(Exception):
    """Anything that emlab raises on purpose."""


class ParameterError(EmlabError, ValueError):
    """A value that a person gave cannot be used."""


class WorkflowError(EmlabError, ValueError):
    """A workflow does not fit together."""


class FormatError(EmlabError, ValueError):
    """A file is not what it should be."""


class TruncatedFile(FormatError):
    """A file whose end is missing; it may still be growing."""


class FileUnavailable(FormatError):
    """A file that is absent or may not be read; it may be there again when its disk is.

    ``filename`` is its path.
    """

    def __init__(self, message: str, filename: str | None = None) -> None:
        super().__init__(message)
        self.filename = filename


class DataError(EmlabError, ValueError):
    """Pixels or numbers that cannot be processed, or a result that cannot be right."""


class SessionError(EmlabError):
    """A session cannot be created, opened or used in this way."""


class SessionExists(SessionError, FileExistsError):
    """A session already exists there."""


class SessionMissing(SessionError, FileNotFoundError):
    """There is no session there."""


class SessionBusy(SessionError):
    """Another engine owns the session."""


class SessionDamaged(SessionError):
    """The session's database is broken; `emlab repair` repairs it."""


class EngineUnreachable(SessionError, ConnectionError):
    """No engine answers on the session's control channel."""


class ProgramError(EmlabError):
    """Something that emlab needs is not installed, or it failed."""
