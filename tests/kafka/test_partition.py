"""Keys go where every other Kafka client puts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2

from streams.kafka.partition import partition_of


@pytest.mark.parametrize(
    ("key", "hashed"),
    # From Kafka's own UtilsTest.
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_it_is_kafkas_own_rule(key: bytes, hashed: int) -> None:
    assert partition_of(key, 97) == (hashed & 0x7FFFFFFF) % 97


@given(st.binary(), st.integers(1, 1000))
def test_two_clients_agree(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions
