"""Our end of the lead: the watchdog process and what is asked of it (``watchdog.py``)."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streams.errors import BrokerError
from streams.kafka.jvm import environment

_WATCHDOG = Path(__file__).with_name("watchdog.py")


class Lead:
    """JVMs that end when this object is closed or this process ends. For one thread at a time.

    ``remove`` is a folder to delete at the end, ``grace_seconds`` what each JVM
    gets then to stop by itself.
    """

    def __init__(self, grace_seconds: float, remove: Path | None) -> None:
        self._watchdog = subprocess.Popen(
            # Isolated and without site-packages: it starts in 20 ms and needs nothing of ours.
            [sys.executable, "-I", "-S", str(_WATCHDOG), str(grace_seconds), str(remove or "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
            # Ctrl-C in the terminal is for us: we decide when the brokers go.
            start_new_session=True,
        )

    def start(self, number: int, command: Sequence[str], log: Path) -> int:
        """Starts a JVM; its process id. Its output is added to ``log``."""
        answer = self._ask(do="start", name=str(number), command=list(command), log=str(log))
        return int(answer["pid"])

    def stop(self, number: int, grace_seconds: float) -> None:
        """Asks a JVM to end, kills it after the grace, and returns when it is gone.

        A grace of 0 kills it without asking.
        """
        self._ask(do="stop", name=str(number), grace_seconds=grace_seconds)

    def running(self) -> set[int]:
        """The numbers of the JVMs that have not ended."""
        return {int(name) for name in self._ask(do="running")["names"]}

    def close(self) -> None:
        """Ends everything on the lead and returns when it is gone."""
        self._watchdog.communicate()

    def _ask(self, **request: object) -> dict[str, Any]:
        assert self._watchdog.stdin is not None
        assert self._watchdog.stdout is not None
        try:
            self._watchdog.stdin.write(json.dumps(request) + "\n")
            self._watchdog.stdin.flush()
            answer: dict[str, Any] = json.loads(self._watchdog.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            raise BrokerError(
                "the embedded Kafka is gone", "the process that watches over it was ended"
            ) from error
        return answer
