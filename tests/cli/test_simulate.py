"""The simulated contact centre: the same seed the same lines, and a log that adds up."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest

from streams.core.pseudonym import no_pseudonym
from streams.core.source import Record, Rejected
from streams.simulate import HOUR_MS, LINES_PER_CALL, Centre, calls
from streams.sources import SOURCES

START_MS = 1_791_183_600_000
ENDS = ("CONNECT", "ABANDON", "EXITWITHKEY", "EXITWITHTIMEOUT", "WITHDRAW")
LEG_ENDS = ("COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER")


def told(seed: int = 7, hours: int = 2, centre: Centre | None = None) -> list[tuple[int, str]]:
    until_ms = START_MS + hours * HOUR_MS
    return list(calls(Random(seed), centre or Centre(), START_MS, until_ms))


def fields(lines: list[tuple[int, str]]) -> Iterator[list[str]]:
    return (line.split("|") for _, line in lines)


def test_the_same_seed_gives_the_same_lines_and_another_one_does_not() -> None:
    assert told(seed=1) == told(seed=1)
    assert told(seed=1) != told(seed=2)


@pytest.mark.parametrize("seed", range(5))
def test_time_never_runs_backwards(seed: int) -> None:
    times = [time_ms for time_ms, _ in told(seed)]
    assert times == sorted(times)
    assert times[0] == START_MS


def test_every_line_is_one_that_asterisk_could_write() -> None:
    decode = SOURCES["asterisk_queue_log"].decode
    for time_ms, line in told():
        record = Record("raw", 0, 0, time_ms, None, line.encode())
        events = decode(record, no_pseudonym)
        assert not isinstance(events, Rejected), line
        assert line.startswith(f"{time_ms // 1000}|")


@pytest.mark.parametrize("seed", range(5))
def test_every_visit_ends_once_and_every_leg_ends_once(seed: int) -> None:
    verbs = Counter(parts[4] for parts in fields(told(seed)))
    assert verbs["ENTERQUEUE"] == sum(verbs[verb] for verb in ENDS) > 0
    assert verbs["CONNECT"] == sum(verbs[verb] for verb in LEG_ENDS) > 0


@pytest.mark.parametrize("seed", range(3))
def test_an_agent_has_one_call_at_a_time(seed: int) -> None:
    busy: set[str] = set()
    for _, _, _, agent, verb, *_ in fields(told(seed)):
        if verb == "CONNECT":
            assert agent not in busy
            busy.add(agent)
        elif verb in LEG_ENDS:
            busy.remove(agent)
    assert not busy


def test_reported_waits_are_the_differences_of_the_reported_times() -> None:
    entered: dict[tuple[str, str], int] = {}
    for time_s, call, queue, _, verb, *params in fields(told()):
        if verb == "ENTERQUEUE":
            entered[call, queue] = int(time_s)
        elif verb == "CONNECT":
            assert int(params[0]) == int(time_s) - entered[call, queue]
        elif verb in ENDS:
            assert int(params[-1]) == int(time_s) - entered[call, queue]


def test_the_first_to_come_is_the_first_to_be_offered() -> None:
    patient = Centre(queues=("sales",), patience_mean_s=1e9, queue_limit_s=1e9, no_answer_share=0)
    rung: dict[str, int] = {}
    for time_s, call, _, _, verb, *params in fields(told(centre=patient)):
        if verb == "ENTERQUEUE":
            rung.setdefault(call, 0)
        elif verb == "CONNECT":
            rung[call] = rung[call] or int(time_s) - int(params[2])
    offered = [time_s for time_s in rung.values() if time_s]
    assert offered == sorted(offered)
    assert len(offered) > 100


def test_the_odd_cases_are_all_there() -> None:
    lines = told(hours=12)
    verbs = Counter(parts[4] for parts in fields(lines))
    assert set(verbs) >= {"RINGNOANSWER", "RINGCANCELED", "PAUSEALL", *ENDS[:3], *LEG_ENDS}
    visits = Counter((call, queue) for _, call, queue, _, verb, *_ in fields(lines)
                     if verb == "ENTERQUEUE")  # fmt: skip
    assert max(visits.values()) > 1, "nobody came back to a queue"
    assert len({call for call, _ in visits}) < len(visits), "nobody was sent to another queue"


def test_the_rate_is_what_was_asked_for() -> None:
    lines = told(hours=10, centre=Centre(calls_per_hour=1000))
    arrivals = len({parts[1] for parts in fields(lines) if parts[4] == "ENTERQUEUE"})
    assert arrivals == pytest.approx(10_000, rel=0.05)
    assert len(lines) / arrivals == pytest.approx(LINES_PER_CALL, rel=0.05)


def test_without_an_end_there_is_always_one_more_line() -> None:
    endless = calls(Random(3), Centre(), START_MS)
    assert sum(1 for _ in islice(endless, 20_000)) == 20_000


@pytest.mark.parametrize(
    "wrong",
    [{"queues": ()}, {"queues": ("a", "a")}, {"queues": ("a|b",)}, {"calls_per_hour": 0.0},
     {"agents": -1}],
)  # fmt: skip
def test_what_cannot_be_a_centre_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"queue|rate|agents"):
        Centre(**wrong)  # type: ignore[arg-type]
