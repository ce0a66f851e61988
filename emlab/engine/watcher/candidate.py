"""A file that may not be complete yet, and what speaks for it being so."""

from __future__ import annotations

import os
from dataclasses import dataclass

from emlab.formats.completeness import Completeness

BETWEEN_LOOKS = 5.0
"""How far apart two looks at a quiet file are at least, seconds."""
LONG_QUIET = 600.0
"""After how long, by its own time stamp, one look at a file is enough, seconds: no clocks differ by so much."""


@dataclass
class Candidate:
    """What is known of one file.

    Attributes
    ----------
    path
        Absolute.
    size, modified
        Bytes; seconds since 1970-01-01 UTC.
    quiet_since, quiet_looks
        When its present size and time of modification were first seen, seconds, and in how many looks.
    being_written
        Whether it was seen to be created, and not yet to be closed.
    closed
        Whether it has been as it is since a writer closed it.
    completeness
        What its structure says, as it is now; ``None`` before it was looked into.
    told
        Whether it was reported as stalled.
    """

    path: str
    size: int = -1
    modified: float = 0.0
    quiet_since: float = 0.0
    quiet_looks: int = 0
    being_written: bool = False
    closed: bool = False
    completeness: Completeness | None = None
    told: bool = False

    def see(self, status: os.stat_result, now: float, *, just_closed: bool) -> None:
        """Take note of how the file is now."""
        if (status.st_size, status.st_mtime) != (self.size, self.modified):
            self.size, self.modified = status.st_size, status.st_mtime
            self.quiet_since, self.quiet_looks = now, 0
            self.closed, self.completeness = False, None
        self.quiet_looks += 1
        if just_closed:
            self.closed, self.completeness = True, None

    def quiet_for(self, now: float) -> float:
        """How long nothing has been written to it, seconds.

        The longer of what the file says and what was observed, because the clock that stamps files may run ahead.
        """
        return max(now - self.modified, now - self.quiet_since)

    def was_seen_quiet(self, now: float) -> bool:
        """Whether two looks that lie well apart found it the same, or it is old and nobody was seen to write to it."""
        is_old = not self.being_written and now - self.modified >= LONG_QUIET
        return is_old or (self.quiet_looks > 1 and now - self.quiet_since >= BETWEEN_LOOKS)

    def lacks(self) -> str:
        """What keeps it from being taken, in words."""
        if self.completeness is None or self.completeness.state == "complete":
            return "apparently complete, but may still be being written"
        return self.completeness.message

    def evidence(
        self, now: float, *, sidecar_modified: float | None, expected_frames: int | None, settle_time: float
    ) -> str | None:
        """Why the writer has finished, as `Arrival.evidence` puts it; ``None`` where nothing says so.

        A writer that adds frame after frame leaves a valid file each time, and may close it each time: what has
        fewer frames than the session's other movies has to be quiet for long. What was seen to be begun is finished
        when it is closed, whatever else speaks for it.

        Parameters
        ----------
        now, settle_time
            Seconds.
        sidecar_modified
            When the metadata beside it were written, seconds since 1970-01-01 UTC; ``None`` where there are none.
        expected_frames
            How many most movies have; ``None`` where that is not known yet.
        """
        frames = self.completeness.frames if self.completeness and self.completeness.state == "complete" else None
        is_short = frames is not None and expected_frames is not None and frames < expected_frames
        if self.closed and not is_short:
            return "closed"
        if not (self.being_written or is_short):
            if sidecar_modified is not None and sidecar_modified >= self.modified:
                return "sidecar"
            # Some programs give a file its full size before they fill it.
            if frames is not None and frames == expected_frames and self.quiet_looks > 1:
                return "frames"
        if self.was_seen_quiet(now) and self.quiet_for(now) >= settle_time:
            return "stable"
        return None
