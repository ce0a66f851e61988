"""Watching a folder for complete files, in a thread."""

from __future__ import annotations

import errno
import logging
import math
import os
import select
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from emlab.engine.mount import is_network
from emlab.engine.watcher.admission import Admission
from emlab.engine.watcher.file_events import FileEvents
from emlab.engine.watcher.folder_scan import FolderScan
from emlab.engine.watcher.patterns import Patterns
from emlab.engine.watcher.report import Report
from emlab.formats.completeness import Completeness, check_complete
from emlab.formats.sidecar import find_sidecar
from emlab.model import Arrival

SCAN_EVERY = 5.0
"""Seconds, where the kernel tells of new files: the scan is for what it missed and what has become quiet."""
SCAN_EVERY_UNTOLD = 1.0
"""Seconds, on network file systems and where the kernel's limits are reached."""
GATHER = 0.002
"""Seconds after an event in which those that belong to it come: begun, closed, moved."""
AGAIN = 5.0
"""Seconds after a look that failed in a way that nobody thought of."""
SIDECARS = (".xml", ".mdoc")
"""What metadata's names end with."""

log = logging.getLogger(__name__)


class Watcher:
    """Finds the files below a folder that match patterns, and hands each on when it is complete.

    Each file that matches is accounted for once: it arrives, is given up with a report, or is pending. A file is
    complete when its structure is and one of these holds (`Arrival.evidence`): ``closed``, the kernel said that its
    writer closed it or that it was moved there; ``sidecar``, the metadata beside it are at least as new; ``frames``,
    it has as many frames as most movies of the session and did not change between two looks; ``stable``, nothing was
    written to it for ``settle_time``.

    It works in a thread of its own, so that a file server that does not answer stops nothing else; ``found``,
    ``reported`` and ``looked`` are called in that thread.

    Parameters
    ----------
    folder
        Where to look; it may appear later, go away and come back.
    patterns
        Glob patterns relative to ``folder``, see `Patterns`.
    found
        Called with each complete file.
    reported
        Called with whatever else a person should know.
    looked
        Called after each look.
    settle_time
        How long a file has to be quiet when nothing else says that it is complete, seconds.
    stalled_after
        After how long a quiet, incomplete file is reported, seconds.
    known
        Absolute paths that were handed on or given up earlier.
    clock
        Seconds since 1970-01-01 UTC.
    check
        What a file's structure says.
    find_sidecar
        The metadata that belong to a file.

    Raises
    ------
    ParameterError
        If the patterns cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        patterns: Iterable[str],
        found: Callable[[Arrival], None],
        reported: Callable[[Report], None],
        settle_time: float = 10.0,
        stalled_after: float = 600.0,
        known: Iterable[str] = (),
        *,
        looked: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        check: Callable[[str], Completeness] = check_complete,
        find_sidecar: Callable[[str], Path | None] = find_sidecar,
    ) -> None:
        self._folder = folder.absolute()
        self._patterns = Patterns(patterns)
        self._reported = reported
        self._looked = looked
        self._clock = clock
        self._admission = Admission(
            found,
            reported,
            settle_time=settle_time,
            stalled_after=stalled_after,
            known=known,
            check=check,
            find_sidecar=find_sidecar,
        )
        self._scan = FolderScan(str(self._folder), self._patterns, self._admission.settled, self._listen)
        self._scan_every = SCAN_EVERY
        self._scanned_at: float | None = None
        self._troubles: set[str] = set()
        self._events: FileEvents | None = None
        self._is_deaf = False
        self._is_stopped = False
        self._stop_signal = os.eventfd(0)
        self._stop_poller, self._poller = select.poll(), select.poll()
        for poller in (self._stop_poller, self._poller):
            poller.register(self._stop_signal, select.POLLIN)
        self._thread = threading.Thread(target=self._run, name=f"watcher of {folder}", daemon=True)

    def start(self) -> None:
        """Watch until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer; returns after 5 s even if a file server keeps the thread waiting."""
        if self._is_stopped:
            return
        self._is_stopped = True
        os.eventfd_write(self._stop_signal, 1)
        if self._thread.ident is not None:
            self._thread.join(timeout=5.0)
        if not self._thread.is_alive():
            os.close(self._stop_signal)
            if self._events:
                self._events.close()

    def pending(self) -> list[Report]:
        """What matches and is neither handed on nor given up, as of the last look; never waits for a disk."""
        return self._admission.pending()

    def look(self, now: float) -> None:
        """Hear what happened, scan if it is time, and hand on what is complete; for the thread, and for tests.

        Parameters
        ----------
        now
            Seconds since 1970-01-01 UTC.
        """
        touched = self._heard(now)
        # A clock that was set back must not stop the scans.
        if self._scanned_at is None or not self._scanned_at <= now < self._scanned_at + self._scan_every:
            self._scanned_at = now
            for path in self._scan.changed(now):
                self._admission.add(path)
            self._tell_troubles()
            touched = dict.fromkeys(self._admission.candidates, False) | touched
        for path, just_closed in touched.items():
            if self._is_stopped:
                return
            self._admission.assess(path, now, just_closed=just_closed)

    def _run(self) -> None:
        told = ""
        while not self._is_stopped:
            try:
                self.look(self._clock())
                self._looked()
                self._wait()
            except Exception as error:
                log.exception("the look at %s failed", self._folder)
                message = f"{self._folder} could not be checked: {type(error).__name__}: {error}. emlab will try again."
                if message != told:
                    self._tell(self._folder, message)
                told = message
                self._scan.distrust()
                self._scanned_at = None
                self._looked()
                self._is_told_to_stop(within=AGAIN)

    def _wait(self) -> None:
        """Until there is an event, the next scan is due, or the watcher is told to stop."""
        remaining = (self._scanned_at or 0.0) + self._scan_every - self._clock()
        if self._poller.poll(math.ceil(1000 * min(max(remaining, 0.0), self._scan_every))):
            self._is_told_to_stop(within=GATHER)

    def _is_told_to_stop(self, *, within: float) -> bool:
        return bool(self._stop_poller.poll(1000 * within))

    def _heard(self, now: float) -> dict[str, bool]:
        """What the kernel told: files to look at, and whether a writer has just closed them."""
        touched: dict[str, bool] = {}
        for event in self._events.taken() if self._events else ():
            if event.what == "lost":
                self._scan.distrust()
                self._scanned_at = None
                for path in self._admission.candidates:
                    self._admission.note_writing(path, False)
            elif event.what == "folder":
                for path in self._scan.below(event.path, now):
                    self._admission.add(path)
                    touched[path] = False
            elif self._patterns.match(self._scan.relative(event.path)):
                self._admission.add(event.path)
                self._admission.note_writing(event.path, event.what == "begun")
                if event.what == "closed":
                    touched[event.path] = True
                else:
                    touched.pop(event.path, None)
            elif event.what == "closed" and event.path.endswith(SIDECARS):
                folder = os.path.dirname(event.path)  # noqa: PTH120 - one string operation per event
                waiting = [path for path in self._admission.candidates if os.path.dirname(path) == folder]  # noqa: PTH120
                touched = dict.fromkeys(waiting, False) | touched
        return touched

    def _listen(self, folder: str) -> None:
        """Hear of a folder's files from now on, as far as the kernel's limits allow."""
        if folder == str(self._folder):
            self._scan_every = SCAN_EVERY_UNTOLD if self._is_deaf or is_network(self._folder) else SCAN_EVERY
        try:
            if self._events is None:
                self._events = FileEvents()
                self._events.register(self._poller)
            self._events.watch(folder)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EMFILE):
                raise
            if not self._is_deaf:
                self._is_deaf, self._scan_every = True, SCAN_EVERY_UNTOLD
                limit = "max_user_watches" if error.errno == errno.ENOSPC else "max_user_instances"
                self._tell(
                    self._folder,
                    f"The kernel cannot report new files in {folder}: its limit of watches is reached. emlab looks "
                    f"for them every {SCAN_EVERY_UNTOLD:g} s instead. To raise the limit: sysctl "
                    f"fs.inotify.{limit}=1048576.",
                )

    def _tell_troubles(self) -> None:
        """Say once that a folder cannot be read, and once that it can be again."""
        troubles = self._scan.troubles
        for folder in troubles.keys() - self._troubles:
            self._tell(folder, f"{folder} cannot be read ({troubles[folder]}); emlab keeps trying.")
        for folder in self._troubles - troubles.keys():
            self._tell(folder, f"{folder} can be read again.")
        self._troubles = set(troubles)

    def _tell(self, folder: str | Path, message: str) -> None:
        self._reported(Report(kind="folder", path=str(folder), key=None, message=message))
