"""A report copied to where others can read it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from emlab.errors import ParameterError, ProgramError
from emlab.formats.atomic import whole_file

TIMEOUT: Final = 300.0
"""Seconds for one copy."""

# A drive or a folder has no colon before its first slash; the name of a host is longer than one letter.
_REMOTE: Final = re.compile(r"(?:[\w.-]+@)?[\w.-]{2,}:(?!//)")

_OBJECT_STORES: Final = {"s3", "s3a", "gs", "gcs", "abfs", "az"}


def check_target(target: str) -> None:
    """Refuse an address that emlab cannot publish to, or that would keep a secret where others can read it.

    Raises
    ------
    ParameterError
        With what to do instead.
    """
    if not target.strip() or target.startswith("-"):
        raise ParameterError(
            f"{target!r} is not a place to publish to: give a folder, HOST:FOLDER or s3://BUCKET/FOLDER."
        )
    if "://" in target and (parts := urlsplit(target)).password is not None:
        raise ParameterError(
            f"The address of {parts.hostname} contains a password, which everyone could read in the session. Put "
            "secrets into the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, RSYNC_PASSWORD, …)."
        )


def publish(page: Path, target: str, name: str) -> str:
    """Copy a report, so that whoever reads it sees the old or the new one whole; give its address.

    Parameters
    ----------
    page
        The report.
    target
        A folder; ``HOST:FOLDER`` or ``rsync://…`` for rsync; ``s3://…``, or any other of fsspec's protocols. The
        report is called ``index.html`` there. ``{name}`` in it stands for the session's name.
    name
        The session's.

    Raises
    ------
    ParameterError
        If ``target`` is no address.
    ProgramError
        If it could not be copied, or what copies it is not installed.
    """
    check_target(target)
    place = target.replace("{name}", re.sub(r"[^\w.-]+", "_", name)).rstrip("/")
    try:
        if place.startswith("rsync://") or _REMOTE.match(place):
            return _by_rsync(page, place)
        if "://" in place and not place.startswith("file://"):
            return _by_fsspec(page, place)
        return _to_folder(page, Path(place.removeprefix("file://")))
    except OSError as error:
        raise ProgramError(f"The report was not published to {place}: {error}.") from error


def _to_folder(page: Path, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / page.name
    with whole_file(copy) as temporary:
        shutil.copyfile(page, temporary)
        temporary.chmod(0o644)
    return str(copy)


def _by_rsync(page: Path, place: str) -> str:
    if shutil.which("rsync") is None:
        raise ProgramError(f"Publishing to {place} needs rsync, which is not installed.")
    # The far shell does not see the name (-s), and nobody is there to type a password.
    options = ["--times", "--chmod=F644", "--mkpath", "--protect-args", f"--timeout={TIMEOUT:.0f}"]
    command = ["rsync", *options, "--", str(page), f"{place}/"]
    environment = {**os.environ, "RSYNC_RSH": os.environ.get("RSYNC_RSH", "ssh -o BatchMode=yes")}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"The report was not published to {place}: rsync took more than {TIMEOUT:.0f} s.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"rsync ended with status {done.returncode}"]
        raise ProgramError(f"The report was not published to {place}: {said[0]}")
    return f"{place}/{page.name}"


def _by_fsspec(page: Path, place: str) -> str:
    try:
        import fsspec
    except ModuleNotFoundError:
        raise ProgramError(f"Publishing to {place} needs fsspec. Run: pip install 'emlab[publish]'") from None
    address = f"{place}/{page.name}"
    try:
        storage, path = fsspec.core.url_to_fs(address)
        protocols = {storage.protocol} if isinstance(storage.protocol, str) else set(storage.protocol)
        # An object store has no folders, and shows an object when it is whole; asked for one it would make a bucket.
        if not protocols & _OBJECT_STORES:
            storage.makedirs(path.rpartition("/")[0], exist_ok=True)
        options = {"ContentType": "text/html; charset=utf-8"} if "s3" in protocols else {}
        storage.put_file(str(page), path, **options)
    except ImportError as error:
        raise ProgramError(
            f"Publishing to {place} needs more packages: {error}. Run: pip install 'emlab[publish]'"
        ) from None
    except ValueError as error:
        raise ParameterError(f"{place} is not a place to publish to: {error}.") from None
    except Exception as error:
        raise ProgramError(f"The report was not published to {place}: {type(error).__name__}: {error}") from error
    return address
