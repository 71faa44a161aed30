"""The database of a project, opened; a damaged file is set aside."""

from __future__ import annotations

from collections.abc import Callable

from pytest_edgebudget.history.database import Damaged, Database
from pytest_edgebudget.history_place import FOLDER, Place


def open_database(place: Place, say: Callable[[str], None]) -> Database:
    """
    Open what *place* names. *say* is told when a damaged file was set aside.

    Raises `Away` when it cannot be reached or is of a later version, and
    `MissingExtra` when the library for a server is not installed.
    """
    if place.path is None:
        from pytest_edgebudget.history.server import ServerDatabase

        return ServerDatabase(place.url)
    from pytest_edgebudget.history.sqlite import SqliteDatabase

    hide(place)
    try:
        return SqliteDatabase(place.path)
    except Damaged as error:
        renew(place, error, say)
        return SqliteDatabase(place.path)


def renew(place: Place, error: Damaged, say: Callable[[str], None]) -> None:
    """Set the damaged file aside, and say so."""
    from pytest_edgebudget.history.sqlite import set_aside

    assert place.path is not None
    if kept := set_aside(place.path):
        say(f"history: {error.message}: it was set aside as {kept.name}, and a new one begun")


def hide(place: Place) -> None:
    """Our own folder is nothing for version control, as pytest's cache is none."""
    ignore = place.folder / ".gitignore"
    if place.folder.name == FOLDER and not ignore.exists():
        try:
            place.folder.mkdir(parents=True, exist_ok=True)
            ignore.write_text("*\n", "utf-8")
        except OSError:
            return  # whoever writes the database next is told why it cannot be done
