"""The results that stand in the KPI topics against those that must."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from streams.core.kpi import Value
from streams.core.window import FIXED
from tests.week.expected import Name

NOTHING = (0, 0.0)
"""What stands where everything has been taken back."""


def named(key: bytes, value: bytes) -> tuple[Name, Any] | None:
    """A record of a KPI topic; None if it is of no window of the clock."""
    told = orjson.loads(value)
    if told["window"]["kind"] not in FIXED:
        return None
    kpi, *cut = orjson.loads(key)[:-2]
    start = datetime.fromisoformat(told["window"]["start"])
    return (kpi, tuple(cut), told["window"]["kind"], round(start.timestamp() * 1000)), told


def differences(records: Iterable[tuple[bytes, bytes]], wanted: Mapping[Name, Value]) -> list[str]:
    """One line per result that is not what it must be, in its value or in what that is made of."""
    found = dict(filter(None, (named(key, value) for key, value in records)))
    wrong = []
    for name, told in found.items():
        value = wanted.get(name)
        if value is None:
            if told["value"] not in NOTHING:
                wrong.append(f"{name} is {told['value']} and should not be there")
        elif not same(told, value):
            wrong.append(f"{name} is {told}, not {value}")
    missing = wanted.keys() - found.keys()
    return wrong + [f"{name} is missing, not {wanted[name]}" for name in sorted(missing)]


def same(told: Mapping[str, Any], value: Value) -> bool:
    buckets = None if value.buckets is None else [list(bucket) for bucket in value.buckets]
    parts = (told["value"], told.get("numerator"), told.get("denominator"))
    return parts == value[:3] and (buckets is None or buckets == told["buckets"])
