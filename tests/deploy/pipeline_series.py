"""Series of a pipeline: whether workers answer, how far time has come, what they count."""

from __future__ import annotations

from collections.abc import Mapping

from tests.deploy.promtool import (
    STEP,
    Case,
    Check,
    Samples,
    Value,
    line,
    series,
)

SECONDS = 1500
KEEPS = 300
STARTED = series("process_start_time_seconds", {})


def up(*parts: tuple[Value, int], worker: str = "a") -> dict[str, Samples]:
    """Whether a worker answers."""
    return {series("up", {}, worker): line(*parts)}


def marks(*parts: tuple[Value, int], partition: int = 0, worker: str = "a") -> dict[str, Samples]:
    """The time of a board partition by its age (None: not shown); time begins at 0."""
    ages = line(*parts)
    values = tuple(None if age is None else i * STEP - age for i, age in enumerate(ages))
    return {series("cc_board_mark_timestamp_seconds", board(partition), worker): values}


def board(partition: int) -> dict[str, str]:
    return {"origin": f"board/{partition}"}


def aging(seconds: int, of: int) -> Samples:
    """A mark that stands still from then on."""
    return tuple(float(min(i * STEP, seconds)) for i in range(of // STEP))


def counter(
    name: str, labels: Mapping[str, str], *parts: tuple[Value, int], worker: str = "a"
) -> dict[str, Samples]:
    """A counter's values."""
    return {series(name, labels, worker): line(*parts)}


def case(alert: str, kind: str, *given: Mapping[str, Samples] | Check, of: str = "") -> Case:
    """Series and checks of a case."""
    merged: dict[str, Samples] = {}
    for each in given:
        if isinstance(each, Mapping):
            merged |= each
    checks = tuple(each for each in given if isinstance(each, Check))
    assert checks
    return Case(f"{alert}/{of or kind}", alert, kind, merged, checks)


REASON = {"stage": "ingest", "reason": "json.bad"}
BOARD = {"stage": "board"}
