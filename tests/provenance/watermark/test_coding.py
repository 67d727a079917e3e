"""The mark's bits: payload, check and error correction."""

import numpy as np
import pytest

from headmime.provenance.watermark.coding import (
    BITS,
    CHECK_BITS,
    PAYLOAD_BYTES,
    RATE,
    decode,
    encode,
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


def bits(seed: int, count: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(2, size=(count, BITS), dtype=np.uint8)


def sent(messages: np.ndarray) -> np.ndarray:
    return np.stack([1.0 - 2.0 * encode(message) for message in messages])


def test_decoding_is_the_inverse_of_encoding():
    messages = bits(0, 50)
    assert sent(messages).shape == (50, RATE * BITS)
    assert (decode(sent(messages)) == messages).all()


def test_the_code_is_linear_and_words_differ_in_at_least_18_bits():
    one, other = bits(1, 2)
    assert (encode(one) ^ encode(other) == encode(one ^ other)).all()
    # 18 is the known free distance of this code; a single 1 is among its lightest words.
    lightest = [encode(np.eye(BITS, dtype=np.uint8)[place]).sum() for place in (0, 17, BITS - 1)]
    assert min(lightest) >= 18 and len(set(lightest)) == 1


def test_a_fifth_of_the_bits_may_be_wrong():
    """Gaussian noise as large as the signal flips 16 % of the signs."""
    messages = bits(2, 200)
    noisy = sent(messages) + np.random.default_rng(3).normal(size=(200, RATE * BITS))
    assert 0.14 < (noisy * sent(messages) < 0).mean() < 0.18
    assert (decode(noisy) == messages).all(1).mean() > 0.98


def test_noise_flipped_by_a_word_decodes_to_bits_flipped_by_its_message():
    """So with random signs every message is equally likely: the false-alarm bound."""
    noise = np.random.default_rng(4).normal(size=(30, RATE * BITS))
    flips = bits(5, 30)
    assert (decode(noise * sent(flips)) == decode(noise) ^ flips).all()
