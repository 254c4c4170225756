"""Our engine as the harness starts it: one worker with the job's stage, as in production.

Changelogs on, a fenced transactional producer per partition, results published five times a second,
commits at the borders of segments of 16,384 offsets.  What comes after the last border is
processed and published, and not committed: after a crash it would be read again.
"""

from __future__ import annotations

import os
import signal
import sys

from bench.engines.contract import CONTACTS, ROLLING, TUMBLING, Progress, Task, task
from bench.engines.ours.stages import ContactsStage, RollingStage, TumblingStage
from streams.kafka.topics import TopicSpec, apply
from streams.runtime.app import run_stages
from streams.runtime.stages import StageSpec
from streams.runtime.writing import Target
from streams.settings import Settings
from streams.worker_process import settings_of

STAGES: dict[int, type[TumblingStage]] = {
    TUMBLING: TumblingStage,
    CONTACTS: ContactsStage,
    ROLLING: RollingStage,
}
SEGMENT_SIZE = 16_384


class Run:
    """One run: makes the stages and knows when all is written."""

    def __init__(self, wanted: Task) -> None:
        self.wanted = wanted
        self.progress = Progress(wanted.events).start()
        self.stages: dict[int, TumblingStage] = {}
        self._written: set[int] = set()

    def make(self, partition: int) -> TumblingStage:
        stage = STAGES[self.wanted.job](partition, self.progress, self._published)
        self.stages[partition] = stage
        return stage

    def _published(self, partition: int, something: bool) -> None:
        """One write at a time: when there is nothing to publish, the last write is acknowledged."""
        if something or self.progress.processed < self.wanted.events:
            return
        self._written.add(partition)
        if len(self._written) == self.wanted.partitions:
            rows = [stage.minutes.totals() for stage in self.stages.values()]
            self.progress.finish(sum(row[0] for row in rows), sum(row[1] for row in rows))
            self._written = set()
            os.kill(os.getpid(), signal.SIGTERM)


def _settings(wanted: Task) -> Settings:
    flags = {
        "kafka.bootstrap": wanted.bootstrap,
        "kafka.app_id": wanted.group,
        "kafka.partitions": wanted.partitions,
        "processing.segment_size": int(wanted.options.get("segment_size", SEGMENT_SIZE)),
        "processing.tick_ms": 0,
        "metrics.port": 0,
    }
    return settings_of(flags, alone=True)


def _changelog(wanted: Task) -> str:
    """Its name; made here, as ``contact-streams topics apply`` makes the product's."""
    name = f"{wanted.group}-changelog"
    config = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"}
    spec = TopicSpec(name, "state", wanted.partitions, 1, copartitioned=True, config=config)
    apply(wanted.bootstrap, [spec])
    return name


def main() -> int:
    """One run, as the command line asks."""
    wanted = task(about=__doc__)
    run = Run(wanted)
    changelog = _changelog(wanted)
    name = STAGES[wanted.job].name
    specs = [StageSpec(name, wanted.topic, changelog, run.make)]
    where = {"results": Target(wanted.output, wanted.partitions)}
    return run_stages(_settings(wanted), specs, where)


if __name__ == "__main__":
    sys.exit(main())
