"""Pseudonyms: the same customer, the same word; and no way back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.pseudonym import Pseudonymizer, no_pseudonym, normalised

KEY = b"sixteen bytes ok"
CUSTOMER = Pseudonymizer(KEY, "k1")


def test_a_pseudonym_names_its_construction_and_its_key() -> None:
    assert CUSTOMER("phone", "+13238679471") == "p1.k1.r9ARqGeSTLkTuofhPHJAvA"


def test_key_key_id_and_domain_all_matter() -> None:
    known = {
        CUSTOMER("phone", "7009"),
        CUSTOMER("id", "7009"),
        Pseudonymizer(KEY, "k2")("phone", "7009"),
        Pseudonymizer(b"seventeen bytes ok", "k1")("phone", "7009"),
    }
    assert len(known) == 4
    assert None not in known


@pytest.mark.parametrize(
    ("domain", "value", "normal"),
    [
        ("phone", "+1 (323) 867-9471", "13238679471"),
        ("phone", "0013238679471", "13238679471"),
        ("phone", "sip:+13238679471@pbx.example;user=phone", "13238679471"),
        ("phone", "<tel:+13238679471>", "13238679471"),
        ("phone", "0012", "0012"),
        ("phone", "alice", "alice"),
        ("phone", "SIP:Alice@Example", "alice"),
        ("phone", " Anonymous ", None),
        ("phone", "anonymous@anonymous.invalid", None),
        ("phone", "<unknown>", None),
        ("phone", "00000", None),
        ("phone", "266696687", None),
        ("phone", "", None),
        ("phone", "@", None),
        ("email", " Ann@Example.ORG ", "ann@example.org"),
        ("email", "  ", None),
        ("id", "unknown", "unknown"),
    ],
)
def test_one_spelling_for_each_customer(domain: str, value: str, normal: str | None) -> None:
    assert normalised(domain, value) == normal


@pytest.mark.parametrize(
    ("key", "key_id"), [(b"short", "k"), (b"x" * 65, "k"), (KEY, ""), (KEY, "k.1"), (KEY, "k" * 17)]
)
def test_a_weak_key_is_refused_without_showing_it(key: bytes, key_id: str) -> None:
    with pytest.raises(ValueError, match=r"^a (pseudonym )?key") as told:
        Pseudonymizer(key, key_id)
    assert key.decode() not in str(told.value)


@given(st.text(), st.text())
def test_any_text_gets_a_pseudonym_or_none_and_always_the_same(domain: str, value: str) -> None:
    told = CUSTOMER(domain, value)
    assert told == Pseudonymizer(KEY, "k1")(domain, value)
    assert told is None or re.fullmatch(r"p1\.k1\.[A-Za-z0-9_-]{22}", told)


def test_without_a_key_there_is_none() -> None:
    assert no_pseudonym("phone", "+13238679471") is None  # type: ignore[func-returns-value]
