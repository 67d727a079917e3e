"""`headmime export`: a saved person as an ONNX file."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from headmime.animate.person import load_person, person_stem
from headmime.cli.config import conf_folder, plain_errors
from headmime.errors import HeadmimeError
from headmime.nets.inference import for_inference
from headmime.nets.onnx import check_onnx, write_onnx


@dataclass
class Export:
    """Every key of `headmime export`; conf/export.yaml says what they mean."""

    person: str | None = None
    out: str | None = None


ConfigStore.instance().store("export_schema", Export)


@hydra.main(config_path=str(conf_folder()), config_name="export", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, write the file."""
    settings: Export = OmegaConf.to_object(config)
    for key in ("person", "out"):
        if not getattr(settings, key):
            raise HeadmimeError(f"{key}= is missing; `headmime export --help` explains the keys.")
    out = Path(settings.out).expanduser()
    if out.suffix.lower() != ".onnx" or out.is_dir():
        raise HeadmimeError(f"out={settings.out}: the name of a file that ends in .onnx is needed.")
    person_stem(settings.person)
    check_onnx()
    for chatty in ("onnxscript", "onnx_ir"):  # they tell of every constant that they fold
        logging.getLogger(chatty).setLevel(logging.ERROR)
    person = load_person(settings.person)
    G = person.generator
    notes = {
        "generated_by": "headmime: pictures from this network are AI-generated",
        "consent": person.consent.value,
        "detector": person.record["detector"],
        "origin": json.dumps(person.record["origin"]),
    }
    print(write_onnx(out, for_inference(G, G.psi), person.shape.image_size, notes))
