"""docker-compose.yml, without Docker: its schema, how containers are held, what they ask for."""

from __future__ import annotations

import importlib.util
import json
import runpy
import stat
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

from streams import __version__
from streams.settings import load
from tests.deploy.places import OURS, PINNED, ROOT
from tests.deploy.probing import exit_code, worker

STACK: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
ENDING = {"secrets", "topics"}
"""They do their work once."""
WITHOUT_A_CHECK = ENDING | {"simulator"}
WORKERS = [name for name in SERVICES if name.startswith("worker-")]
services = pytest.mark.parametrize("name", sorted(SERVICES))


def _sources(service: dict[str, Any]) -> list[str]:
    return [volume.split(":")[0] for volume in service.get("volumes", ())]


def test_it_is_what_compose_understands() -> None:
    # The schema as check-jsonschema ships it.  Its command is not run: it wants another click.
    package = importlib.util.find_spec("check_jsonschema")
    assert package is not None
    assert package.origin is not None
    schema = json.loads(next(Path(package.origin).parent.rglob("compose-spec.json")).read_text())
    validator = validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(STACK)] == []


@services
def test_images_are_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert image == f"{OURS}:{__version__}" or PINNED.fullmatch(image)
    assert image.startswith(f"{OURS}:") == ("build" in SERVICES[name])


@services
def test_containers_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert not {"privileged", "pid", "ipc", "devices"} & service.keys()
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@services
def test_containers_are_watched_and_given_time_to_end(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"].get("disable", False) == (name in WITHOUT_A_CHECK)
    assert ("start_period" in service["healthcheck"]) == (name not in WITHOUT_A_CHECK)
    assert ("stop_grace_period" in service) == (name not in ENDING)
    assert (service["restart"] == "unless-stopped") == (name not in ENDING)


@services
def test_what_is_mounted_is_there(name: str) -> None:
    for source in _sources(SERVICES[name]):
        if source.startswith("."):
            assert (ROOT / source).exists(), source
        else:
            assert source in STACK["volumes"]


def test_every_volume_has_a_user() -> None:
    used = {source for service in SERVICES.values() for source in _sources(service)}
    assert set(STACK["volumes"]) <= used


def test_services_start_in_an_order_that_exists() -> None:
    waits = {name: service.get("depends_on", {}) for name, service in SERVICES.items()}
    list(TopologicalSorter(waits).static_order())
    for on in waits.values():
        for name, how in on.items():
            ends = how["condition"] == "service_completed_successfully"
            assert ends == (name in ENDING)
            assert name in SERVICES


def test_nothing_secret_is_in_the_file() -> None:
    for service in SERVICES.values():
        for variable in service.get("environment", {}):
            assert variable.endswith("_FILE") or not any(
                word in variable for word in ("PASSWORD", "SECRET", "TOKEN", "_KEY")
            ), variable


def test_workers_keep_their_names_over_restarts() -> None:
    names = [SERVICES[name]["environment"]["STREAMS_KAFKA_INSTANCE_ID"] for name in WORKERS]
    assert names == WORKERS == ["worker-1", "worker-2"]


@pytest.mark.parametrize("name", WORKERS)
def test_workers_accept_their_settings(name: str, tmp_path: Path) -> None:
    (tmp_path / "pseudonym_key").write_text("only for this test, long enough\n")
    environ = SERVICES[name]["environment"] | {
        "STREAMS_PRIVACY_PSEUDONYM_KEY_FILE": str(tmp_path / "pseudonym_key")
    }
    settings = load(environ, folder=ROOT / "deploy" / "compose")
    assert settings.targets
    assert settings.kafka.partitions >= len(WORKERS)


@pytest.mark.parametrize(("ready", "code"), [(True, 0), (False, 1)])
def test_a_worker_is_healthy_when_it_is_ready(ready: bool, code: int) -> None:
    kind, *command = SERVICES["worker-1"]["healthcheck"]["test"]
    assert kind == "CMD"
    with worker(live=True, ready=ready) as port:
        assert exit_code(command, port) == code


def test_secrets_are_made_once(tmp_path: Path) -> None:
    make = runpy.run_path(str(ROOT / "deploy" / "compose" / "make_secrets.py"))["make"]
    assert make(tmp_path) == ["grafana_admin_password", "pseudonym_key"]
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert all(16 <= len(text.strip()) <= 64 for text in made.values())
    assert len(set(made.values())) == len(made) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o444}
    assert make(tmp_path) == []
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == made


def test_what_reads_a_secret_finds_it() -> None:
    make = runpy.run_path(str(ROOT / "deploy" / "compose" / "make_secrets.py"))
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if variable.endswith("_FILE"):
                folder, _, name = value.rpartition("/")
                assert name in make["NAMES"]
                assert f"secrets:{folder}:ro" in service["volumes"]


def test_whom_alertmanager_tells_is_there_and_says_it() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text())
    urls = [hook["url"] for one in config["receivers"] for hook in one.get("webhook_configs", ())]
    (port,) = SERVICES["webhook"]["command"]
    assert urls
    assert all(url.startswith(f"http://webhook:{port}/") for url in urls)
    told = runpy.run_path(str(ROOT / "deploy" / "compose" / "webhook.py"))["told"]
    alert = {"status": "firing", "labels": {"alertname": "A"}, "annotations": {"summary": "It is."}}
    assert told("/operations/page", {"alerts": [alert]}) == ["/operations/page firing A: It is."]


def test_prometheus_asks_the_workers_and_tells_alertmanager() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    asked = [target for one in job["static_configs"] for target in one["targets"]]
    assert asked == [f"{name}:9464" for name in WORKERS]
    (manager,) = config["alerting"]["alertmanagers"]
    assert manager["static_configs"] == [{"targets": ["alertmanager:9093"]}]
