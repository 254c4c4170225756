"""Brings a log file to Kafka, line by line and untouched: ``contact-streams bridge queue-log``.

A record is one line without its end, keyed by the call it is about, with headers ``source`` (the
PBX's name) and, for a line that was there before in the same file, ``ordinal``.  The place in the
log is noted only when the broker has everything before it; after a crash some lines are sent
again, get the same ids, and count once.
"""

from streams.bridge.bridge import Bridge, Progress
from streams.bridge.outlet import BridgeError, KafkaOutlet, Outlet, Row

__all__ = ["Bridge", "BridgeError", "KafkaOutlet", "Outlet", "Progress", "Row"]
