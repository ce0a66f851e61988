"""``python -m emlab.report SESSION`` writes the report of a session and prints where it is."""

from __future__ import annotations

import argparse
import sys

from emlab.errors import EmlabError
from emlab.report.write import write_report


def main() -> int:
    """Write the report; give the exit status."""
    # jsonschema imports it in passing, for a format that no notebook has, which takes two seconds.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    parser = argparse.ArgumentParser(prog="python -m emlab.report", description="Write the report of a session.")
    parser.add_argument("session", help="the session's folder")
    try:
        print(write_report(parser.parse_args().session))  # noqa: T201 - what the command is for
    except EmlabError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
