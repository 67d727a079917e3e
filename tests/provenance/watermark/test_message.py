"""Payload and check."""

import pytest

from headmime.provenance.watermark.message import (
    BITS,
    CHECK_BITS,
    PAYLOAD_BYTES,
    message,
    payload_of,
)


def test_there_are_at_least_30_check_bits_beyond_the_payload():
    assert CHECK_BITS >= 30
    assert 8 * PAYLOAD_BYTES + CHECK_BITS == BITS


def test_only_the_whole_message_under_its_key_is_accepted():
    bits = message(b"\x00\xff\x12\x34", b"key")
    assert payload_of(bits, b"key") == b"\x00\xff\x12\x34"
    assert payload_of(bits, b"kez") is None
    for place in range(BITS):
        bits[place] ^= 1
        assert payload_of(bits, b"key") is None
        bits[place] ^= 1


def test_a_payload_of_another_length_is_a_mistake():
    with pytest.raises(ValueError, match="4 bytes"):
        message(b"12345", b"key")
