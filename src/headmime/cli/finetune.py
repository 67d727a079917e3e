"""`headmime finetune`: learn one person and keep the model for `headmime animate person=`."""

from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.person import PersonSettings, check, make_person
from headmime.errors import HeadmimeError


@dataclass
class Finetune(PersonSettings):
    """Every key of `headmime finetune`; conf/finetune.yaml says what they mean."""

    out: str | None = None


ConfigStore.instance().store("finetune_schema", Finetune)


@hydra.main(config_path=str(conf_folder()), config_name="finetune", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, fine-tune, save."""
    settings: Finetune = OmegaConf.to_object(config)
    if not settings.out:
        raise HeadmimeError("out= is missing: the name for the personal model, such as models/me.")
    check(settings)
    out = Path(settings.out).expanduser().absolute()
    if out.is_dir():
        out = out / "person"
    make_person(settings, instantiate(settings.detector)).save(out)
    print(f"Saved; use it as person={out}")
