"""What is carried: a payload and a keyed check, as 64 bits."""

import hashlib
import hmac

import numpy as np

PAYLOAD_BYTES = 4
CHECK_BYTES = 4
BITS = 8 * (PAYLOAD_BYTES + CHECK_BYTES)
CHECK_BITS = 8 * CHECK_BYTES


def message(payload: bytes, key: bytes) -> np.ndarray:
    """The payload's 32 bits and the first 32 of its HMAC-SHA256, uint8 [64] of 0 and 1."""
    if len(payload) != PAYLOAD_BYTES:
        raise ValueError(f"a payload has {PAYLOAD_BYTES} bytes, not {len(payload)}")
    return np.unpackbits(np.frombuffer(payload + _check(payload, key), np.uint8))


def payload_of(bits: np.ndarray, key: bytes) -> bytes | None:
    """The payload in 64 decoded bits, or None where the check fails: for bits that are uniformly
    random, with probability 2^-32 it does not.
    """
    content = np.packbits(bits).tobytes()
    payload, check = content[:PAYLOAD_BYTES], content[PAYLOAD_BYTES:]
    return payload if hmac.compare_digest(check, _check(payload, key)) else None


def _check(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"check" + payload, hashlib.sha256)[:CHECK_BYTES]
