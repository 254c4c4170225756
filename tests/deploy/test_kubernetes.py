"""deploy/kubernetes, offline: strict schemas, and that the parts say the same things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from deploy.manifests.prometheus import JOB
from streams import __version__
from streams.runtime.view import LOOP_SECONDS_MAX
from streams.settings import Settings, load
from tests.deploy.kustomize import built, named
from tests.deploy.places import DEPLOY, KUBERNETES, documents

BASE = KUBERNETES / "base"
SMALL, PRODUCTION = KUBERNETES / "overlays" / "small", KUBERNETES / "overlays" / "production"
TOPICS, KEDA = KUBERNETES / "components" / "topics", KUBERNETES / "components" / "keda"
DASHBOARDS = DEPLOY / "grafana" / "dashboards"
FOLDERS = [*sorted(path.parent for path in KUBERNETES.rglob("kustomization.yaml")), DASHBOARDS]
OVERLAYS = [SMALL, PRODUCTION, KUBERNETES / "strimzi"]
CUSTOM = {"kafka.strimzi.io", "keda.sh", "monitoring.coreos.com"}
"""Kinds that are not Kubernetes' own: no schema of them is at hand here."""


def _file(path: Path) -> dict[str, Any]:
    (only,) = documents(path)
    return only


WORKERS = _file(BASE / "stateful-set.yaml")
POD = WORKERS["spec"]["template"]["spec"]
(WORKER,) = POD["containers"]
LABELS = WORKERS["spec"]["template"]["metadata"]["labels"]


def _validate(manifest: dict[str, Any]) -> None:
    if manifest["apiVersion"].partition("/")[0] not in CUSTOM:
        kubernetes_validate.validate(manifest, "1.37", strict=True)


@pytest.mark.parametrize("path", [*sorted(BASE.glob("*-*.yaml")), TOPICS / "job.yaml"])
def test_manifests_are_what_kubernetes_knows(path: Path) -> None:
    for manifest in documents(path):
        _validate(manifest)


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda folder: folder.name)
def test_overlays_come_to_what_kubernetes_knows(folder: Path) -> None:
    manifests = built(folder)
    for manifest in manifests:
        _validate(manifest)
    assert len({(one["kind"], one["metadata"]["name"]) for one in manifests}) == len(manifests)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_a_kustomization_names_is_there_and_nothing_is_forgotten(folder: Path) -> None:
    there = set(named(folder))
    assert all(path.exists() for path in there)
    unused = {path for path in folder.glob("*.*") if path.name != "kustomization.yaml"} - there
    assert {path.name for path in unused} <= {"README.md"}


