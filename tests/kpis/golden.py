"""The definitions as they were recorded, and what may change about them without a new version.

``python -m tests.kpis.golden`` records the present ones.  It refuses where the meaning of a KPI has
changed and its version has not; ``--unreleased`` records all the same, which is right only as long
as nobody has results of the old meaning.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streams.core.kpi import Kpi
from streams.core.measure import Cut, Measure
from streams.kpis import ALL_CUTS, ALL_KPIS, ALL_MEASURES

GOLDEN = Path(__file__).with_name("golden.json")
MEANING = ("formula", "measures", "attribution", "unit", "family", "cuts", "windows")
Json = dict[str, Any]


def plain(value: Any) -> Any:
    """A definition as JSON; a measure inside a formula and a cut are their names."""
    if isinstance(value, Measure | Cut):
        return value.name
    if isinstance(value, type):
        return value.__name__
    if hasattr(value, "_asdict"):
        return {"is": type(value).__name__} | {k: plain(v) for k, v in value._asdict().items()}
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return value


def definitions() -> Json:
    def fields(one: Kpi | Measure) -> Json:
        return {k: plain(v) for k, v in one._asdict().items() if k not in ("name", "help")}

    return {
        "cuts": {name: list(cut.dimensions) for name, cut in sorted(ALL_CUTS.items())},
        "kpis": {k.name: fields(k) for k in sorted(ALL_KPIS, key=lambda k: k.name)},
        "measures": {m.name: fields(m) for m in sorted(ALL_MEASURES, key=lambda m: m.name)},
    }


def recorded() -> Json:
    found: Json = json.loads(GOLDEN.read_text())
    return found


# -- what a version has to say


def unversioned(old: Json, new: Json) -> Iterator[str]:
    """Changes that need a higher version and have none, a sentence each with what to do."""
    for name, was in old["kpis"].items():
        now = new["kpis"].get(name)
        if now is None:
            yield from _removed(name, was["family"], old, new)
        elif now["version"] < was["version"]:
            yield f"KPI {name}: its version fell from {was['version']} to {now['version']}"
        elif now["version"] == was["version"] and (parts := _changed(name, old, new)):
            yield (
                f"KPI {name}: its {' and '.join(parts)} changed, and results of two meanings would "
                f"stand in one topic. Set version={was['version'] + 1} in its definition, which "
                "gives its family another topic, and note it in CHANGELOG.md under State and topics"
            )
    for family, version in _versions(old).items():
        if _versions(new).get(family, version) < version:
            yield (
                f"family {family}: its version fell below {version}, back to a topic of older "
                f"meanings. Set version={version + 1} in one of its definitions"
            )


def _removed(name: str, family: str, old: Json, new: Json) -> Iterator[str]:
    before, after = _versions(old)[family], _versions(new).get(family)
    if after is not None and after <= before:
        yield (
            f"KPI {name}: it is gone, and its last results would stand in the topic for ever. Set "
            f"version={before + 1} in a definition of family {family}, which gives it another topic"
        )


def _versions(all_: Json) -> dict[str, int]:
    versions: dict[str, int] = {}
    for kpi in all_["kpis"].values():
        versions[kpi["family"]] = max(kpi["version"], versions.get(kpi["family"], 0))
    return versions


def _changed(name: str, old: Json, new: Json) -> list[str]:
    """Which parts of the meaning differ; more cuts and more windows are no difference."""
    was, now = _meaning(name, old), _meaning(name, new)
    return [part for part in MEANING if not _still(was[part], now[part])]


def _still(was: Any, now: Any) -> bool:
    return bool(was <= now if isinstance(was, set) else was == now)


def _meaning(name: str, all_: Json) -> Json:
    kpi = all_["kpis"][name]
    read = [m for m in _names(kpi["formula"]) if m in all_["measures"]]
    return {
        **{part: kpi[part] for part in ("formula", "attribution", "unit", "family")},
        "measures": {m: _counted(all_["measures"][m]) for m in read},
        "cuts": {(cut, *all_["cuts"][cut]) for cut in kpi["cuts"]},
        "windows": set(kpi["windows"]),
    }


def _counted(measure: Json) -> Json:
    return {part: value for part, value in measure.items() if part != "cuts"}


def _names(formula: Json) -> Iterator[str]:
    """Every amount, histogram or register that a formula names."""
    for part, value in formula.items():
        for one in value if isinstance(value, list) else [value]:
            if part != "is" and isinstance(one, str):
                yield one.removeprefix("-")


# -- recording


def record(arguments: list[str]) -> int:
    """Write the golden file, or say why not; gives the exit code."""
    problems = [] if "--unreleased" in arguments else list(unversioned(recorded(), definitions()))
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return 1
    parts = (f" {json.dumps(name)}: {_written(group)}" for name, group in definitions().items())
    GOLDEN.write_text("{\n" + ",\n".join(parts) + "\n}\n")
    return 0


def _written(group: Json) -> str:
    """One line per definition, so that a difference shows whole definitions."""
    rows = (f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in group.items())
    return "{\n" + ",\n".join(rows) + "\n }"


if __name__ == "__main__":
    raise SystemExit(record(sys.argv[1:]))
