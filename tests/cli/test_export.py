"""`headmime export`, from a saved person to a file that onnxruntime runs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from headmime.animate.person import Person
from headmime.cli import main
from headmime.nets import Nets
from headmime.nets.personal import personalise
from headmime.nets.shape import ModelShape
from headmime.provenance.statement import Consent

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")


def test_a_saved_person_becomes_a_file_for_onnxruntime(
    tmp_path: Path, nets: Nets, tiny: ModelShape, capfd: pytest.CaptureFixture[str]
) -> None:
    G = personalise(nets.generator, nets.discriminator, torch.rand(8)).generator
    record = {"detector": "dlib", "origin": {"frames": 1, "model_sha256": "", "sources": []}}
    Person(G, tiny, np.zeros((68, 2)), Consent.LICENSED, record).save(tmp_path / "me")
    out = tmp_path / "made" / "me.onnx"

    assert main(["export", f"person={tmp_path / 'me'}", f"out={out}"]) == 0

    assert capfd.readouterr().out == f"{out}\n"
    session = onnxruntime.InferenceSession(out)
    y = torch.rand(1, 3, 16, 16) * 2 - 1
    (picture,) = session.run(["picture"], {"drawing": y.numpy()})
    np.testing.assert_allclose(picture, G(y).detach().numpy(), rtol=0, atol=1e-3)
    notes = session.get_modelmeta().custom_metadata_map
    assert (notes["consent"], notes["detector"]) == ("licensed", "dlib")
    assert "AI-generated" in notes["generated_by"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["out=me.onnx"], "person= is missing"),
        (["person=me"], "out= is missing"),
        (["person=me", "out=me.pt"], "out=me.pt: the name of a file that ends in .onnx"),
        (["person=nobody", "out=me.onnx"], "person=nobody"),
    ],
)
def test_what_is_missing_is_said(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *words]) == (2 if "missing" in complaint else 1)
    assert complaint in capsys.readouterr().err
