"""What a run tells: its seed and plan, a line per fault, a verdict.  As text, or one JSON object a
line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from tests.chaos.nemesis import Struck
from tests.chaos.plan import Planned

Complaint = tuple[str, str]
"""What kind of promise was broken, and how."""
COMPLAINTS_MAX = 40
"""Violations that are written out; the rest is counted."""
LETTERS_MAX = 300
"""Of one violation, in text; in JSON it is whole."""


class Reporter:
    """Writes to ``stream``; nothing at all if there is none."""

    def __init__(self, stream: TextIO | None = sys.stdout, as_json: bool = False) -> None:
        self._stream, self._as_json = stream, as_json

    def begin(self, seed: int, faults: Sequence[str], planned: Sequence[Planned]) -> None:
        """The run's seed and everything it is going to do."""
        listed = [[one.at_ms, one.fault, one.parameters] for one in planned]
        text = f"seed {seed}: {len(planned)} faults ({', '.join(faults)})"
        self._tell({"seed": seed, "plan": listed}, "\n".join([text, *map(str, planned)]))

    def step(self, text: str) -> None:
        """Something that is no fault."""
        self._tell({"step": text}, f"-- {text}")

    def fault(self, struck: Struck) -> None:
        """One fault whose effect is over, or that the end of the run has overtaken."""
        after = (
            "not over yet" if struck.over is None else f"over {struck.over - struck.began:.1f} s"
        )
        found = {
            "fault": struck.planned.fault,
            "at_seconds": round(struck.began, 1),
            "lasted_seconds": round(struck.ended - struck.began, 1),
            "over_seconds": struck.over and round(struck.over - struck.began, 1),
            "what": struck.what,
        }
        line = f"{struck.began:7.1f} s  {struck.planned.fault:<16} {struck.what}; {after}"
        self._tell(found, line)

    def verdict(
        self, seed: int, complaints: Sequence[Complaint], facts: Mapping[str, int | float]
    ) -> None:
        """The last word; ``facts`` are counts and seconds of the run."""
        word = "FAILED" if complaints else "PASSED"
        counted = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in facts.items())
        found = {
            "verdict": word,
            "seed": seed,
            "violations": [list(one) for one in complaints],
            "facts": dict(facts),
        }
        head = f"seed {seed}: {word}, {len(complaints)} violations; {counted}"
        self._tell(found, "\n".join([head, *written(complaints)]))

    def _tell(self, found: Mapping[str, object], text: str) -> None:
        if self._stream is not None:
            self._stream.write((json.dumps(found) if self._as_json else text) + "\n")
            self._stream.flush()


def written(complaints: Sequence[Complaint], whole: bool = False) -> list[str]:
    """Violations as lines, not more and not longer than anybody reads; ``whole``: all of each."""
    most = None if whole else LETTERS_MAX
    lines = [f"  {kind}: {detail}"[:most] for kind, detail in complaints[:COMPLAINTS_MAX]]
    more = len(complaints) - len(lines)
    return [*lines, f"  and {more} more"] if more else lines


Say = Callable[[str], None]
