"""Judges of what lies between this machine and the cluster."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from streams.doctor.finding import Verdict, counted, fail, lasting, listed, ok, warn, worst
from streams.doctor.observed import Answer, Broker, Certificate, Cluster, Topic
from streams.settings import Settings

DAY_MS = 86_400_000
CERTIFICATE_WARN_DAYS = 21
CERTIFICATE_FAIL_DAYS = 3
"""Automatic renewal is weeks earlier: what comes this close was not renewed."""
RELEASE_TESTED = (4, 3)
RELEASE_EXPECTED = (4, 0)
"""Older ones speak the requests we use, but nobody has run us on them."""
RELEASE_LEAST = (2, 5)
ADDRESS_NEXT = "set kafka.bootstrap to your cluster, or: contact-streams broker start"
START = "start the brokers that are down"
LISTENERS_NEXT = "start them, or set their advertised.listeners to what this machine can reach"
SECURITY_NEXT = "set kafka.security_protocol = SASL_SSL and a listener for it on the brokers"
RENEW_NEXT = "renew the certificate"


def settings_valid(settings: Settings) -> Verdict:
    """That they could be read is the finding: else ``settings`` is an error that was told."""
    given = len(settings.origins)
    sources = sorted(set(settings.origins.values()))
    named = [source for source in sources if not source.startswith("STREAMS_")]
    where = f", file {listed(named)}" if named else ""
    return ok(f"valid; {given} of them given{where}; the rest are defaults")


def kafka(addresses: Sequence[Answer], reached: str) -> Verdict:
    """``reached`` is why the cluster could not be asked; empty if it answered."""
    silent = [f"{one.address} ({one.problem})" for one in addresses if one.problem]
    if len(silent) == len(addresses):
        return fail(f"nobody answers at {listed(silent)}", ADDRESS_NEXT)
    if reached:
        return fail(
            f"it takes connections and does not serve us: {reached}",
            "check kafka.security_protocol, username and password_file against the listener",
        )
    if silent:
        return warn(
            f"some addresses do not answer: {listed(silent)}",
            f"{START}, or correct kafka.bootstrap",
        )
    return ok(f"answers at {listed(one.address for one in addresses)}")


def brokers(cluster: Cluster) -> Verdict:
    """A fenced one is known to the cluster as gone; another that is silent is there, elsewhere."""
    there = [broker for broker in cluster.brokers if not broker.fenced]
    hidden = [_silence(broker) for broker in there if broker.answer.problem]
    if hidden:
        return fail(f"down, or not where they say they are: {listed(hidden)}", LISTENERS_NEXT)
    gone = [str(broker.number) for broker in cluster.brokers if broker.fenced]
    if gone:
        return warn(f"{counted(len(there), 'broker')} at work, and fenced: {listed(gone)}", START)
    return ok(f"{counted(len(there), 'broker')}, all answering where they say they are")


def _silence(broker: Broker) -> str:
    return f"{broker.number} at {broker.answer.address} ({broker.answer.problem})"


def version(cluster: Cluster) -> Verdict:
    release = ".".join(map(str, cluster.release))
    tested = ".".join(map(str, RELEASE_TESTED))
    if not cluster.transactions:
        return fail(
            f"speaks like Kafka {release}, without transactions",
            "use a cluster with transactions (Apache Kafka 4)",
        )
    if cluster.release < RELEASE_LEAST:
        return fail(f"Kafka {release} is too old", "upgrade the brokers to Kafka 4")
    if not cluster.kraft:
        return warn(
            f"speaks like Kafka {release}, without KRaft: on ZooKeeper, or not Apache Kafka",
            f"move to KRaft; tested with {tested}",
        )
    if cluster.release < RELEASE_EXPECTED:
        return warn(f"Kafka {release}, tested with {tested}", "upgrade the brokers to Kafka 4")
    return ok(f"Kafka {release} (tested with {tested}), KRaft, transactions")


def security(settings: Settings) -> Verdict:
    protocol = settings.kafka.security_protocol
    hosts = [address.rpartition(":")[0] for address in settings.kafka.bootstrap.split(",")]
    away = [host.strip() for host in hosts if not is_loopback(host.strip())]
    tls = protocol.endswith("SSL")
    if tls or not away:
        return ok(protocol if tls else f"{protocol}, on this machine")
    secret = ", and so does the password" if protocol == "SASL_PLAINTEXT" else ""
    return warn(f"{protocol}: everything goes unencrypted to {listed(away)}{secret}", SECURITY_NEXT)


def is_loopback(host: str) -> bool:
    """Whether this is the machine itself, by name or number.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.9", "[::1]", "kafka-1")]
    [True, True, True, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def certificates(certificates: Sequence[Certificate], now_ms: int) -> Verdict | None:
    """None without TLS."""
    if not certificates:
        return None
    return worst([_certificate(one, now_ms) for one in certificates])


def _certificate(one: Certificate, now_ms: int) -> Verdict:
    left_ms = None if one.expires_ms is None else one.expires_ms - now_ms
    if left_ms is not None and left_ms <= 0:
        return fail(f"{one.where}: expired {lasting(-left_ms)} ago", RENEW_NEXT)
    if one.problem:
        return fail(
            f"{one.where}: {one.problem}",
            "check kafka.security_protocol, cafile, certfile, keyfile and the certificate's names",
        )
    if left_ms is None:
        return warn(f"{one.where}: when it expires could not be read", "look at it with openssl")
    found = f"{one.where}: expires in {lasting(left_ms)}"
    if left_ms < CERTIFICATE_FAIL_DAYS * DAY_MS:
        return fail(found, RENEW_NEXT)
    return warn(found, RENEW_NEXT) if left_ms < CERTIFICATE_WARN_DAYS * DAY_MS else ok(found)


ACL_NEXT = "give this user the rights (docs/doctor.md): kafka-acls.sh --add"
WRITE_ONLY = ("kpi.", "breaches.")
READ_ONLY = ("raw.",)


def permissions(settings: Settings, topics: Sequence[Topic]) -> Verdict:
    """By what the cluster says this user may do; a topic that may not be seen looks missing."""
    told = [topic for topic in topics if topic.operations and not topic.internal]
    lacking: dict[str, list[str]] = {}
    for topic in told:
        for operation in sorted(_needed(settings, topic.name) - topic.operations):
            lacking.setdefault(operation, []).append(topic.name)
    if lacking:
        parts = [f"{name} on {len(on)}, such as {on[0]}" for name, on in lacking.items()]
        return fail(f"this user lacks {listed(parts, '; ')}", ACL_NEXT)
    if not told:
        there = any(not topic.internal for topic in topics)
        silent = "the cluster does not say what this user may do"
        return ok(silent if there else "no topic is there, or none that this user may see")
    return ok(f"what a worker needs on {counted(len(told), 'topic')}")


def _needed(settings: Settings, topic: str) -> set[str]:
    # The longer one first: that of another computation begins with that of the first.
    prefixes = (f"{settings.kafka.results_prefix}.", f"{settings.kafka.prefix}.")
    kind = next((topic.removeprefix(p) for p in prefixes if topic.startswith(p)), "")
    needed = {"DESCRIBE", "DESCRIBE_CONFIGS", "READ", "WRITE"}
    if kind.startswith(WRITE_ONLY):
        needed.discard("READ")
    if kind.startswith(READ_ONLY):
        needed.discard("WRITE")
    return needed
