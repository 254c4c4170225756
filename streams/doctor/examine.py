"""The checks in their order, and how one is made: its judge gets what it names, looked at when it
is first wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, NamedTuple

from kafka.errors import (
    AuthorizationError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NodeNotReadyError,
    SaslAuthenticationFailedError,
)  # fmt: skip

from streams.doctor import connection, layout, processes, progress
from streams.doctor.finding import Finding, Verdict, fail
from streams.errors import BrokerError, SettingsError, StreamsError

FOUND_LENGTH_MAX = 200
_PREFIX = re.compile(r"(\[Error \d+\] )?\w+Error(: |$)")
"""Of the client's messages, which begin with the name of their class."""


class Check(NamedTuple):
    """``judge`` names by its parameters what it wants to see; None says that there was nothing to
    judge.  ``quick`` ones are made with ``--quick``."""

    name: str
    subject: str
    judge: Callable[..., Verdict | None]
    quick: bool = False


CHECKS = (
    Check("settings", "settings", connection.settings_valid, quick=True),
    Check("kafka", "broker", connection.kafka, quick=True),
    Check("brokers", "broker", connection.brokers),
    Check("version", "broker", connection.version),
    Check("security", "broker", connection.security),
    Check("certificates", "broker", connection.certificates),
    Check("permissions", "broker", connection.permissions),
    Check("clock", "broker", progress.clock),
    Check("topics", "topics", layout.topics, quick=True),
    Check("partitions", "topics", layout.partitions, quick=True),
    Check("replicas", "topics", layout.replicas),
    Check("changelogs", "topics", layout.changelogs),
    Check("transactions", "topics", layout.transactions),
    Check("targets", "topics", layout.targets),
    Check("group", "work", progress.group, quick=True),
    Check("members", "work", progress.members),
    Check("lag", "work", progress.lag),
    Check("losses", "work", progress.losses),
    Check("dead_letters", "work", progress.dead_letters),
    Check("metrics", "workers", processes.metrics),
    Check("results", "workers", processes.results),
    Check("counters", "workers", processes.counters),
)
NAMES = tuple(check.name for check in CHECKS)


@dataclass
class Unmade:
    """How many checks could not be made, because Kafka could not be reached or settings are
    wrong; ``troubles``: what else went wrong, by the check that told it."""

    kafka: int = 0
    settings: int = 0
    troubles: dict[int, str] = field(default_factory=dict)


def chosen(only: Iterable[str] = (), skip: Iterable[str] = (), quick: bool = False) -> list[Check]:
    """The checks of that choice, in their order; all names exist."""
    only, skip = set(only), set(skip)
    return [
        check
        for check in CHECKS
        if (not only or check.name in only)
        and check.name not in skip
        and (check.quick or only or not quick)
    ]


def examine(checks: Sequence[Check], look: object, unmade: Unmade) -> Iterator[Finding]:
    """Make the checks; ``look`` has an attribute for each parameter of a judge.

    Whatever goes wrong while looking is a finding, but for a Kafka that cannot be reached and wrong
    settings: their checks say so, the others are counted in ``unmade``.
    """
    for check in checks:
        verdict = _judged(check, look, unmade)
        if verdict is not None:
            yield Finding(check.name, check.subject, *verdict)


def _judged(check: Check, look: object, unmade: Unmade) -> Verdict | None:
    try:
        return check.judge(*_wanted(check, look))
    except SettingsError as error:
        if check.name == "settings":
            return _wrong(error)
        unmade.settings += 1
    except BrokerError:
        unmade.kafka += 1
    except Exception as error:  # a check that breaks is a finding, too
        first = unmade.troubles.setdefault(id(error), check.name)
        told = trouble(error)
        return told if first == check.name else told._replace(found=f"as {first}", next="")
    return None


def _wanted(check: Check, look: object) -> list[Any]:
    return [getattr(look, name) for name in signature(check.judge).parameters]


def _wrong(error: SettingsError) -> Verdict:
    return fail(f"{error.what}: {'; '.join(error.problems)}"[:FOUND_LENGTH_MAX], error.next)


def trouble(error: Exception) -> Verdict:
    """What an error that came while looking says to the person who looks."""
    cause = error.__cause__ if isinstance(error, StreamsError) and error.__cause__ else error
    text = _PREFIX.sub("", str(cause))
    told = f"{type(cause).__name__}: {text}".splitlines()[0].rstrip(": ")[:FOUND_LENGTH_MAX]
    if isinstance(cause, AuthorizationError | SaslAuthenticationFailedError):
        return fail(f"not allowed: {told}", connection.ACL_NEXT)
    if isinstance(cause, KafkaTimeoutError | TimeoutError):
        return fail(f"no answer in time: {told}", "contact-streams doctor --timeout 30")
    if isinstance(cause, KafkaConnectionError | NodeNotReadyError):
        return fail(f"a broker does not answer: {told}", "contact-streams doctor --only brokers")
    return fail(f"could not be checked: {told}", "contact-streams doctor --only kafka")
