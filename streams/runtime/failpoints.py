"""Where a test ends or stops the process: at any step of a write.

``CONTACT_STREAMS_FAIL_AT=contacts.entities#2:kill`` kills the worker (SIGKILL, as a power cut
would) the second time a contacts shard has sent entities and not yet ended the transaction.
``:stop`` stops it instead (SIGSTOP), as a long pause of the machine would.  Steps, in the order of
a write: ``outputs``, ``letters``, ``ahead``, ``results``, ``entities``, ``transaction``,
``commit``; each is reached when the step is done.  ``dlq`` is no stage but the command that sends
dead letters back.  Nothing is done without the variable.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Callable

from streams.errors import SettingsError

VARIABLE = "CONTACT_STREAMS_FAIL_AT"
STAGES = ("ingest", "contacts", "staff", "customers", "board", "dlq")
STEPS = ("outputs", "letters", "ahead", "results", "entities", "transaction", "commit")
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_WRITTEN = re.compile(
    rf"(?P<stage>{'|'.join(STAGES)})\.(?P<step>{'|'.join(STEPS)})(#(?P<nth>[1-9][0-9]{{0,5}}))?"
    rf":(?P<how>{'|'.join(_SIGNALS)})"
)

Reach = Callable[[str, str], None]
"""``(stage, step)``: the step is done."""


def nowhere(stage: str, step: str) -> None:
    """Nothing fails."""


def fail_point(text: str | None) -> Reach:
    """What the variable says; SettingsError if it says nothing that can be understood."""
    if not text:
        return nowhere
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise SettingsError([f"{VARIABLE} = {text!r}: must be <stage>.<step>[#n]:kill|stop"])
    wanted, nth = (found["stage"], found["step"]), int(found["nth"] or 1)
    reached: Counter[tuple[str, str]] = Counter()

    def reach(stage: str, step: str) -> None:
        reached[stage, step] += 1
        if (stage, step) == wanted and reached[wanted] == nth:
            os.kill(os.getpid(), _SIGNALS[found["how"]])

    return reach
