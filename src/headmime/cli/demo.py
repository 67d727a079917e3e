"""`headmime demo`: the bundled model learns the Mona Lisa from one picture; she talks."""

from dataclasses import dataclass, field

import hydra
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf

from headmime.animate import api
from headmime.animate.driving import find_driving
from headmime.animate.media import media_path
from headmime.assets import ASSETS
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.person import PersonSettings, check, make_person
from headmime.progress import progress
from headmime.provenance.marks import Marks
from headmime.provenance.ready import ready

MONA_LISA = ASSETS / "pictures" / "mona_lisa.jpg"
OUTPUTS = {
    "mp4": "the video",
    "gif": "the same as a GIF",
    "png": "contact sheet: source | landmarks | result",
}


@dataclass
class Demo(PersonSettings):
    """Every key of `headmime demo`; conf/demo.yaml says what they mean."""

    driving: str = MISSING
    out: str = MISSING
    provenance: Marks = field(default_factory=Marks)


ConfigStore.instance().store("demo_schema", Demo)


@hydra.main(config_path=str(conf_folder()), config_name="demo", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, fine-tune on the picture, write three files, name them."""
    settings: Demo = OmegaConf.to_object(config)
    settings.source = settings.source or [str(MONA_LISA)]
    find_driving(settings.driving)
    check(settings)
    ready(settings.provenance)
    paths = {
        media_path(f"{settings.out}/mona_lisa.{suffix}"): text for suffix, text in OUTPUTS.items()
    }
    detector = instantiate(settings.detector)
    person = make_person(settings, detector)
    animation = api.animate(person, settings.driving, detector=detector)
    for path in paths:
        with progress(path.name) as on_frame:
            api.save(animation, path, on_frame=on_frame, marks=settings.provenance)
    for path, text in paths.items():
        print(f"{path}  ({text})")
