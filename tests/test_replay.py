"""Computations: what they are called, what of them is compared, how the command is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.cli.parsing import UsageError
from streams.cli.replay import main, next_steps
from streams.deployment import Deployment
from streams.replay import Origin, _counted, flags_of
from streams.runtime.app import shape_of
from streams.runtime.stages import stage_specs, targets
from streams.settings import Settings, load


def settings(number: int = 1, origin: Origin = "events") -> Settings:
    flags = {} if number == 1 else flags_of(number, origin)
    return load({}, flags=flags, folder=Path("/nowhere"))


@pytest.mark.parametrize("origin", ["events", "raw"])
@pytest.mark.parametrize("number", [1, 2, 12])
def test_what_a_worker_uses_is_what_the_deployment_creates(number: int, origin: Origin) -> None:
    chosen = settings(number, origin)
    shape, deployment = shape_of(chosen), Deployment.of(chosen)
    there = {spec.name for spec in deployment.specs()}
    used = {target.topic for target in targets(shape).values()}
    for spec in stage_specs(shape):
        used |= {spec.topic} | ({spec.changelog} if spec.changelog else set())
    assert used <= there
    assert set(deployment.kpi_topics()) <= used
    assert {deployment.topic("events.contact.v1"), deployment.topic("partials.v1")} <= used
    # Nothing else is made but raw topics, events and the notes of the meaning and of replays.
    others = {name for name in there - used if ".raw." not in name and ".events." not in name}
    assert others == {f"{deployment.group}-meaning", deployment.replays_topic}


def test_a_computation_shares_events_and_nothing_that_is_computed() -> None:
    first, second = settings(), settings(2)
    made = [{spec.name for spec in Deployment.of(s).specs()} for s in (first, second)]
    raw = {Deployment.of(first).raw_topic(source) for source in first.ingest.sources}
    raw.add("cc.dlq.replays.v1")
    assert made[0] & made[1] == raw | {"cc.events.contact.v1", "cc.events.agent.v1"}
    again = {spec.name for spec in Deployment.of(settings(2, "raw")).specs()}
    assert made[0] & again == raw
    assert (first.kafka.group, second.kafka.group) == ("contact-streams", "contact-streams-r2")


def test_beside_the_live_workers_raw_topics_are_left_to_them() -> None:
    stages = [spec.name for spec in stage_specs(shape_of(settings(2)))]
    assert "ingest" not in stages
    assert "ingest" in [spec.name for spec in stage_specs(shape_of(settings(2, "raw")))]


def result(**said: Any) -> bytes:
    usual = {"value": 0.5, "numerator": 1, "denominator": 2, "status": "final", "revision": 1}
    return json.dumps(usual | said).encode()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (result(), result(revision=7, status="corrected"), "same"),
        (result(), result(numerator=2, denominator=4), "differ"),
        (result(), None, "only_old"),
        (None, result(), "only_new"),
        (result(), result(status="provisional", value=1), "running"),
        (None, result(status="provisional"), "running"),
        (result(buckets=[[1, 2]]), result(buckets=[[1, 1]]), "differ"),
    ],
)
def test_windows_are_compared(old: bytes | None, new: bytes | None, field: str) -> None:
    name = b'["kpi","queue","PS","voice","day",1791158400000]'
    sides = [{name: side} if side is not None else {} for side in (old, new)]
    fields = ("same", "differ", "only_old", "only_new", "running")
    assert _counted(*sides) == tuple(int(one == field) for one in fields)


def test_levels_and_rolling_windows_are_not_compared() -> None:
    now = {b'["kpi","queue","PS","voice","now"]': result()}
    assert _counted(now, {}) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "words", [[], ["--recompute", "--drop", "2"], ["--recompute", "--number", "1"], ["--form"]]
)
def test_wrong_words_are_told_before_anything_is_done(
    words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        main(words)


def test_the_last_word_is_how_to_switch_over_and_how_not_to() -> None:
    told = next_steps(2, 1, "events")
    assert "kafka.computation = 2" in told
    assert "replay --drop 1, or 2" in told
    assert "computed_from" not in told
    assert 'kafka.computed_from = "raw"' in next_steps(2, 1, "raw")
