"""Targets from TOML, and what is said of those that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.core.target import Limits, Since, Target
from streams.errors import SettingsError
from streams.settings import describe, load
from streams.settings.load import Settings


def settings(folder: Path, text: str) -> Settings:
    (folder / "contact-streams.toml").write_text(text)
    return load({}, folder=folder)


def one(folder: Path, text: str) -> Target:
    (target,) = settings(folder, f'[targets."T"]\n{text}').targets
    return target


LEVEL = 'kpi = "service_level_pos"\nwindow = "rolling_30m"\n'


def test_a_target_with_everything(tmp_path: Path) -> None:
    target = one(
        tmp_path,
        f"""{LEVEL}
        queues = ["sales", "orders"]
        channel = "voice"
        at_least = 0.8
        warning = 0.85
        clear = 0.82
        volume_min = 20
        breach_after = 2
        clear_after = 3
        """,
    )
    assert (target.name, target.kpi.name, target.window) == (
        "T",
        "service_level_pos",
        "rolling_30m",
    )
    assert (target.cut, target.queues, target.channel) == ("queue", {"sales", "orders"}, "voice")
    assert target.at_least
    assert target.dated == (Since(0, Limits(0.8, 0.82, 0.85, 20, 2, 3)),)


def test_what_is_not_said(tmp_path: Path) -> None:
    """A level has one window; a breach ends at the warning if there is one, else at the target."""
    target = one(tmp_path, 'kpi = "contacts_waiting"\nat_most = 10')
    assert (target.window, target.queues, target.at_least) == ("now", frozenset(), False)
    assert target.dated == (Since(0, Limits(10, 10)),)
    warned = one(tmp_path, 'kpi = "contacts_waiting"\nat_most = 10\nwarning = 7')
    assert warned.at(0).clear == 7


def test_limits_by_date_build_on_each_other(tmp_path: Path) -> None:
    target = settings(
        tmp_path,
        f"""
        [defaults]
        zone = "Europe/Berlin"
        [targets."T"]
        {LEVEL}
        at_least = 0.8
        volume_min = 5
        [[targets."T".since]]
        from = "2026-11-01"
        at_least = 0.9
        [[targets."T".since]]
        from = 2027-01-01T00:00:00Z
        warning = 0.95
        """,
    ).targets[0]
    november = int(datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp()) * 1000
    january = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) * 1000
    assert target.at(november - 1) == Limits(0.8, 0.8, volume_min=5)
    assert target.at(november) == Limits(0.9, 0.9, volume_min=5)
    assert target.at(january) == Limits(0.9, 0.95, 0.95, volume_min=5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('kpi = "service_level_po"\nat_least = 1', "there is no such KPI; did you mean service_l"),
        ("at_least = 1", ".kpi: is missing"),
        ('kpi = "contacts_waiting"\nwindow = "day"\nat_most = 1', "it has none; contacts_waiting"),
        ('kpi = "service_level_pos"\nat_least = 1', ".window: is missing; service_level_pos has"),
        (LEVEL, ".at_least, at_most: one of them is needed"),
        (f"{LEVEL}at_least = 0.8\nat_most = 0.9", ".at_least, at_most: only one of them"),
        (f"{LEVEL}at_least = 80", ".at_least = 80: a ratio lies between 0 and 1"),
        (f"{LEVEL}at_least = 0.8\nwarning = 0.7", ".warning = 0.7: must be at least at_lea"),
        (f"{LEVEL}at_least = 0.8\nclear = 0.7", ".clear = 0.7: must be at least at_least,"),
        ('kpi = "contacts_waiting"\nat_most = 5\nclear = 6', ".clear = 6: must be at most at_most"),
        ('kpi = "longest_wait"\nat_most = 5\nvolume_min = 1', "longest_wait is not made of a num"),
        (f"{LEVEL}at_least = 0.8\nchanel = 1", ".chanel: there is no such setting; did you mean c"),
        (f'{LEVEL}at_least = 0.8\nchannel = "phone"', ".channel = 'phone': must be one of voice"),
        (f'{LEVEL}at_least = 0.8\ncut = "agent"', "is not kept so; it has queue, channel"),
        (f'{LEVEL}at_least = 0.8\ncut = "channel"\nqueues = ["a"]', "by channel, which knows no"),
        (f"{LEVEL}at_least = 0.8\nbreach_after = 0", ".breach_after = 0: must be 1 to 1000"),
        (f'{LEVEL}at_least = "high"', ".at_least = 'high': must be a number"),
        (f'{LEVEL}at_least = 1\n[[targets."T".since]]\nat_least = 0.9', "from: is missing"),
        (
            f'{LEVEL}at_least = 1\n[[targets."T".since]]\nfrom = "2027-01-01"\nat_most = 1',
            ".since[0]: the target is at_least, and stays so",
        ),
        (
            f'{LEVEL}at_least = 0.5\nclear = 0.6\n[[targets."T".since]]\nfrom = "2027-01-01"\n'
            "at_least = 0.7",
            ".since[0].clear = 0.6: must be at least at_least, which is 0.7",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        one(tmp_path, text)
    assert len(raised.value.problems) == 1, raised.value.problems
    assert raised.value.problems[0].startswith("targets.'T'")
    assert says in raised.value.problems[0]


def test_a_distribution_cannot_be_a_target(tmp_path: Path) -> None:
    from streams.core.kpi import Distribution
    from streams.kpis import ALL_KPIS

    name = next(kpi.name for kpi in ALL_KPIS if isinstance(kpi.formula, Distribution))
    with pytest.raises(SettingsError, match="a distribution, which has no one value"):
        one(tmp_path, f'kpi = "{name}"\nwindow = "day"\nat_most = 1')


def test_all_problems_are_told_at_once_and_a_table_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        settings(tmp_path, f"targets.a = 1\n[targets.b]\n{LEVEL}at_least = 2\nwarning = 0.9\n")
    assert len(raised.value.problems) == 3


def test_targets_are_described(tmp_path: Path) -> None:
    shown = describe(settings(tmp_path, f'[targets."Soon"]\n{LEVEL}at_least = 0.8'))
    assert (
        "targets.'Soon' since ever: service_level_pos rolling_30m of every queue: at_least 0.8"
        in (shown)
    )
