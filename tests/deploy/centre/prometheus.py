"""A real Prometheus on a folder: filled with history, started, asked over HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from deploy.generated import FOLDER
from tests.tools.debian import found
from tests.tools.programs import free_address, serving

BLOCK_HOURS = 486
"""What rules record has a hole where blocks meet: there is one for all of it."""
RULES = FOLDER / "prometheus" / "rules"
Rule = dict[str, str]


class Answers:
    """The HTTP API of a running Prometheus.  Times are in seconds."""

    def __init__(self, url: str) -> None:
        self.url = url

    def at(self, expr: str, at: float) -> list[Any]:
        """An instant query's result."""
        return self._result("query", {"query": expr, "time": f"{at:.3f}"})

    def over(self, expr: str, start: float, end: float, step: float) -> list[Any]:
        """A range query's result."""
        span = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        return self._result("query_range", {"query": expr, **span})

    def label_values(self, label: str, match: str, start: float, end: float) -> list[str]:
        """Values of a label in the series of a selector."""
        span = {"match[]": match, "start": f"{start:.3f}", "end": f"{end:.3f}"}
        found: list[str] = self._asked(f"label/{label}/values", span)
        return found

    def _result(self, path: str, fields: Mapping[str, str]) -> list[Any]:
        found: list[Any] = self._asked(path, fields)["result"]
        return found

    def _asked(self, path: str, fields: Mapping[str, str]) -> Any:
        """Raises HTTPError, with the reason, for what is no valid query."""
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(fields)}", timeout=60) as answer:
            body = json.load(answer)
        assert body["status"] == "success", body
        return body["data"]


class Storage:
    """A Prometheus' data in ``folder``, scraped and its rules run each ``scrape`` seconds.

    History has no marks for series that ended, so nothing is looked back for beyond a scrape.
    """

    def __init__(self, folder: Path, scrape: int) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.rules = folder / "rules.yml"
        folder.mkdir(parents=True, exist_ok=True)
        self.every(scrape)

    def every(self, scrape: int) -> None:
        """From now on."""
        self.scrape = scrape
        self._write_rules(_shipped())

    def fill(self, history: Path, start: float, end: float) -> None:
        """History as blocks, and then what the rules make of it."""
        self._promtool("create-blocks-from", "openmetrics", str(history), str(self.data))
        for group in _rounds(_shipped()):
            self._write_rules(group)
            self._record(start, end)

    def _record(self, start: float, end: float) -> None:
        recorded = self.folder / "recorded"
        with self.running() as answers:
            span = (f"--start={start:.0f}", f"--end={end:.0f}", f"--url={answers.url}")
            self._promtool(
                "create-blocks-from", "rules", *span, f"--output-dir={recorded}", str(self.rules)
            )
        for block in recorded.iterdir():
            shutil.move(str(block), str(self.data / block.name))

    def _write_rules(self, rules: Sequence[Rule]) -> None:
        group = {"name": "all", "interval": f"{self.scrape}s", "rules": rules}
        self.rules.write_text(json.dumps({"groups": [group]}), "utf-8")

    @contextmanager
    def running(self, *targets: tuple[str, str]) -> Iterator[Answers]:
        """With the server running.  ``targets``: (address, instance) that are scraped, and then
        the rules run, too; without any, neither happens."""
        lookback = 300 if targets else self.scrape
        config = self.folder / "prometheus.yml"
        config.write_text(json.dumps(self._config(targets)), "utf-8")
        address = free_address()
        arguments = [
            f"--config.file={config}",
            f"--storage.tsdb.path={self.data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={address}",
            "--log.level=error",
            f"--query.lookback-delta={lookback}s",
        ]
        url = f"http://{address}"
        with serving("prometheus", arguments, f"{url}/-/ready", self.folder / "prometheus.log"):
            yield Answers(url)

    def _config(self, targets: Sequence[tuple[str, str]]) -> dict[str, Any]:
        every = f"{self.scrape}s"
        scraped = [{"targets": [at], "labels": {"instance": name}} for at, name in targets]
        job = {"job_name": "contact-streams", "static_configs": scraped}
        return {
            "global": {
                "scrape_interval": every,
                "scrape_timeout": every,
                "evaluation_interval": every,
            },
            "rule_files": [str(self.rules)] if targets else [],
            "scrape_configs": [job] if targets else [],
        }

    def _promtool(self, *arguments: str) -> None:
        longest = f"--max-block-duration={BLOCK_HOURS}h"
        command = [str(found("promtool")), "tsdb", *arguments, longest]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr or done.stdout


def _shipped() -> list[Rule]:
    """All that record; what is recorded first comes first."""
    files = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(RULES.glob("*.yml"))]
    rules = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    return [rule for rule in rules if "record" in rule]


def _rounds(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """``promtool`` records from what is stored, so what other rules read has a round of its own."""
    left = list(rules)
    while left:
        names = [rule["record"] for rule in left]
        ready = [rule for rule in left if not any(name in rule["expr"] for name in names)]
        yield ready
        left = [rule for rule in left if rule not in ready]
