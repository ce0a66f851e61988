"""``python -m emlab.report SESSION`` writes a report, publishes it as the session says, and prints where it is."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from emlab.errors import EmlabError
from emlab.report.publish import publish
from emlab.report.settings import read_settings
from emlab.report.write import write_report


def main() -> int:
    """Write the report; give the exit status."""
    # jsonschema imports it in passing, for a format that no notebook has, which takes two seconds.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    # As after an error, so that its kernel and the kernel's folder go too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    parser = argparse.ArgumentParser(prog="python -m emlab.report", description="Write the report of a session.")
    parser.add_argument("session", type=Path, help="the session's folder")
    session: Path = parser.parse_args().session.resolve()
    status = 0
    try:
        page = write_report(session)
        print(page)  # noqa: T201 - what the command is for
        targets = read_settings(session).publish
    except EmlabError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    for target in targets:
        try:
            print(publish(page, target, session.name))  # noqa: T201
        except EmlabError as error:
            print(error, file=sys.stderr)  # noqa: T201
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
