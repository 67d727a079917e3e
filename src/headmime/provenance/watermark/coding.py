"""Watermark message: payload, keyed check and error correction.

The convolutional code of rate 1/3 and memory 8 of IS-95, tail-biting; decoded from soft values by
the Viterbi algorithm over two rounds of the circle, in batches.
"""

import hashlib
import hmac

import numpy as np

PAYLOAD_BYTES = 4
CHECK_BYTES = 4
BITS = 8 * (PAYLOAD_BYTES + CHECK_BYTES)
CHECK_BITS = 8 * CHECK_BYTES


def message(payload: bytes, key: bytes) -> np.ndarray:
    """Concatenate the payload's 32 bits and the first 32 of its HMAC-SHA256: uint8 [64] of 0/1."""
    if len(payload) != PAYLOAD_BYTES:
        raise ValueError(f"a payload has {PAYLOAD_BYTES} bytes, not {len(payload)}")
    return np.unpackbits(np.frombuffer(payload + _check(payload, key), np.uint8))


def payload_of(bits: np.ndarray, key: bytes) -> bytes | None:
    """Extract the payload from 64 decoded bits; None if the check fails. Uniformly random bits pass
    with probability 2^-32.
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
    """Coded bits of every register state as a number 0..7, newest bit lowest, [512]."""
    registers = np.arange(2 * STATES)
    parities = [np.bitwise_count(registers & generator) & 1 for generator in GENERATORS]
    return np.sum([parity.astype(int) << place for place, parity in enumerate(parities)], axis=0)


OUTPUTS = _outputs()
# Registers that lead to state n: n's lowest bit was shifted in; the oldest bit was 0 or 1.
INTO = np.stack([np.arange(STATES), np.arange(STATES) + STATES])
# Coded bit b is sent as 1 - 2 b.
SIGNS = 1.0 - 2.0 * (np.arange(2**RATE)[None] >> np.arange(RATE)[:, None] & 1)


def encode(bits: np.ndarray) -> np.ndarray:
    """Encode 0/1 bits [n] -> uint8 [3 n]; tail-biting: initial register = final register."""
    register = int("".join(str(int(bit)) for bit in bits[-MEMORY:]), 2)
    coded = []
    for bit in bits:
        register = (register << 1 | int(bit)) & (2 * STATES - 1)
        coded.append(OUTPUTS[register] >> np.arange(RATE) & 1)
    return np.concatenate(coded).astype(np.uint8)


def decode(soft: np.ndarray) -> np.ndarray:
    """Decode soft values [B, 3 n], positive where a coded bit is likely 0 -> bits uint8 [B, n].

    Linear: flipping the soft values by a codeword flips the bits by its message. The false-alarm
    bound depends on this.
    """
    count, length = len(soft), soft.shape[1] // RATE
    gains = soft.reshape(count, length, RATE).astype(np.float32) @ SIGNS.astype(np.float32)
    best = np.zeros((count, STATES), np.float32)
    older = np.empty((2 * length, count, STATES), bool)
    halves = INTO >> 1  # predecessor states
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
    # The middle of the two rounds is unaffected by the unknown start and end states.
    start = length // 2
    return np.roll(bits[:, start : start + length], start, axis=1)
