"""Organisations and their tokens: the form of a token, its states, and the current tenant."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.organisations import (
    TOKEN_ID_PATTERN,
    Organisation,
    Token,
    abbreviated,
    current_org_id,
    is_well_formed,
    new_token,
    searched_shards,
    tenant,
    token_id,
)

NOW_MS = 1_800_000_000_000
DIGITS = string.digits + string.ascii_letters
TOKEN = Token("f" * 64, "org_1", ("read",), 0)
ends = st.none() | st.integers(NOW_MS - 5, NOW_MS + 5)


def test_new_tokens_are_well_formed_and_distinct() -> None:
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(is_well_formed(token) and len(token) == 39 for token in tokens)


@given(st.integers(3, 38), st.sampled_from(DIGITS))
def test_one_mistyped_digit_is_refused(place: int, digit: str) -> None:
    token = new_token()
    typed = token[:place] + digit + token[place + 1 :]
    assert is_well_formed(typed) == (typed == token)


@given(st.text(DIGITS + "_é \n", max_size=42))
def test_what_new_token_did_not_make_is_not_well_formed(text: str) -> None:
    assert not is_well_formed(text)
    assert not is_well_formed("rc_" + text)


def test_the_id_of_a_token_is_its_sha_256() -> None:
    # of "abc", from FIPS 180-2
    assert token_id("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert TOKEN_ID_PATTERN.fullmatch(token_id(new_token()))


def test_states() -> None:
    token = TOKEN
    assert token.state(NOW_MS) == "active"
    assert replace(token, expires_at_ms=NOW_MS).state(NOW_MS) == "expired"
    assert replace(token, expires_at_ms=NOW_MS + 1).state(NOW_MS) == "active"
    assert replace(token, revoked_at_ms=NOW_MS, expires_at_ms=1).state(NOW_MS) == "revoked"
    assert replace(token, revoked_at_ms=NOW_MS + 1).state(NOW_MS) == "active"


@given(ends, ends, st.integers(NOW_MS - 9, NOW_MS + 9))
def test_a_token_is_active_until_its_end_and_never_again(
    expires_at_ms: int | None, revoked_at_ms: int | None, now_ms: int
) -> None:
    token = replace(TOKEN, expires_at_ms=expires_at_ms, revoked_at_ms=revoked_at_ms)
    end = token.ends_at_ms
    assert (token.state(now_ms) == "active") == (end is None or now_ms < end)


@given(st.lists(st.text("01", min_size=12, max_size=12), min_size=1, max_size=12))
def test_abbreviated_ids_stay_distinct_and_no_longer_than_that_takes(ids: list[str]) -> None:
    short = abbreviated(ids)
    assert len(set(short)) == len(set(ids))
    assert all(id.startswith(cut) for id, cut in zip(ids, short, strict=True))
    (length,) = {len(cut) for cut in short}
    assert length >= 8
    if length > 8:
        assert len({id[: length - 1] for id in ids}) < len(set(ids))


def test_a_deleted_organisation_has_no_handle_left() -> None:
    organisation = Organisation("org_1", "acme", "Acme", 0)
    assert not organisation.is_deleted
    assert not replace(organisation, is_deleting=True).is_deleted
    assert replace(organisation, is_deleting=True, handle="", name="").is_deleted


def test_the_tenant_is_the_innermost_one_also_after_an_error() -> None:
    def fail() -> None:
        with tenant("b"):
            assert current_org_id() == "b"
            raise ZeroDivisionError

    assert current_org_id() is None
    with tenant("a"):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert current_org_id() == "a"
    assert current_org_id() is None


@pytest.mark.parametrize(("buckets", "searched"), [(1, 16), (16, 16), (17, 17), (64, 64)])
def test_an_organisation_is_searched_in_all_of_its_shards_and_in_16_at_least(
    buckets: int, searched: int
) -> None:
    assert searched_shards(buckets) == range(searched)


def test_abbreviated_ids_are_longer_where_8_digits_are_alike() -> None:
    assert abbreviated(["0123456789", "0123456780", "abcdefghij"]) == [
        "0123456789",
        "0123456780",
        "abcdefghij",
    ]
    assert abbreviated(["0123456789", "abcdefghij"]) == ["01234567", "abcdefgh"]
