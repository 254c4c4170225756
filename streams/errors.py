"""What a person is told when something outside our code is wrong.

Every error that may end a command says three things: what failed, why, and the
next command to run. A bug in our own code is none of these: it keeps its traceback.
"""

from collections.abc import Sequence


class StreamsError(Exception):
    """A failure a user can act on.

    ``what`` is one line and always there; ``why`` and ``next`` may be empty.
    ``str()`` gives up to three lines, the last beginning with ``Next: ``.

    >>> print(StreamsError("no topics", "the cluster is new", "contact-streams topics apply"))
    no topics
    the cluster is new
    Next: contact-streams topics apply
    """

    def __init__(self, what: str, why: str = "", next: str = "") -> None:
        super().__init__(what, why, next)
        self.what = what
        self.why = why
        self.next = next

    def __str__(self) -> str:
        lines = [self.what, self.why, f"Next: {self.next}" if self.next else ""]
        return "\n".join(line for line in lines if line)


class SettingsError(StreamsError):
    """The settings are wrong. ``problems`` holds all of them, one sentence each, at least one."""

    def __init__(self, problems: Sequence[str], next: str = "contact-streams validate") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        what = "1 setting is wrong" if count == 1 else f"{count} settings are wrong"
        super().__init__(what, "\n".join(f"- {problem}" for problem in self.problems), next)


class BrokerError(StreamsError):
    """The broker cannot be fetched, started or reached."""


class TopicsError(StreamsError):
    """The topics are not what the schemas say."""


class StateError(StreamsError):
    """Stored state (offsets, entities, cells) contradicts itself; going on would count wrong."""
