"""What a checker finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

SHOWN_MAX = 10
"""Violations of one kind that are told one by one: a lost segment would fill the screen."""


class Violation(Exception):
    """A rule that was broken: ``kind`` names the rule (``results.missing``), ``detail`` the case,
    without anything about customers."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"

    __repr__ = __str__


class Report(NamedTuple):
    """``facts`` are counts of what was looked at: a check of nothing finds nothing."""

    violations: list[Violation]
    facts: dict[str, int]


def shortened(found: Iterable[Violation]) -> Iterator[Violation]:
    """The first few of each kind, and how many more there are."""
    by_kind: dict[str, list[Violation]] = {}
    for violation in found:
        by_kind.setdefault(violation.kind, []).append(violation)
    for kind, violations in by_kind.items():
        yield from islice(violations, SHOWN_MAX)
        if len(violations) > SHOWN_MAX:
            yield Violation(kind, f"and {len(violations) - SHOWN_MAX} more")
