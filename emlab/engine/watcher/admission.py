"""Letting each file in once, when it is complete."""

from __future__ import annotations

import logging
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from emlab.engine.watcher.candidate import Candidate
from emlab.engine.watcher.keys import Keys, printable
from emlab.engine.watcher.report import Kind, Report
from emlab.engine.watcher.twin import have_same_content
from emlab.formats.completeness import Completeness
from emlab.model import Arrival

ENOUGH_MOVIES = 3
"""How many movies it takes to know how many frames a movie of the session has."""
SIDECAR_WAIT = 10.0
"""How long a movie that should have metadata beside it waits for them, seconds."""

log = logging.getLogger(__name__)


class Admission:
    """Looks at files until each is let in or given up.

    Parameters
    ----------
    found, reported, settle_time, stalled_after, check, find_sidecar
        See `Watcher`.
    known
        Absolute paths that were let in or given up earlier.
    """

    def __init__(
        self,
        found: Callable[[Arrival], None],
        reported: Callable[[Report], None],
        *,
        settle_time: float,
        stalled_after: float,
        known: Iterable[str],
        check: Callable[[str], Completeness],
        find_sidecar: Callable[[str], Path | None],
    ) -> None:
        self._found = found
        self._reported = reported
        self._settle_time = settle_time
        self._stalled_after = stalled_after
        self._check = check
        self._find_sidecar = find_sidecar
        self.settled: dict[str, int | None] = dict.fromkeys(known)
        """Paths that are let in or given up, with their sizes as far as they were let in."""
        self.candidates: dict[str, Candidate] = {}
        """Paths that are neither."""
        self._keys = Keys(self.settled)
        self._frame_counts: Counter[int] = Counter()
        self._saw_sidecar = False

    def add(self, path: str) -> None:
        """Look at a file from now on."""
        if path not in self.settled:
            self.candidates.setdefault(path, Candidate(path))

    def note_writing(self, path: str, being_written: bool) -> None:
        """Remember whether a file that is not settled is being written, as far as is known."""
        if candidate := self.candidates.get(path):
            candidate.being_written = being_written

    def pending(self) -> list[Report]:
        """What each file that is neither let in nor given up lacks."""
        return [
            Report(kind="pending", path=printable(path), key=self._keys.key_of(path), message=candidate.lacks())
            for path, candidate in list(self.candidates.items())
        ]

    def assess(self, path: str, now: float, *, just_closed: bool = False) -> None:
        """Let a file in, give it up, or wait.

        Parameters
        ----------
        path
            Absolute.
        now
            Seconds since 1970-01-01 UTC.
        just_closed
            Whether a writer has just closed it.
        """
        if path in self.settled:
            if just_closed:
                self._compare(path)
            return
        candidate = self.candidates[path]
        try:
            status = os.stat(path)  # noqa: PTH116 - paths stay strings, of which there are many
            if not stat.S_ISREG(status.st_mode):
                del self.candidates[path]
                return
            candidate.see(status, now, just_closed=just_closed)
            candidate.completeness = candidate.completeness or self._check(path)
            sidecar = self._find_sidecar(path)
            sidecar_modified = sidecar.stat().st_mtime if sidecar else None
        except FileNotFoundError:
            if not os.path.lexists(path):
                del self.candidates[path]
        except OSError as error:
            self._tell_once(candidate, f"{path} cannot be read ({error.strerror}); it is taken once it can be read.")
        except Exception as error:  # what nobody thought of is this file's trouble, and no other's
            log.exception("the look at %s failed", path)
            self._tell_once(
                candidate, f"{path} cannot be checked ({type(error).__name__}: {error}); emlab will try again."
            )
        else:
            self._decide(candidate, candidate.completeness, sidecar_modified, now)

    def _decide(
        self, candidate: Candidate, completeness: Completeness, sidecar_modified: float | None, now: float
    ) -> None:
        if completeness.state == "growing":
            if candidate.was_seen_quiet(now) and candidate.quiet_for(now) >= self._stalled_after:
                quiet = f"Unchanged for {candidate.quiet_for(now):.0f} s"
                self._tell_once(candidate, f"{completeness.message} {quiet}; it will be processed if the rest comes.")
            return
        evidence = candidate.evidence(
            now,
            sidecar_modified=sidecar_modified,
            expected_frames=self._expected_frames(),
            settle_time=self._settle_time,
        )
        if evidence and completeness.state == "foreign":
            self._give_up(candidate, "foreign", completeness.message)
        elif evidence and (sidecar_modified is not None or not self._awaits_sidecar(candidate, now)):
            self._saw_sidecar = self._saw_sidecar or sidecar_modified is not None
            self._let_in(candidate, evidence, completeness.frames)

    def _awaits_sidecar(self, candidate: Candidate, now: float) -> bool:
        """Whether metadata may still come: those before had them, or it is named as EPU names movies."""
        is_usual = self._saw_sidecar or os.path.basename(candidate.path).startswith("FoilHole_")  # noqa: PTH119
        return is_usual and candidate.quiet_for(now) < SIDECAR_WAIT

    def _let_in(self, candidate: Candidate, evidence: str, frames: int) -> None:
        path = candidate.path
        if (name := printable(path)) != path:
            self._give_up(candidate, "foreign", f"{name}: the name is not valid UTF-8; rename the file.")
            return
        for other in self._keys.namesakes(path):
            if other in self.settled and have_same_content(Path(path), Path(other)):
                self._give_up(
                    candidate, "duplicate", f"{path} is a copy of {other}, which was already taken; it is skipped."
                )
                return
        self._frame_counts[frames] += 1
        self._settle(candidate, candidate.size)
        self._found(
            Arrival(
                key=self._keys.key_of(path),
                path=path,
                size=candidate.size,
                modified=candidate.modified,
                evidence=evidence,
            )
        )

    def _give_up(self, candidate: Candidate, kind: Kind, message: str) -> None:
        self._settle(candidate, None)
        self._tell(kind, candidate.path, message, final=True)

    def _settle(self, candidate: Candidate, size: int | None) -> None:
        del self.candidates[candidate.path]
        self.settled[candidate.path] = size

    def _compare(self, path: str) -> None:
        """Say so if a file that was let in has another size now."""
        size = self.settled[path]
        try:
            present = os.stat(path).st_size  # noqa: PTH116
        except OSError:
            return
        if size is not None and size != present:
            self.settled[path] = present
            self._tell(
                "changed",
                path,
                f"{path} had {size} bytes when it was taken and has {present} now; its results may lack the rest.",
            )

    def _expected_frames(self) -> int | None:
        """How many frames most movies had, once there were enough of them."""
        (frames, count), *_ = self._frame_counts.most_common(1) or [(0, 0)]
        return frames if count >= ENOUGH_MOVIES else None

    def _tell_once(self, candidate: Candidate, message: str) -> None:
        if not candidate.told:
            candidate.told = True
            self._tell("stalled", candidate.path, message)

    def _tell(self, kind: Kind, path: str, message: str, *, final: bool = False) -> None:
        self._reported(
            Report(kind=kind, path=printable(path), key=self._keys.key_of(path), message=message, final=final)
        )
