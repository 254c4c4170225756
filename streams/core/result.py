"""Results: a KPI's value for one cut key and window, with revision and status.

The key of a result is (KPI, cut key, window kind, window start), without the start for windows of
which only the latest counts.  A result replaces an earlier one with the same key.

* ``revision`` never falls for a key, and one revision has one value, whatever was replayed and
  however the log was cut into batches: it is the offset of the last record that the value is made
  of.  For fixed windows that is the highest version of its cells, for rolling ones also the offset
  at which the mark came to their minute, for levels that of the last register or mark.
* ``status`` is ``provisional`` until the board's mark is at least ``grace_ms`` past the window's
  end, and past the time that the KPI takes to mature, then ``final``; ``corrected`` if the window
  changed after that: an amount that any KPI of the same maturity reads.  A status that changes is
  said of all of these, with the same value and revision if nothing else changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from streams.core.kpi import Kpi, Value
from streams.core.measure import CutKey
from streams.core.window import Span, Window

PROVISIONAL = "provisional"
FINAL = "final"
CORRECTED = "corrected"
UNDATED = frozenset(("rolling_5m", "rolling_30m", "rolling_60m", "now"))
"""Kinds of windows whose results have no start in their key."""


class Result(NamedTuple):
    """One result; ``value`` None withdraws what was said before.  ``as_of_ms`` is the board's mark,
    None while there is none."""

    kpi: Kpi
    cut: CutKey
    key: Mapping[str, str]
    span: Span
    value: Value | None
    status: str
    revision: int
    as_of_ms: int | None


class Words(NamedTuple):
    """The statuses of a window's KPIs: which of them are past provisional, and which of those are
    ``corrected``; sets as in ``Plan``."""

    due: int
    corrected: int

    def of(self, kpi: int) -> str:
        """The status of one KPI, by its bit."""
        if not self.due & kpi:
            return PROVISIONAL
        return CORRECTED if self.corrected & kpi else FINAL


def words_of(window: Window, mark_ms: int, grace_ms: int) -> Words:
    """What may be said of a window while the board's mark is ``mark_ms`` (-1: unknown)."""
    due = corrected = 0
    if window.span.kind == "now":
        return Words(due, corrected)
    for matures_ms, kpis in window.plan.ripening:
        due_ms = window.span.end_ms + grace_ms + matures_ms
        if mark_ms < due_ms:
            break
        due |= kpis
        stamp_ms = window.matured.get(matures_ms, -1) if matures_ms else window.mark_ms
        if stamp_ms >= due_ms:
            corrected |= kpis
    return Words(due, corrected)
