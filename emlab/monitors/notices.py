"""Whom to tell that something is wrong, and telling them: by mail, chat or telephone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emlab.errors import ParameterError, ProgramError
from emlab.formats.atomic import whole_file

if TYPE_CHECKING:
    from apprise import NotifyBase

VARIABLE: Final = "EMLAB_NOTIFY"
"""The environment variable with addresses, separated by blanks; who is named there is told of every session."""
CHOSEN: Final = "notify"
"""The file in a session's folder with the names of those to be told of it."""


@dataclass(frozen=True)
class Notice:
    """What somebody is told: ``level`` is ``info``, ``warning`` or ``error``."""

    level: str
    title: str
    text: str


class Addressee:
    """Somebody who is told of sessions.

    Attributes
    ----------
    address
        Without what is secret.
    """

    def __init__(self, service: NotifyBase) -> None:
        self._service = service
        self.address: str = service.url(privacy=True)  # type: ignore[no-untyped-call]

    def tell(self, notice: Notice) -> bool:
        """Tell them; gives whether they were reached."""
        from apprise import NotifyType

        kind = {"error": NotifyType.FAILURE, "warning": NotifyType.WARNING}.get(notice.level, NotifyType.INFO)
        return bool(self._service.notify(title=notice.title, body=notice.text, notify_type=kind))


def addressees(names: Collection[str] = ()) -> list[Addressee]:
    """Those with one of these names in `address_book`, those without any there, and those of `VARIABLE`.

    Raises
    ------
    ParameterError
        If an address cannot be understood, the book can be read by others, or a name is not in it.
    ProgramError
        If Apprise is not installed.
    """
    known: set[str] = set()
    found = []
    for tags, address, place in _addresses():
        known |= tags
        if not tags or tags.intersection(names):
            found.append(Addressee(_service(address, place)))
    if unknown := sorted(set(names) - known):
        there = f"it has: {', '.join(sorted(known))}" if known else "it names nobody"
        raise ParameterError(f"{address_book()} has no address with the name {', '.join(unknown)}; {there}.")
    return found


def address_book() -> Path:
    """The file with a person's or a facility's addresses; it need not exist."""
    return Path(os.environ.get("XDG_CONFIG_HOME", "~/.config")).expanduser() / "emlab" / "notify"


def are_there() -> bool:
    """Whether there may be anybody to tell; costs no import."""
    return bool(os.environ.get(VARIABLE)) or address_book().exists()


def known() -> tuple[list[str], int]:
    """The names in `address_book`, and how many addresses without one are told of every session; costs no import.

    Raises
    ------
    ParameterError
        If others can read the book.
    """
    all_tags = [tags for tags, _, _ in _addresses()]
    return sorted(set().union(*all_tags)), sum(not tags for tags in all_tags)


def choose(session: Path, names: Collection[str]) -> None:
    """Have those with these names told of a session from its next start on.

    Raises
    ------
    ParameterError, ProgramError
        See `addressees`.
    """
    addressees(names)
    with whole_file(session / CHOSEN) as path:
        path.write_text("\n".join(names) + "\n", encoding="utf-8")


def chosen(session: Path) -> list[str]:
    """The names of those to be told of a session, beside those who are told of every one."""
    try:
        return list(filter(None, (session / CHOSEN).read_text(encoding="utf-8").splitlines()))
    except FileNotFoundError:
        return []


def _addresses() -> Iterator[tuple[set[str], str, str]]:
    """Each address with its names, and where it stands; as in Apprise's own files, ``night, lab = mailto://…``."""
    for address in os.environ.get(VARIABLE, "").split():
        yield set(), address, f"${VARIABLE}"
    book = address_book()
    try:
        with book.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ParameterError(
                    f"{book} holds secrets, but other users may read it. To fix this: chmod 600 {book}"
                )
            lines = file.read().splitlines()
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, 1):
        if (text := line.strip()) and not text.startswith("#"):
            names, sign, address = text.partition("=")
            if not sign or "://" in names:
                names, address = "", text
            tags = {name.strip() for name in names.split(",") if name.strip()}
            yield tags, address.strip(), f"{book}, line {number}"


def _service(address: str, place: str) -> NotifyBase:
    try:
        from apprise import Apprise
    except ImportError:
        raise ProgramError("Notifications need Apprise. Install it: pip install 'emlab[notify]'.") from None
    service = Apprise.instantiate(address)
    if service is None:
        kind = address.partition("://")[0]
        raise ParameterError(
            f"{place}: an address that begins with {kind[:20]!r} cannot be used. An example that works: "
            "mailto://USER:PASSWORD@HOST. All kinds: https://github.com/caronc/apprise/wiki"
        )
    return service
