"""`headmime web`: serve the local web page until Ctrl-C."""

import signal
import tempfile
import threading
import webbrowser
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hydra.utils import instantiate

from headmime.animate.model import torch_device, weights_stem
from headmime.cli.person import NetworkSettings
from headmime.learning.finetune import FineTuneSettings
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import ProvenanceOptions
from headmime.web.jobs import JobRunner
from headmime.web.server import serve
from headmime.web.uploads import Limits


@dataclass(kw_only=True)
class Web(NetworkSettings):
    """Keys of `headmime web`: conf/web.yaml."""

    port: int
    open: bool
    finetune: FineTuneSettings
    provenance: ProvenanceOptions
    limits: Limits


def main(settings: Web) -> None:
    """Check the settings, load the networks, serve the page, print its address."""
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
    print("Loading the networks, and measuring how fast they are here ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="headmime-web-") as folder:
        runner.measure_paces(Path(folder))
    with serve(runner, settings.limits, settings.port) as url:
        print(f"The page is at {url} (this machine only). Ctrl-C stops it.", flush=True)
        if settings.open:
            webbrowser.open(url)
        threading.Event().wait()
