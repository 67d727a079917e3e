"""Reads weights from a .caffemodel, the format in which Oxford published VGG19 and VGGFace.

A .caffemodel is a protobuf message, `NetParameter` of Caffe's caffe.proto. Only these fields are
read, all others are skipped; nothing is executed.

    NetParameter      layers = 2 (V1LayerParameter, before 2015), layer = 100 (LayerParameter)
    V1LayerParameter  name = 4, blobs = 6
    LayerParameter    name = 1, blobs = 7
    BlobProto         num = 1, channels = 2, height = 3, width = 4, data = 5 (float32), shape = 7
    BlobShape         dim = 1
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headmime.errors import HeadmimeError

LAYERS = {2: (4, 6), 100: (1, 7)}  # field of NetParameter -> fields of a layer's name and blobs
VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # protobuf's wire types


def read_caffemodel(path: Path) -> dict[str, torch.Tensor]:
    """Read `<layer>.weight` and `<layer>.bias` of every layer with both: float32, Caffe's shapes.

    HeadmimeError if the file is not a complete .caffemodel with such layers.
    """
    state = {}
    try:
        for kind, layer in _fields(memoryview(path.read_bytes())):
            if kind in LAYERS:
                name_field, blob_field = LAYERS[kind]
                fields = list(_fields(_as_bytes(layer)))
                blobs = [
                    _blob(_as_bytes(value)) for number, value in fields if number == blob_field
                ]
                if len(blobs) == 2:
                    (name,) = [bytes(value).decode() for n, value in fields if n == name_field]
                    state[f"{name}.weight"], state[f"{name}.bias"] = blobs[0], blobs[1].flatten()
    except (ValueError, TypeError, IndexError) as error:
        raise HeadmimeError(
            f"{path} is no complete .caffemodel ({error}): fetch it again, and compare its hash."
        ) from error
    if not state:
        raise HeadmimeError(f"{path} has no layers with weights and biases: is it a .caffemodel?")
    return state


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (number, value) of each field of a message; messages and strings as bytes."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind == BYTES:
            length, place = _varint(message, place)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            length = 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError(f"wire type {kind} at byte {place}")
        if place + length > len(message):
            raise ValueError("it ends too early")
        yield number, message[place : place + length]
        place += length


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Decode a varint (groups of seven bits, lowest first); return it and the end position."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _blob(message: memoryview) -> torch.Tensor:
    """A BlobProto as a tensor, with its `shape` or the four sizes used before 2015."""
    sizes: dict[int, Any] = {1: 1, 2: 1, 3: 1, 4: 1}
    data: list[np.ndarray] = []
    shape: list[int] = []
    for number, value in _fields(message):
        if number in sizes:
            sizes[number] = value
        elif number == 5:
            data.append(np.frombuffer(_as_bytes(value), "<f4"))
        elif number == 7:
            shape = [dim for _, dims in _fields(_as_bytes(value)) for dim in _dims(dims)]
    return torch.from_numpy(np.concatenate(data)).reshape(shape or list(sizes.values()))


def _as_bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise TypeError(f"the number {value} in the place of bytes")
    return value


def _dims(value: int | memoryview) -> list[int]:
    """BlobShape's dimensions, packed or single."""
    if isinstance(value, int):
        return [value]
    dims, place = [], 0
    while place < len(value):
        dim, place = _varint(value, place)
        dims.append(dim)
    return dims
