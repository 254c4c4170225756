"""What a fault can lay hands on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from streams.deployment import Deployment
from tests.chaos.cluster import ProxiedCluster
from tests.chaos.plan import Parameters, World
from tests.chaos.proxy import Network
from tests.chaos.workers import Fleet

Course = Generator[float, None, str]
"""A fault under way.  It yields how many seconds to wait until it goes on, and returns what was
done.  Closed early, it mends what it has broken."""
Fault = Callable[["Bed", Any], Course]


@dataclass(frozen=True)
class Bed:
    """One run's parts.  ``down``: brokers that some fault has killed and will start again;
    ``cut_off``: workers whose network some fault has spoilt and will mend."""

    world: World
    cluster: ProxiedCluster
    network: Network
    fleet: Fleet
    deployment: Deployment
    down: set[int] = field(default_factory=set)
    cut_off: set[int] = field(default_factory=set)

    @property
    def partitions(self) -> int:
        """How many the workers share: those of every source, of the two kinds of events, of the
        records and of the partials."""
        return (len(self.deployment.sources) + 4) * self.deployment.partitions

    @property
    def session_seconds(self) -> float:
        return self.world.session_ms / 1_000


def number(parameters: Parameters, name: str) -> int:
    """A parameter that is a number."""
    return int(parameters[name])


def lasting_seconds(parameters: Parameters) -> float:
    """How long the fault is to last."""
    return number(parameters, "lasting_ms") / 1_000
