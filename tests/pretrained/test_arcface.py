"""An ArcFace by path: a tiny ONNX model in its place."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from headmime.errors import HeadmimeError
from headmime.pretrained.arcface import arcface


def mean_colour_model(file: Path, side: int) -> Path:
    """An ONNX model: images [n, 3, side, side] -> their mean, [n, 3]."""
    shape = ["n", 3, side, side]
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["e"]),
        ],
        "mean",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("e", TensorProto.FLOAT, ["n", 3])],
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), file)
    return file


def test_images_reach_the_model_as_rgb_from_minus_one_to_one(tmp_path):
    network = arcface(str(mean_colour_model(tmp_path / "face.onnx", 112)))
    frames = np.zeros((20, 64, 64, 3), np.uint8)
    frames[..., 0], frames[..., 1] = 255, 127  # red 1, green -1/255, blue -1
    landmarks = np.random.default_rng(0).uniform(0.3, 0.7, (20, 68, 2))
    landmarks[:, 36:48, 1] -= 0.1
    landmarks = np.repeat(landmarks[:1], 20, 0) * 0.4 + 0.3  # the chip lies inside
    e = network(frames, landmarks)
    assert e.shape == (20, 3) and network.origin["stand_in"] is False
    np.testing.assert_allclose(np.linalg.norm(e, axis=1), 1, rtol=1e-5)
    assert e[0, 0] > 0.3 and e[0, 2] < -0.3


def test_a_model_of_another_input_is_refused(tmp_path):
    file = mean_colour_model(tmp_path / "other.onnx", 96)
    with pytest.raises(HeadmimeError, match="other.onnx takes .* no ArcFace"):
        arcface(str(file))
