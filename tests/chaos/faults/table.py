"""Which code does what a plan names."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos.faults import brokers, network, processes
from tests.chaos.faults.bed import Fault

FAULTS: Mapping[str, Fault] = {
    "sigkill": processes.sigkill,
    "sigterm": processes.sigterm,
    "sigstop": processes.sigstop,
    "pause": processes.sigstop,
    "failpoint_kill": processes.fail_point,
    "failpoint_stop": processes.fail_point,
    "scale": processes.scale,
    "compaction": processes.compaction,
    "broker_kill": brokers.kill,
    "leader_move": brokers.move_leaders,
    "coordinator_move": brokers.move_coordinator,
    "slow_network": network.slow,
    "reset_network": network.resets,
    "cut_network": network.cut,
    "stall": network.stall,
}
