"""``python -m tests.live --shipped``: the story of ``test_breach.py`` with the shipped intervals.

Nothing is shortened, so it takes a quarter of an hour; what it prints is how long it takes from a
breach in a worker's window to the page, and from well again to "resolved".
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import pytest

from streams.kafka.embedded import EmbeddedCluster
from tests.live.breach import LATE_MS, SETTINGS, Story
from tests.live.centre import Clock
from tests.live.site import a_site


def main(arguments: list[str]) -> int:
    """Run it; gives the exit code."""
    if arguments != ["--shipped"]:
        print(__doc__, file=sys.stderr)
        return 2
    with EmbeddedCluster().start() as broker, tempfile.TemporaryDirectory() as folder:
        try:
            _play(broker, Path(folder))
        except pytest.skip.Exception as error:
            print(error, file=sys.stderr)
            return 3
    return 0


def _play(broker: EmbeddedCluster, folder: Path) -> None:
    with (
        a_site(broker, "shipped", folder, settings=SETTINGS, factor=1) as site,
        Clock(site.run, LATE_MS) as clock,
        site.worker(0),
    ):
        began = time.monotonic()

        def say(text: str) -> None:
            print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

        story = Story(site, clock)
        story.arrives_late()
        say("results are stale, and that is paged; the breach in them is kept back")
        story.catches_up()
        say("results have caught up, and nobody was told of the breach in the past")
        for page in story.breaches():
            say(f"{page.told.name} paged {page.seconds:.1f} s after the window of the worker")
            say(f"{page.told.name}: the intervals add up to {page.worst:.0f} s at most")
        say(f"told that both are over, {story.recovers():.0f} s after calls went well again")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
