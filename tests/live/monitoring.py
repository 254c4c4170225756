"""A Prometheus and an Alertmanager of Debian's, with the shipped configuration, and a receiver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.live import shipped
from tests.live.receiver import Receiver, Told, receiving
from tests.tools.programs import free_address, get, serving, until

Labels = tuple[tuple[str, str], ...]
Samples = list[tuple[float, float]]
"""(Time, value), in order of time."""


class Prometheus(NamedTuple):
    """A running one."""

    url: str

    def query(self, expression: str, at: float | None = None) -> dict[Labels, float]:
        """An instant vector."""
        parameters: dict[str, object] = {"query": expression}
        if at is not None:
            parameters["time"] = at
        found = get(f"{self.url}/api/v1/query", parameters)["data"]["result"]
        return {_labels(one["metric"]): float(one["value"][1]) for one in found}

    def samples(
        self, name: str, end: float, seconds: float, **labels: str
    ) -> dict[Labels, Samples]:
        """Everything stored of the series of this name, of so many seconds up to ``end``."""
        matchers = ",".join(
            f'{label}="{value}"' for label, value in {"__name__": name, **labels}.items()
        )
        parameters = {"query": f"{{{matchers}}}[{int(seconds * 1000)}ms]", "time": end}
        found = get(f"{self.url}/api/v1/query", parameters)["data"]["result"]
        return {
            _labels(one["metric"]): [(float(at), float(value)) for at, value in one["values"]]
            for one in found
        }

    def alerts(self, state: str = "firing") -> list[Mapping[str, str]]:
        """The labels of alerts that are in this state now."""
        found = get(f"{self.url}/api/v1/alerts")["data"]["alerts"]
        return [one["labels"] for one in found if one["state"] == state]


class Alertmanager(NamedTuple):
    """A running one."""

    url: str

    def alerts(self, name: str) -> list[Mapping[str, Any]]:
        """Those of this name that it knows and that have not ended."""
        found = get(f"{self.url}/api/v2/alerts", {"filter": f'alertname="{name}"'})
        return list(found)

    def inhibited(self, name: str, **labels: str) -> bool:
        """Whether there is such an alert, and another one keeps it silent."""
        return any(
            one["status"]["inhibitedBy"]
            for one in self.alerts(name)
            if labels.items() <= one["labels"].items()
        )


class Monitoring(NamedTuple):
    """All three; ``factor`` is what every interval was divided by."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    receiver: Receiver
    factor: float
    step: float
    """Seconds between two evaluations."""

    def wait_until(self, is_so: Callable[[], bool], seconds: float, what: str) -> None:
        """Until it is so; AssertionError with what is so instead."""
        until(is_so, seconds, lambda: f"{what}; {self._instead()}")

    def wait_until_told(
        self, status: str, name: str, seconds: float, since: float = 0.0, **labels: str
    ) -> Told:
        """The first notification that says so, from ``since`` (``time.time()``) on."""

        def said() -> list[Told]:
            return self.receiver.saying(status, name, since, **labels)

        what = f"somebody is told that {name} {labels} is {status}"
        self.wait_until(lambda: bool(said()), seconds, what)
        return said()[0]

    def _instead(self) -> str:
        firing = sorted(labels["alertname"] for labels in self.prometheus.alerts())
        told = [(one.status, one.name, one.labels.get("queue")) for one in self.receiver.told]
        return f"firing: {firing}; told: {told}"


@contextmanager
def monitoring(
    folder: Path,
    targets: Mapping[str, Sequence[str]],
    factor: float,
    rules: Path = shipped.RULES,
) -> Iterator[Monitoring]:
    """All three from when they answer to the end of the block; ``targets`` as in ``shipped``."""
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        alertmanager = stack.enter_context(_alertmanager(folder, receiver.url, factor))
        config = shipped.shortened(shipped.load(shipped.PROMETHEUS), factor)
        (folder / "rules").mkdir()
        for path in rules.glob("*.yml"):
            text = yaml.safe_dump(shipped.shortened(shipped.load(path), factor), sort_keys=False)
            (folder / "rules" / path.name).write_text(text)
        address = alertmanager.url.removeprefix("http://")
        config = shipped.prometheus(config, targets, address, folder / "rules")
        prometheus = stack.enter_context(_prometheus(folder, config))
        step = shipped.ms(config["global"]["evaluation_interval"]) / 1_000
        yield Monitoring(prometheus, alertmanager, receiver, factor, step)


@contextmanager
def _prometheus(folder: Path, config: Mapping[str, Any]) -> Iterator[Prometheus]:
    address, file = free_address(), folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    arguments = [
        f"--config.file={file}", f"--web.listen-address={address}",
        f"--storage.tsdb.path={folder / 'prometheus'}", "--log.level=warn",
        # Its pages are not looked at, and Debian ships them apart.
        f"--web.console.templates={folder}", f"--web.console.libraries={folder}",
    ]  # fmt: skip
    url = f"http://{address}"
    with serving("prometheus", arguments, f"{url}/-/ready", folder / "prometheus.log"):
        yield Prometheus(url)


@contextmanager
def _alertmanager(folder: Path, webhook: str, factor: float) -> Iterator[Alertmanager]:
    address, file = free_address(), folder / "alertmanager.yml"
    config = shipped.shortened(shipped.load(shipped.ALERTMANAGER), factor)
    file.write_text(yaml.safe_dump(shipped.alertmanager(config, webhook)))
    arguments = [
        f"--config.file={file}", f"--web.listen-address={address}",
        f"--storage.path={folder / 'alertmanager'}",
        "--cluster.listen-address=", "--log.level=warn",
    ]  # fmt: skip
    url, log = f"http://{address}", folder / "alertmanager.log"
    with serving("prometheus-alertmanager", arguments, f"{url}/-/ready", log):
        yield Alertmanager(url)


def _labels(metric: Mapping[str, str]) -> Labels:
    return tuple(sorted((k, v) for k, v in metric.items() if k != "__name__"))
