"""The generated part of ``deploy/kubernetes``: what other files say, as Kubernetes wants it.

Rules and scrape limits are those of ``deploy/prometheus``; topics and users those that the settings
of the production overlay come to.
"""

from __future__ import annotations

from deploy.manifests import kafka, prometheus


def files() -> dict[str, str]:
    """See ``deploy.generated``."""
    return {f"kubernetes/{name}": text for name, text in (*prometheus.files(), *kafka.files())}
