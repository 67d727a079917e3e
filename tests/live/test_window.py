"""The window, on a screen that nobody sees."""

import shutil
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest

from headmime.errors import HeadmimeError
from headmime.live.window import Window


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A virtual display."""
    pytest.importorskip("tkinter")
    if not shutil.which("Xvfb"):
        pytest.skip("no Xvfb here (apt-get install xvfb)")
    with subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout
        display = f":{server.stdout.readline().strip()}"
        monkeypatch.setenv("DISPLAY", display)
        yield display
        server.terminate()


def press(window: Window, key: str) -> None:
    window._root.focus_force()
    window._root.event_generate(key)
    window._root.update()


def test_frames_are_shown_and_keys_are_heard(screen: str) -> None:
    window = Window()
    window.show(np.full((64, 48, 3), (200, 10, 30), np.uint8))
    assert window._image.get(5, 5) == (200, 10, 30)
    assert not window.closed and not window.take_reset()
    press(window, "<space>")
    assert window.take_reset() and not window.take_reset()
    press(window, "q")
    window.show(np.zeros((64, 48, 3), np.uint8))
    assert window.closed
    window.close()


def test_without_a_screen_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(HeadmimeError, match="out=FILE.mp4"):
        Window()
