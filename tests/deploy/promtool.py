"""Unit tests of rules, written in Python and run by the real promtool, all cases at once.

Each case is a *namespace* of its own (a label that rules keep), so many share one timeline, and one
run of promtool is enough for a file of tests.  Time goes in steps of 15 s, which is both how often
is scraped and how often rules are evaluated.
"""

from __future__ import annotations

import json
import re
import subprocess
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from deploy.generated import FOLDER
from tests.tools.debian import tool

RULES = FOLDER / "prometheus" / "rules"
STEP = 15
JOB = "contact-streams"
UNSCRAPED = "_"
Value = float | str | None
Samples = tuple[Value, ...]
"""One for each step; None: the scrape did not find it; ``UNSCRAPED``: there was no scrape, which
Prometheus bridges for five minutes."""


def steps(seconds: int) -> int:
    """How many steps that is."""
    assert seconds % STEP == 0, seconds
    return seconds // STEP


def line(*parts: tuple[Value, int]) -> Samples:
    """Values and for how many seconds they stay.

    >>> line((1.0, 30), (None, 15))
    (1.0, 1.0, None)
    """
    return tuple(value for value, seconds in parts for _ in range(steps(seconds)))


def notation(samples: Samples) -> str:
    """As promtool writes it.  What was there and is not any more is stale, as after a scrape.

    >>> notation((1.0, 1.0, None, None, 2.0))
    '1+0x1 stale _x1 2'
    """
    parts = []
    for value, run in groupby(samples, key=repr):
        times = len(list(run))
        if value == repr(UNSCRAPED):
            parts.append(f"_x{times}")
        elif value != "None":
            parts.append(f"{float(value):.10g}" + (f"+0x{times - 1}" if times > 1 else ""))
        elif not parts:
            parts.append(f"_x{times}")
        else:
            parts.append("stale" + (f" _x{times - 1}" if times > 1 else ""))
    return " ".join(parts)


class Check(NamedTuple):
    """``expression`` at ``seconds`` is one number, or nothing (None)."""

    seconds: int
    expression: str
    value: float | None


class Case(NamedTuple):
    """What is scraped, and what must come of it.  ``kind`` is what it is a case of, or several."""

    name: str
    alert: str
    kind: str
    series: Mapping[str, Samples]
    checks: tuple[Check, ...]


def series(metric: str, labels: Mapping[str, str], worker: str = "a") -> str:
    """A series of a worker, without the namespace, which ``tests`` adds."""
    return _selector(metric, {"job": JOB, "instance": worker, **labels})


def _selector(metric: str, labels: Mapping[str, str]) -> str:
    return metric + "{" + ",".join(f"{k}={json.dumps(v)}" for k, v in labels.items()) + "}"


FIRING = "FIRING"
"""In an expression of a check: the alert of the case, firing."""


def firing(seconds: int, alerts: int = 1) -> Check:
    """It fires then, once (or as often as said)."""
    return Check(seconds, f"count({FIRING})", alerts)


def silent(seconds: int) -> Check:
    """It does not fire then."""
    return Check(seconds, f"count({FIRING})", None)


def never(until: int) -> Check:
    """It has not fired at any moment until then."""
    return Check(until, f"sum(count_over_time({FIRING}[{until + STEP}s]))", None)


def throughout(since: int, until: int) -> Check:
    """It fires at each evaluation from then to then, inclusive: no flapping, and never twice."""
    evaluations = steps(until - since) + 1
    expression = f"sum(count_over_time({FIRING}[{until - since + 1}s]))"
    return Check(until, expression, evaluations)


LENGTHS = (1_000, 2_000)
"""Cases that take up to as many seconds share a timeline; a longer one evaluates all for longer."""


def document(cases: Iterable[Case], rules: str = "*", **more: object) -> dict[str, object]:
    """A test file for promtool with these rules; ``more`` goes into each of its tests."""
    lengths: dict[int, list[Case]] = {}
    for case in cases:
        last = max((check.seconds for check in case.checks), default=0)
        lengths.setdefault(bisect_left(LENGTHS, last), []).append(case)
    return {
        "rule_files": [str(path) for path in sorted(RULES.glob(f"{rules}.rules.yml"))],
        "evaluation_interval": f"{STEP}s",
        "tests": [{**_timeline(each), **more} for each in lengths.values() or [[]]],
    }


def _timeline(cases: Iterable[Case]) -> dict[str, object]:
    inputs = [
        {"series": key[:-1] + f',namespace="{case.name}"}}', "values": notation(samples)}
        for case in cases
        for key, samples in case.series.items()
    ]
    checks = [_expression_test(case, check) for case in cases for check in case.checks]
    return {"interval": f"{STEP}s", "input_series": inputs, "promql_expr_test": checks}


def _expression_test(case: Case, check: Check) -> dict[str, object]:
    labels = {"alertname": case.alert, "alertstate": "firing", "namespace": case.name}
    expression = check.expression.replace(FIRING, _selector("ALERTS", labels))
    samples = [] if check.value is None else [{"labels": "{}", "value": check.value}]
    return {"expr": expression, "eval_time": f"{check.seconds}s", "exp_samples": samples}


def failures(files: Sequence[Mapping[str, object]], folder: Path) -> str:
    """What promtool says against these test files; nothing if all is well."""
    paths = []
    for number, content in enumerate(files):
        # JSON is YAML.
        path = folder / f"{number}.yml"
        path.write_text(json.dumps(content), "utf-8")
        paths.append(str(path))
    command = [str(tool("promtool")), "test", "rules", *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode in (0, 1), done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr


def failed(output: str, cases: Iterable[Case]) -> list[str]:
    """The names of the cases that an output of ``failures`` speaks of."""
    named = set(re.findall(r'namespace=\\?"([^"\\]+)\\?"', output))
    return [case.name for case in cases if case.name in named]
