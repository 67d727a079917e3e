"""Serve the page on 127.0.0.1, without requests to other machines by gradio or the browser."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from headmime.errors import HeadmimeError
from headmime.web.jobs import JobRunner
from headmime.web.uploads import Limits

HOST = "127.0.0.1"
QUEUE_SIZE = 16  # jobs


@contextmanager
def serve(runner: JobRunner, limits: Limits, port: int) -> Iterator[str]:
    """Serve the page (`port` 0: a free one) in threads; yields its address.

    Uploads and results are in a temporary folder that is deleted with the server.
    HeadmimeError if gradio is not installed or the port is taken.
    """
    with tempfile.TemporaryDirectory(prefix="headmime-web-") as folder:
        # gradio reads these on import and when it serves files.
        os.environ["GRADIO_TEMP_DIR"] = str(Path(folder) / "uploads")
        os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
        for name in ("httpx", "httpx2"):  # gradio logs its own start-up requests
            logging.getLogger(name).setLevel(logging.WARNING)
        gradio = _gradio()
        from headmime.assets import MONA_LISA
        from headmime.web.guards import guards
        from headmime.web.page import Page
        from headmime.web.sessions import Sessions

        results = Path(folder) / "results"
        results.mkdir()
        gradio.set_static_paths(str(results))  # served without a copy
        blocks = Page(runner, Sessions(results), limits).blocks.queue(max_size=QUEUE_SIZE)
        try:
            _, url, _ = blocks.launch(
                server_name=HOST,
                server_port=port or None,
                theme=_theme(gradio),
                css=(files("headmime.web") / "page.css").read_text(),
                max_file_size=f"{limits.megabytes}mb",
                allowed_paths=[str(MONA_LISA.parent)],
                app_kwargs={"middleware": guards(HOST)},
                footer_links=[],
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                ssr_mode=False,
                pwa=False,
            )
        except OSError as error:
            raise HeadmimeError(
                f"Port {port} cannot be used: give another one by port=, or port=0."
            ) from error
        try:
            yield url
        finally:
            blocks.close(verbose=False)


def _gradio() -> ModuleType:
    try:
        import gradio
    except ImportError as error:
        raise HeadmimeError(
            "The page needs gradio: pip install 'headmime[web]', or `make setup`."
        ) from error
    return gradio


def _theme(gradio: ModuleType) -> Any:
    """Theme with system fonts; web fonts would be downloaded."""
    plain = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    return gradio.themes.Soft(
        primary_hue="teal", neutral_hue="slate", font=plain, font_mono=["ui-monospace", "monospace"]
    )
