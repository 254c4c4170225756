"""A queue breaches its service level: the floor is paged within a minute, told when it is over, and
not paged at all for what is long past."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.kafka.embedded import EmbeddedCluster
from tests.live.breach import LATE_MS, SETTINGS, Story
from tests.live.centre import Clock
from tests.live.site import a_site

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

FACTOR = 30
PAGE_SECONDS_MAX = 60


def test_a_breach_is_paged_within_a_minute_and_a_past_one_is_not(
    broker: EmbeddedCluster, prefix: str, tmp_path: Path
) -> None:
    with (
        a_site(broker, prefix, tmp_path, settings=SETTINGS, factor=FACTOR) as site,
        Clock(site.run, LATE_MS) as clock,
        site.worker(0),
    ):
        story = Story(site, clock)
        story.arrives_late()
        story.catches_up()
        pages = story.breaches()
        story.recovers()
    for page in pages:
        assert page.shipped < PAGE_SECONDS_MAX
        print(f"{page.told.name}: {page.seconds:.1f} s, {page.shipped:.1f} s as shipped")
