"""Tables by name, ``[queues."NAME"]``, and their entries by date, ``[[queues."NAME".since]]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from streams.settings.options import did_you_mean

NAME_LENGTH_MAX = 120
SINCE_MAX = 1_000
"""Entries of one name."""
T = TypeVar("T")


def each(
    section: str,
    table: object,
    origin: str,
    problems: list[str],
    read: Callable[[dict[str, Any], list[str]], T],
    broken: T,
) -> dict[str, T]:
    """What ``read`` makes of each table of a section, ``broken`` of what is no table.

    ``read`` takes a table and a list to which it adds what is wrong, beginning with the place in
    the table; it goes to ``problems`` with the table's name and the origin.
    """
    if not isinstance(table, dict):
        problems.append(f'{section} (from {origin}): must be tables: [{section}."NAME"]')
        return {}
    found = {}
    for name, rows in table.items():
        said = list[str]()
        if not 0 < len(name) <= NAME_LENGTH_MAX:
            said.append(f": a {section[:-1]}'s name has 1 to {NAME_LENGTH_MAX} characters")
        if isinstance(rows, dict):
            found[name] = read(rows, said)
        else:
            said.append(f': must be a table: [{section}."NAME"]')
            found[name] = broken
        problems += [f"{section}.{name!r}{problem} (from {origin})" for problem in said]
    return found


def since_rows(
    section: str, table: Mapping[str, Any], said: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries of ``since`` that are tables, each with its place."""
    rows = table.get("since", [])
    if not isinstance(rows, list) or len(rows) > SINCE_MAX:
        said.append(f'.since: must be at most {SINCE_MAX} tables: [[{section}."NAME".since]]')
        return
    for index, row in enumerate(rows):
        if isinstance(row, dict):
            yield f".since[{index}]", row
        else:
            said.append(f'.since[{index}]: must be a table: [[{section}."NAME".since]]')


def known_keys(
    table: Iterable[str], known: Iterable[str], where: str, said: list[str]
) -> Iterator[str]:
    """The keys that are known; of the others it is said."""
    known = tuple(known)
    for key in table:
        if key in known:
            yield key
        else:
            said.append(f"{where}.{key}: there is no such setting{did_you_mean(key, known)}")
