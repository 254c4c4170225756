"""A board played by hand, message by message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.core.board import Board
from streams.core.kpi import Kpi
from streams.core.measure import Amounts, CutKey
from streams.core.partials import Mark, Partial, Register
from streams.core.terms import MINUTE_MS
from tests.boards.definitions import KPIS, MINUTE, TERMS, A

ORIGIN = "contacts/0"


class Played:
    """A board and the offset its topic has come to."""

    def __init__(self, *, origins: int = 1, keep_ms: int = 0, kpis: Sequence[Kpi] = KPIS) -> None:
        self.board = Board(TERMS, kpis, origins, keep_ms=keep_ms, offered="offered")
        self.offset = -1
        self.segment = -1

    def take(self, message: Partial | Register | Mark) -> Played:
        self.offset += 1
        self.board.absorb(message, self.offset)
        return self

    def add(self, cut: CutKey, minute: int, amounts: Amounts, origin: str = ORIGIN) -> Played:
        """A share of a segment of its own, so its amounts are added."""
        self.segment += 1
        at = self.segment
        return self.take(Partial(origin, at, cut, MINUTE + minute, 10 * at, amounts))

    def mark(self, minute: float, origin: str = ORIGIN) -> Played:
        return self.take(Mark(origin, self.offset + 1, int((MINUTE + minute) * MINUTE_MS)))

    def post(self, cut: CutKey, values: Amounts, origin: str = ORIGIN) -> Played:
        return self.take(Register(origin, cut, self.offset + 1, values))

    def said(self, *kinds: str, name: str = "", cut: CutKey = A) -> dict[tuple[str, str], Any]:
        """What is said now: (KPI, kind) -> value; None for what is withdrawn."""
        return {
            (r.kpi.name, r.span.kind): None if r.value is None else r.value.value
            for r in self.board.results()
            if r.cut == cut and r.span.kind in (kinds or ("quarter_hour",))
            if not name or r.kpi.name == name
        }

    def status(self, kind: str = "quarter_hour") -> set[str]:
        return {r.status for r in self.board.results() if r.span.kind == kind and r.cut == A}

    def shown(self, kind: str, name: str = "offered", cut: CutKey = A) -> dict[str, Any]:
        """What /metrics shows after saying all there is to say: state -> value."""
        self.board.results()
        rows = self.board.news.shown.rows
        return {
            state: rows[name, cut, kind, state].value
            for state in ("open", "closed", "now")
            if (name, cut, kind, state) in rows
        }
