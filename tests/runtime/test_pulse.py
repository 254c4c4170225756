"""A worker that restores is alive: its pulse does not wait for the restore, as Faust's tasks do."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from streams.runtime.app import Folderless


class Restoring(Folderless):
    """One without Kafka, whose first restore never ends; all else starts as Faust starts it."""

    @property
    def consumer(self) -> Any:
        return self  # a real one has a thread with an event loop

    def on_init_dependencies(self) -> list[object]:  # type: ignore[override]
        return []

    async def _wait_for_table_recovery_completed(self) -> bool:
        self.restoring.set()
        return await self.wait_for_stopped(asyncio.Event())


async def _turns_while_restoring() -> tuple[int, int]:
    """How often the pulse and a task of Faust's came round before and in a long restore."""
    app = Restoring("test-pulse", broker="kafka://127.0.0.1:1", store="memory://")
    app.loop, app.restoring = asyncio.get_running_loop(), asyncio.Event()
    pulses, tasks = [], []

    async def pulse() -> None:
        while True:
            pulses.append(app.restoring.is_set())
            await asyncio.sleep(0)

    async def task() -> None:
        tasks.append(True)

    app.pulse = pulse
    app.task(task)
    starting = asyncio.ensure_future(app.start())
    await asyncio.wait_for(app.restoring.wait(), 10)
    for _ in range(20):
        await asyncio.sleep(0)
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting
    await app.stop()
    return sum(pulses), len(tasks)


def test_the_pulse_goes_on_while_tables_are_restored() -> None:
    pulses, tasks = asyncio.run(_turns_while_restoring())
    assert pulses > 10
    assert tasks == 0  # else the pulse could be one of them
