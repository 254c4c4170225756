"""How the settings' security looks to aiokafka and to Faust."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import faust
from aiokafka.helpers import create_ssl_context


def aiokafka_options(client: Mapping[str, Any]) -> dict[str, Any]:
    """kafka-python's options as aiokafka takes them: the files become one context."""
    options = {name: value for name, value in client.items() if not name.startswith("ssl_")}
    if "SSL" in client.get("security_protocol", ""):
        options["ssl_context"] = _context(client)
    return options


def _context(client: Mapping[str, Any]) -> ssl.SSLContext:
    made: ssl.SSLContext = create_ssl_context(
        cafile=client.get("ssl_cafile"),
        certfile=client.get("ssl_certfile"),
        keyfile=client.get("ssl_keyfile"),
    )
    return made


def faust_credentials(client: Mapping[str, Any]) -> Any:
    """What Faust calls credentials; None for a plain connection."""
    protocol = client.get("security_protocol", "PLAINTEXT")
    if protocol == "PLAINTEXT":
        return None
    context = _context(client) if "SSL" in protocol else None
    if not protocol.startswith("SASL"):
        return faust.SSLCredentials(context=context)
    return faust.SASLCredentials(
        username=client["sasl_plain_username"],
        password=client["sasl_plain_password"],
        mechanism=client["sasl_mechanism"],
        ssl_context=context,
    )
