"""Fine-tuning by name, as the configuration spells it out."""

from omegaconf import OmegaConf

from headmime.assets import conf_folder
from headmime.errors import HeadmimeError
from headmime.learning.finetune import FineTuneSettings

NONE = "none"


def recipe(name: str) -> FineTuneSettings | None:
    """The settings of conf/finetune/<name>.yaml; None for "none", which is feed-forward.

    HeadmimeError naming the others if there is no such file.
    """
    folder = conf_folder() / "finetune"
    names = sorted(file.stem for file in folder.glob("*.yaml"))
    if name not in names:
        raise HeadmimeError(f"finetune={name} is not known; choose one of {', '.join(names)}.")
    if name == NONE:
        return None
    chosen = OmegaConf.load(folder / f"{name}.yaml")
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(FineTuneSettings), chosen))