@pytest.mark.parametrize("pod", [POD, _file(TOPICS / "job.yaml")["spec"]["template"]["spec"]])
def test_pods_are_restricted(pod: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert all(volume.keys() & {"configMap", "emptyDir", "secret"} for volume in pod["volumes"])
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()


def test_the_image_is_that_of_this_version() -> None:
    for folder in (BASE, PRODUCTION):
        (image,) = _file(folder / "kustomization.yaml")["images"]
        assert (image["name"], image["newTag"]) == (WORKER["image"], __version__)


def test_workers_are_members_by_name_and_keep_nothing_on_disk() -> None:
    names = {one["name"]: one for one in WORKER["env"]}
    assert names["STREAMS_KAFKA_INSTANCE_ID"]["valueFrom"] == {
        "fieldRef": {"fieldPath": "metadata.name"}
    }
    assert WORKERS["spec"]["podManagementPolicy"] == "Parallel"
    assert "volumeClaimTemplates" not in WORKERS["spec"]


def test_a_restore_is_no_reason_to_restart_a_worker_and_a_standstill_is() -> None:
    paths = {kind: WORKER[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness")}
    assert set(paths.values()) == {"/health/live"}
    assert WORKER["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    live = WORKER["livenessProbe"]
    patience = LOOP_SECONDS_MAX + live["periodSeconds"] * live["failureThreshold"]
    # The watchdog knows what stands still and says so; the probe is for when it cannot.
    assert patience > load({}).processing.stall_seconds


def test_one_worker_at_a_time_and_no_unready_one_in_the_way() -> None:
    budget = _file(BASE / "disruption-budget.yaml")["spec"]
    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
    assert budget["selector"] == WORKERS["spec"]["selector"]
    assert WORKERS["spec"]["selector"]["matchLabels"].items() <= LABELS.items()


def test_prometheus_finds_the_workers_under_the_name_that_rules_have() -> None:
    service = _file(BASE / "service.yaml")
    monitor = _file(KUBERNETES / "components" / "monitoring" / "service-monitor.yaml")["spec"]
    assert service["metadata"]["labels"][monitor["jobLabel"]] == JOB
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service["spec"]["selector"].items() <= LABELS.items()
    (port,) = service["spec"]["ports"]
    assert [port["name"]] == [one["port"] for one in monitor["endpoints"]]
    assert port["targetPort"] == WORKER["ports"][0]["name"]
    assert WORKER["ports"][0]["containerPort"] == load({}).metrics.port


def test_the_network_lets_in_prometheus_and_nobody_else() -> None:
    policy = _file(BASE / "network-policy.yaml")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= LABELS.items()
    (way_in,) = policy["ingress"]
    assert [port["port"] for port in way_in["ports"]] == [WORKER["ports"][0]["name"]]
    (source,) = way_in["from"]
    assert source.keys() == {"namespaceSelector", "podSelector"}  # both, not either


def _settings(folder: Path, environ: dict[str, str]) -> Settings:
    return load(environ, folder=folder)


def test_workers_accept_the_settings_of_the_base_and_of_the_small_overlay() -> None:
    for folder in (BASE, SMALL):
        settings = _settings(folder, {"STREAMS_KAFKA_INSTANCE_ID": "contact-streams-0"})
        assert settings.kafka.session_ms / 1000 >= 30


def test_workers_accept_the_settings_of_production(tmp_path: Path) -> None:
    patch = _file(PRODUCTION / "workers.yaml")["spec"]["template"]["spec"]
    (container,) = patch["containers"]
    (tmp_path / "secret").write_text("only for this test, long enough\n")
    environ = {
        one["name"]: str(tmp_path / "secret") if one["value"].startswith("/") else one["value"]
        for one in container["env"]
    }
    settings = _settings(PRODUCTION, environ)
    assert (settings.kafka.security_protocol, settings.kafka.replication) == ("SASL_SSL", 3)
    assert settings.kafka.username == patch["volumes"][0]["secret"]["secretName"]
    mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume["secret"]["items"] for volume in patch["volumes"]}
    for path in (Path(one["value"]) for one in container["env"] if one["value"][0] == "/"):
        (item,) = volumes[mounted[str(path.parent)]]
        assert item["path"] == path.name


def test_there_are_partitions_for_all_workers() -> None:
    for folder in (SMALL, PRODUCTION):
        (replicas,) = _file(folder / "kustomization.yaml")["replicas"]
        assert replicas["count"] <= load({}, folder=folder).kafka.partitions


def test_autoscaling_is_off_and_has_bounds() -> None:
    for folder in (BASE, SMALL, PRODUCTION):
        assert KEDA not in {path.resolve() for path in named(folder)}
    scaled = _file(KEDA / "scaled-object.yaml")["spec"]
    assert scaled["scaleTargetRef"]["name"] == WORKERS["metadata"]["name"]
    assert 2 <= scaled["minReplicaCount"] < scaled["maxReplicaCount"]
    assert scaled["maxReplicaCount"] <= load({}, folder=PRODUCTION).kafka.partitions


def test_every_dashboard_is_a_config_map_but_for_the_agents() -> None:
    made = _file(DASHBOARDS / "kustomization.yaml")["configMapGenerator"]
    assert all(one["options"]["labels"]["grafana_dashboard"] == "1" for one in made)
    shown = {path for path in DASHBOARDS.rglob("*.json") if path.parent.name != "agents"}
    assert set(named(DASHBOARDS)) == shown
    assert [one["files"] for one in made] == [[f] for one in made for f in one["files"]]
