"""What the mark says, as bits: a payload and a keyed check, and their error correction.

The convolutional code of rate 1/3 and memory 8 of IS-95, tail-biting; decoded from soft values by
the Viterbi algorithm over two rounds of the circle, many at a time.
"""

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


GENERATORS = (0o557, 0o663, 0o711)
MEMORY = 8
STATES = 1 << MEMORY
RATE = len(GENERATORS)


def _outputs() -> np.ndarray:
    """The coded bits of every register, as a number 0..7: the newest bit is the lowest, [512]."""
    registers = np.arange(2 * STATES)
    parities = [np.bitwise_count(registers & generator) & 1 for generator in GENERATORS]
    return np.sum([parity.astype(int) << place for place, parity in enumerate(parities)], axis=0)


OUTPUTS = _outputs()
# The register that leads to state n shifted n's lowest bit in; its oldest bit was 0 or 1.
INTO = np.stack([np.arange(STATES), np.arange(STATES) + STATES])
# Coded bit b is sent as 1 - 2 b.
SIGNS = 1.0 - 2.0 * (np.arange(2**RATE)[None] >> np.arange(RATE)[:, None] & 1)


def encode(bits: np.ndarray) -> np.ndarray:
    """0/1 bits [n] -> the 3 n coded bits, uint8 [3 n]; the register starts as it will end."""
    register = int("".join(str(int(bit)) for bit in bits[-MEMORY:]), 2)
    coded = []
    for bit in bits:
        register = (register << 1 | int(bit)) & (2 * STATES - 1)
        coded.append(OUTPUTS[register] >> np.arange(RATE) & 1)
    return np.concatenate(coded).astype(np.uint8)


def decode(soft: np.ndarray) -> np.ndarray:
    """Soft values [B, 3 n], positive where a coded bit is likely 0 -> bits uint8 [B, n].

    Soft values flipped by a codeword give bits flipped by its message: the false-alarm bound rests
    on this.
    """
    count, length = len(soft), soft.shape[1] // RATE
    gains = soft.reshape(count, length, RATE).astype(np.float32) @ SIGNS.astype(np.float32)
    best = np.zeros((count, STATES), np.float32)
    older = np.empty((2 * length, count, STATES), bool)
    halves = INTO >> 1  # the states before
    for step in range(2 * length):
        gain = gains[:, step % length]
        zero = best[:, halves[0]] + gain[:, OUTPUTS[INTO[0]]]
        one = best[:, halves[1]] + gain[:, OUTPUTS[INTO[1]]]
        older[step] = one > zero
        best = np.maximum(zero, one)
    state, rows = best.argmax(1), np.arange(count)
    bits = np.empty((count, 2 * length), np.uint8)
    for step in reversed(range(2 * length)):
        bits[:, step] = state & 1
        state = (state >> 1) | (older[step, rows, state].astype(int) << (MEMORY - 1))
    # In the middle of the two rounds neither the unknown start nor the unknown end is felt.
    start = length // 2
    return np.roll(bits[:, start : start + length], start, axis=1)
