"""`headmime web`: serve the local web page until Ctrl-C."""

import signal
import threading
import webbrowser
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf

from headmime.animate.model import torch_device, weights_stem
from headmime.cli.config import conf_folder, plain_errors
from headmime.learning.finetune import FineTuneSettings
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import ProvenanceOptions
from headmime.web.jobs import JobRunner
from headmime.web.server import serve
from headmime.web.uploads import Limits


@dataclass
class Web:
    """Every key of `headmime web`; conf/web.yaml says what they mean."""

    port: int = MISSING
    open: bool = MISSING
    weights: str = MISSING
    device: str = MISSING
    seed: int = MISSING
    detector: dict[str, Any] | None = None
    finetune: FineTuneSettings = field(default_factory=FineTuneSettings)
    perceptual: dict[str, Any] = field(default_factory=dict)
    provenance: ProvenanceOptions = field(default_factory=ProvenanceOptions)
    limits: Limits = field(default_factory=Limits)


ConfigStore.instance().store("web_schema", Web)


@hydra.main(config_path=str(conf_folder()), config_name="web", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check the settings, load the networks, serve the page, print its address."""
    settings: Web = OmegaConf.to_object(config)
    weights_stem(settings.weights)
    torch_device(settings.device)
    prepare_marking(settings.provenance)
    runner = JobRunner(
        weights=settings.weights,
        device=settings.device,
        finetune=settings.finetune,
        perceptual=partial(instantiate, settings.perceptual),
        detector=instantiate(settings.detector),
        marks=settings.provenance,
    )
    for end in (signal.SIGTERM, signal.SIGHUP):  # like Ctrl-C: uploads are deleted
        signal.signal(end, signal.default_int_handler)
    print("Loading the networks ...", flush=True)
    assert runner.model and runner.frozen  # load now, not in the first job
    with serve(runner, settings.limits, settings.port) as url:
        print(f"The page is at {url} (this machine only). Ctrl-C stops it.", flush=True)
        if settings.open:
            webbrowser.open(url)
        threading.Event().wait()
