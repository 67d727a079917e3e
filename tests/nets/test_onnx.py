from pathlib import Path

import numpy as np
import pytest
import torch

from headmime.nets import Nets
from headmime.nets.inference import for_inference
from headmime.nets.onnx import write_onnx
from headmime.nets.personal import personalise

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")


def test_onnxruntime_makes_the_same_pictures(tmp_path: Path, nets: Nets) -> None:
    G = personalise(nets.generator, nets.discriminator, torch.rand(8)).generator
    file = write_onnx(tmp_path / "mona.onnx", for_inference(G, G.psi), 16, {"consent": "own"})
    session = onnxruntime.InferenceSession(file)
    y = torch.rand(1, 3, 16, 16) * 2 - 1
    (picture,) = session.run(["picture"], {"drawing": y.numpy()})
    np.testing.assert_allclose(picture, G(y).detach().numpy(), rtol=0, atol=1e-3)
    assert session.get_modelmeta().custom_metadata_map == {"consent": "own"}
    assert [file.name for file in tmp_path.iterdir()] == ["mona.onnx"]
