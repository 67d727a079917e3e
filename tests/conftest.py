"""What all tests share."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from headmime.assets import ASSETS
from headmime.nets import Nets, build_nets
from headmime.nets.shape import ModelShape
from headmime.pretrained.frozen import Frozen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType

with suppress(ModuleNotFoundError):  # tests/gpu needs less than the other tests
    import hypothesis

    # A busy machine is no failure.
    hypothesis.settings.register_profile("headmime", deadline=None)
    hypothesis.settings.load_profile("headmime")


@pytest.fixture(scope="session", autouse=True)
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for what headmime keeps about its user, instead of the user's own."""
    folder = tmp_path_factory.mktemp("configuration")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real clips and portraits beside the checkout (rows with split == "tune" for choices)."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not (folder / "clips.tsv").is_file():
        pytest.skip(f"no real data: {folder} is absent")
    return folder


@pytest.fixture(scope="session")
def mona_lisa() -> Path:
    """The bundled picture."""
    return ASSETS / "images" / "mona_lisa.jpg"


@pytest.fixture(scope="session")
def tiny() -> ModelShape:
    """Pictures of 16 pixels, N = 8, attention in every part."""
    return ModelShape(
        image_size=16,
        width=4,
        max_width=8,
        generator_levels=2,
        bottleneck_blocks=1,
        attention_down=8,
        attention_up=8,
    )


@pytest.fixture
def nets(tiny: ModelShape) -> Nets:
    """Untrained networks of that shape, the same for every test."""
    torch.manual_seed(0)
    return build_nets(tiny)


class PixelsAsFeatures(Frozen):
    """Stands for a perceptual network: two sizes of the picture."""

    def __init__(self) -> None:
        super().__init__("pixels", {})

    def forward(self, images: Tensor) -> list[Tensor]:
        return [images, nn.functional.avg_pool2d(images, 4)]


@pytest.fixture(scope="session")
def perceptual() -> nn.Module:
    """What L_CNT compares, without a network."""
    return PixelsAsFeatures()


@pytest.fixture
def heeds_interrupts() -> Callable[[], None]:
    """For `preexec_fn`: in the background of a shell, processes would ignore Ctrl-C."""
    return lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)


CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or the one that `playwright install chromium` has put away."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launched(playwright.chromium)
        yield browser
        browser.close()


@pytest.fixture
def launch(browser: Browser) -> Callable[..., Browser]:
    """Another browser, with words on its command line."""
    return lambda *words: launched(browser.browser_type, *words)


def launched(chromium: BrowserType, *words: str) -> Browser:
    """A headless Chromium with `words` on its command line; skips where there is none."""
    from playwright.sync_api import Error

    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    try:
        return chromium.launch(executable_path=path, args=["--no-sandbox", *words])
    except Error as error:
        pytest.skip(f"no Chromium here (apt-get install chromium): {str(error).splitlines()[0]}")
