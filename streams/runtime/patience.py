"""Asking Kafka again while brokers come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from aiokafka.errors import KafkaError, KafkaTimeoutError

PAUSE_SECONDS = 0.2


async def patiently(ask: Callable[[], Awaitable[Any]], seconds: float) -> Any:
    """The answer to ``ask``, which must be safe to ask again.  What passes by itself is waited out
    for so long, then raised; any other error is raised at once."""
    deadline = monotonic() + seconds
    while True:
        try:
            return await ask()
        except KafkaError as error:
            passes = error.retriable or isinstance(error, KafkaTimeoutError)
            if not passes or monotonic() > deadline:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
