"""Which partition a key belongs to, as every Kafka client in any language says by default."""

from __future__ import annotations

from functools import lru_cache

from aiokafka.partitioner import murmur2

CACHED_MAX = 65_536


@lru_cache(CACHED_MAX)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of ``key`` in a topic of ``partitions`` (at least 1): Kafka's murmur2 rule.

    The hash is pure Python and costs 30 times a look-up (3 us), hence the cache: a contact's
    events come close together.

    >>> partition_of(b"1546015415.757927", 8)
    6
    """
    return int(murmur2(key) & 0x7FFF_FFFF) % partitions
