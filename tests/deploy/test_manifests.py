"""The generated part of deploy/kubernetes: it says what the files it is made from say."""

from __future__ import annotations

from typing import Any

import yaml

from deploy import rules
from deploy.manifests.kafka import SETTINGS
from streams.deployment import Deployment
from streams.settings import load
from tests.deploy.places import KUBERNETES, documents

DEPLOYMENT = Deployment.of(load({}, folder=SETTINGS))
SPECS = {spec.name: spec for spec in DEPLOYMENT.specs()}
TOPICS = {one["metadata"]["name"]: one for one in documents(KUBERNETES / "strimzi" / "topics.yaml")}
USERS = {one["metadata"]["name"]: one for one in documents(KUBERNETES / "strimzi" / "users.yaml")}


def _grants(user: str, resource: str) -> list[dict[str, Any]]:
    acls = USERS[user]["spec"]["authorization"]["acls"]
    return [one for one in acls if one["resource"]["type"] == resource]


def _operations(user: str, topic: str) -> set[str]:
    """What a user may do to a topic; one rule, and no other, says so."""
    covering = [
        grant
        for grant in _grants(user, "topic")
        if grant["resource"]["patternType"] == "prefix"
        and topic.startswith(grant["resource"]["name"])
    ]
    assert len(covering) <= 1
    return {operation for grant in covering for operation in grant["operations"]}


def test_every_topic_is_there_as_topics_apply_makes_it() -> None:
    assert TOPICS.keys() == SPECS.keys()
    for name, topic in TOPICS.items():
        spec = topic["spec"]
        assert topic["apiVersion"] == "kafka.strimzi.io/v1"
        assert spec.keys() == {"partitions", "replicas", "config"}
        assert (spec["partitions"], spec["replicas"]) == (
            SPECS[name].partitions, SPECS[name].replication,
        )  # fmt: skip
        wanted = {key: _same(value) for key, value in SPECS[name].config.items()}
        assert {key: _same(str(value)) for key, value in spec["config"].items()} == wanted


def _same(value: str) -> str | float:
    try:
        return float(value)
    except ValueError:
        return value


def test_a_worker_may_do_what_it_does_to_topics_and_no_more() -> None:
    for topic in SPECS:
        operations = _operations("contact-streams-worker", topic)
        assert {"Describe", "DescribeConfigs"} <= operations, topic
        assert operations <= {"Describe", "DescribeConfigs", "Read", "Write"}
        assert ("Write" in operations) == (not topic.startswith("cc.raw.")), topic
        assert ("Read" in operations) == (not topic.startswith(("cc.kpi.", "cc.breaches."))), topic


def test_a_worker_may_be_in_its_group_and_write_its_transactions() -> None:
    (group,) = _grants("contact-streams-worker", "group")
    assert group["resource"] == {
        "type": "group", "name": DEPLOYMENT.group, "patternType": "literal",
    }  # fmt: skip
    (transactions,) = _grants("contact-streams-worker", "transactionalId")
    assert transactions["resource"]["name"] == f"{DEPLOYMENT.group}-"
    assert _grants("contact-streams-worker", "cluster") == []


def test_a_bridge_may_write_raw_topics_and_nothing_else() -> None:
    for topic in SPECS:
        raw = topic.startswith("cc.raw.")
        expected = {"Describe", "Write"} if raw else set()
        assert _operations("contact-streams-bridge", topic) == expected


def test_users_have_passwords_that_strimzi_makes() -> None:
    assert USERS.keys() == {"contact-streams-worker", "contact-streams-bridge"}
    for user in USERS.values():
        assert user["spec"]["authentication"] == {"type": "scram-sha-512"}
        assert user["spec"]["authorization"]["type"] == "simple"


def test_the_operator_has_the_very_same_rules() -> None:
    monitoring = KUBERNETES / "components" / "monitoring"
    theirs = [one["spec"] for path in monitoring.glob("rules-*.yaml") for one in documents(path)]
    ours = [yaml.safe_load(text) for text in rules.files().values()]
    assert len(theirs) == len(ours)
    assert all(one in theirs for one in ours)
