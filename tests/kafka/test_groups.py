"""Groups of a real broker."""

import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient

from streams.errors import StateError
from streams.kafka.embedded import EmbeddedCluster
from streams.kafka.groups import delete_from

pytestmark = pytest.mark.integration


def test_a_group_is_deleted_when_its_members_have_left(
    broker: EmbeddedCluster, prefix: str
) -> None:
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
        admin.create_topics({prefix: {"num_partitions": 1, "replication_factor": 1}})
        member = KafkaConsumer(prefix, bootstrap_servers=broker.bootstrap, group_id=prefix)
        while not member.assignment():
            member.poll(100)
        with pytest.raises(StateError, match="is at work"):
            delete_from(admin, prefix, 0.3)
        member.close(autocommit=False)
        delete_from(admin, prefix, 10)
        assert prefix not in {group["group_id"] for group in admin.list_groups()}
        delete_from(admin, prefix)
