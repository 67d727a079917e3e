"""Caffe's files, written here by Google's protobuf from what caffe.proto says of them."""

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import torch
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from headmime.errors import HeadmimeError
from headmime.pretrained.caffemodel import read_caffemodel
from headmime.pretrained.vgg import VGG16, VGGStack
from headmime.pretrained.weights import read_state_dict

ROOT = Path(__file__).parents[2]
# caffe.proto, as far as it matters: message -> (field, number, type, repeated, packed).
PROTO = {
    "BlobShape": [("dim", 1, "int64", True, True)],
    "BlobProto": [
        ("num", 1, "int32", False, False),
        ("channels", 2, "int32", False, False),
        ("height", 3, "int32", False, False),
        ("width", 4, "int32", False, False),
        ("data", 5, "float", True, True),
        ("diff", 6, "float", True, True),
        ("shape", 7, ".caffe.BlobShape", False, False),
    ],
    "V1LayerParameter": [
        ("bottom", 2, "string", True, False),
        ("name", 4, "string", False, False),
        ("type", 5, "int32", False, False),
        ("blobs", 6, ".caffe.BlobProto", True, False),
        ("blobs_lr", 7, "float", True, False),
    ],
    "LayerParameter": [
        ("name", 1, "string", False, False),
        ("type", 2, "string", False, False),
        ("blobs", 7, ".caffe.BlobProto", True, False),
    ],
    "NetParameter": [
        ("name", 1, "string", False, False),
        ("layers", 2, ".caffe.V1LayerParameter", True, False),
        ("input", 3, "string", True, False),
        ("layer", 100, ".caffe.LayerParameter", True, False),
    ],
}


def net_parameter() -> Any:
    """An empty NetParameter."""
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe")
    for name, fields in PROTO.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated, packed in fields:
            one = message.field.add(name=field, number=number, label=3 if repeated else 1)
            one.options.packed = packed
            if kind.startswith("."):
                one.type, one.type_name = one.TYPE_MESSAGE, kind
            else:
                one.type = getattr(one, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("caffe.NetParameter")
    return message_factory.GetMessageClass(found)()


def caffemodel(path: Path, state: dict[str, np.ndarray], old: bool) -> Path:
    """The file that Caffe would write of these layers' weights and biases, before 2015 if `old`."""
    net = net_parameter()
    net.name = "VGG"
    (net.layers if old else net.layer).add(name="data")
    for name in dict.fromkeys(key.split(".")[0] for key in state):
        layer = (net.layers if old else net.layer).add(name=name)
        if old:
            layer.type = 4
            layer.blobs_lr.extend([1.0, 2.0])
        for part in ("weight", "bias"):
            value = state[f"{name}.{part}"]
            blob = layer.blobs.add(data=value.flatten())
            if old:
                sizes = (1,) * (4 - value.ndim) + value.shape
                blob.num, blob.channels, blob.height, blob.width = sizes
            else:
                blob.shape.dim.extend(value.shape)
        (net.layers if old else net.layer).add(name=f"relu of {name}")
    path.write_bytes(net.SerializeToString())
    return path


@pytest.fixture
def state() -> dict[str, np.ndarray]:
    """The first two convolutions of a VGG, and a layer that nobody wants."""
    random = np.random.default_rng(0)
    shapes = {"conv1_1": (64, 3, 3, 3), "conv1_2": (64, 64, 3, 3), "fc8": (10, 300)}
    state = {}
    for name, shape in shapes.items():
        state[f"{name}.weight"] = random.normal(size=shape).astype(np.float32)
        state[f"{name}.bias"] = random.normal(size=shape[:1]).astype(np.float32)
    return state


@pytest.mark.parametrize("old", [True, False], ids=["layers of before 2015", "layers of today"])
def test_weights_come_out_as_they_went_in(tmp_path: Path, state: dict, old: bool) -> None:
    read = read_state_dict(caffemodel(tmp_path / "vgg.caffemodel", state, old))
    assert read.keys() == state.keys()
    for name in state:
        expected = state[name].reshape(read[name].shape)  # fc8 is [1, 1, 10, 300] if old
        np.testing.assert_array_equal(read[name].numpy(), expected)
    net = VGGStack(read, VGG16, (1, 3), "vgg.caffemodel")
    assert [f.shape[1] for f in net(torch.zeros(1, 3, 8, 8))] == [64, 64]


@pytest.mark.parametrize("keep", [0.3, 0.999])
def test_a_file_that_was_cut_off_is_one_sentence(tmp_path: Path, state: dict, keep: float) -> None:
    path = caffemodel(tmp_path / "vgg.caffemodel", state, True)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(HeadmimeError, match="no complete .caffemodel"):
        read_caffemodel(path)


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html>404", bytes(100)])
def test_another_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vgg.caffemodel"
    path.write_bytes(content)
    with pytest.raises(HeadmimeError, match=r"\.caffemodel"):
        read_caffemodel(path)


@pytest.mark.parametrize("rgb", [False, True])
def test_the_tool_keeps_the_convolutions_for_blue_green_red(
    tmp_path: Path,
    state: dict,
    rgb: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caffemodel(tmp_path / "vgg.caffemodel", state, True)
    words = ["convert_vgg.py", str(tmp_path / "vgg.caffemodel"), str(tmp_path / "out.safetensors")]
    monkeypatch.setattr("sys.argv", words + ["--rgb"] * rgb)
    runpy.run_path(str(ROOT / "tools" / "convert_vgg.py"), run_name="__main__")
    read = read_state_dict(tmp_path / "out.safetensors")
    first = state["conv1_1.weight"][:, [2, 1, 0]] if rgb else state["conv1_1.weight"]
    np.testing.assert_array_equal(read.pop("conv1_1.weight").numpy(), first)
    assert set(read) == {"conv1_1.bias", "conv1_2.weight", "conv1_2.bias"}
    (printed,) = re.findall("vgg.caffemodel: sha256 ([0-9a-f]{64})", capsys.readouterr().out)
    with safetensors.safe_open(tmp_path / "out.safetensors", "pt") as file:
        assert file.metadata() == {"source": "vgg.caffemodel", "source_sha256": printed}
