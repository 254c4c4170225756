"""What is read by whoever is woken up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.deploy.alert_texts import (
    ABSENT,
    ALERTS,
    AT,
    PIPELINE,
    TEXTS,
    WATCHDOG,
    Text,
    cases,
    expected,
)
from tests.deploy.promtool import JOB, document, failures


def _alert_test(alert: str, found: Sequence[object], seconds: int = AT) -> dict[str, object]:
    return {"alertname": alert, "eval_time": f"{seconds}s", "exp_alerts": found}


def test_every_alert_says_what_is_wrong_and_where_to_look(tmp_path: Path) -> None:
    names = {text.alert for text in TEXTS}
    assert names == {name for name, _ in ALERTS} - {"CCWatchdog"}  # see below
    tests = [_alert_test(n, [expected(t) for t in TEXTS if t.alert == n]) for n in sorted(names)]
    said = failures([document(cases(), alert_rule_test=tests)], tmp_path)
    assert not said, said[:20_000]


def test_where_nothing_is_scraped_it_is_told_and_the_watchdog_goes_on(tmp_path: Path) -> None:
    absent = Text("CCPipelineAbsent", {}, ABSENT, PIPELINE)
    watchdog = Text("CCWatchdog", {}, WATCHDOG, PIPELINE)
    tests = [
        _alert_test(text.alert, [expected(text, everywhere)], 60)
        for text, everywhere in ((absent, {"job": JOB}), (watchdog, {}))
    ]
    said = failures([document((), alert_rule_test=tests)], tmp_path)
    assert not said, said
