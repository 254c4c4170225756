"""Customers without their numbers: the same caller gives the same pseudonym, and nothing gives the
caller back.

A pseudonym is ``p1.<key_id>.<22 characters>``: ``p1`` names this construction, ``key_id`` the key
(so pseudonyms made before and after a change of key are told apart), the rest is 128 bits of
BLAKE2b keyed with the secret over the domain and the normalised value.  Without the key a phone
number cannot be found by trying all of them, which a plain hash would allow.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b

KEY_BYTES_MIN = 16
KEY_BYTES_MAX = 64
CACHED_MAX = 65_536

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)
_NOBODY = frozenset(
    [
        "anonymous",
        "asterisk",
        "blocked",
        "none",
        "null",
        "private",
        "restricted",
        "s",
        "unavailable",
        "unknown",
        "withheld",
    ]
)
# What the words anonymous and unavailable are on a telephone's keypad; some trunks send these.
_NOBODY_DIALLED = frozenset(("266696687", "86282452253"))
_SCHEME = re.compile(r"^(?:sips?|tel):", re.ASCII)
_NOT_A_DIGIT = re.compile(r"[^0-9]+", re.ASCII)
# A "00" before fewer digits than this belongs to an internal extension, not to a country code.
_INTERNATIONAL_DIGITS_MIN = 10


class Pseudonymizer:
    """Turns (domain, value) into a pseudonym, or into None for a customer nobody can tell apart.

    ``key`` is 16 to 64 secret bytes; ``key_id`` 1 to 16 characters of ``A-Za-z0-9_-``.  Anything
    else raises ValueError, which never shows the key.

    >>> customer = Pseudonymizer(b"sixteen bytes ok", "k1")
    >>> customer("phone", "+1 (323) 867-9471") == customer("phone", "0013238679471")
    True
    >>> customer("phone", "anonymous") is None
    True
    """

    def __init__(self, key: bytes, key_id: str) -> None:
        if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
            raise ValueError(f"a pseudonym key has {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes")
        if not _KEY_ID.fullmatch(key_id):
            raise ValueError("a key id has 1 to 16 characters of A-Z, a-z, 0-9, _ and -")
        self._key = key
        self._prefix = f"p1.{key_id}."
        # The same caller comes with several events in a row; the bound keeps memory flat.
        self._cached = lru_cache(CACHED_MAX)(self._make)

    def __call__(self, domain: str, value: str) -> str | None:
        """The pseudonym of a ``phone``, ``email`` or ``id``; the domain is part of it."""
        return self._cached(domain, value)

    def _make(self, domain: str, value: str) -> str | None:
        known = normalised(domain, value)
        if known is None:
            return None
        digest = blake2b(f"{domain}\0{known}".encode(), digest_size=16, key=self._key).digest()
        return self._prefix + urlsafe_b64encode(digest)[:22].decode()


def no_pseudonym(domain: str, value: str) -> None:
    """What stands in where no key is configured: every customer is left out."""


def normalised(domain: str, value: str) -> str | None:
    """The one spelling of a value, or None if it names nobody.

    >>> normalised("phone", "sip:+49 30 1234567@example.org"), normalised("phone", "Withheld")
    ('49301234567', None)
    """
    text = value.strip().casefold()
    return _phone(text) if domain == "phone" else (text or None)


def _phone(text: str) -> str | None:
    user = _SCHEME.sub("", text).partition("@")[0].strip("<> ")
    if not user or user in _NOBODY or user in _NOBODY_DIALLED:
        return None
    digits = _NOT_A_DIGIT.sub("", user)
    if not digits:
        return user
    if not digits.strip("0"):
        return None
    # One trunk writes +49..., another 0049..., a third 49...: one customer.
    if digits.startswith("00") and len(digits) - 2 >= _INTERNATIONAL_DIGITS_MIN:
        return digits[2:]
    return digits
