"""What the Prometheus Operator reads: the very same rules, and the scrape with the same limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from textwrap import indent
from typing import Any

import msgspec

from deploy import rules
from deploy.generated import FOLDER
from deploy.manifests.document import HEADER, LABELS, text, yaml

JOB = "contact-streams"
"""The scrape job that rules and dashboards name."""
LIMITS = {
    "sample_limit": "sampleLimit",
    "body_size_limit": "bodySizeLimit",
    "label_limit": "labelLimit",
    "label_name_length_limit": "labelNameLengthLimit",
    "label_value_length_limit": "labelValueLengthLimit",
}
"""What prometheus.yml calls it -> what the operator does."""


def files() -> Iterator[tuple[str, str]]:
    """Below ``deploy/kubernetes``."""
    yield "components/monitoring/service-monitor.yaml", text([_monitor()])
    for path, rule_file in rules.files().items():
        name = PurePosixPath(path).name.removesuffix(".rules.yml")
        yield f"components/monitoring/rules-{name}.yaml", _rule(name, rule_file)


def _rule(name: str, rule_file: str) -> str:
    """As text, not read and written again: so that a rule looks here as it does there."""
    head = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": f"contact-streams-{name}", "labels": LABELS},
    }
    groups = rule_file[rule_file.index("groups:") :]
    return HEADER + yaml(head) + "spec:\n" + indent(groups, "  ")


def _monitor() -> dict[str, Any]:
    scrape = msgspec.yaml.decode((FOLDER / "prometheus" / "prometheus.yml").read_bytes())
    (job,) = (one for one in scrape["scrape_configs"] if one["job_name"] == JOB)
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": JOB, "labels": LABELS},
        "spec": {
            # The label that holds the job's name, whatever the service is called.
            "jobLabel": "app.kubernetes.io/name",
            "selector": {"matchLabels": LABELS},
            "endpoints": [
                {
                    "port": "metrics",
                    "interval": scrape["global"]["scrape_interval"],
                    "scrapeTimeout": scrape["global"]["scrape_timeout"],
                }
            ],
            **{theirs: job[ours] for ours, theirs in LIMITS.items()},
        },
    }
