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
        from headmime.web.guards import guards
        from headmime.web.page import Page
        from headmime.web.sessions import Sessions

        uploads, results, shown = (Path(folder) / name for name in ("uploads", "results", "shown"))
        for part in (uploads, results, shown):
            part.mkdir()
        gradio.set_static_paths([str(results), str(shown)])  # served without a copy
        blocks = Page(runner, Sessions(results), limits, shown).blocks
        blocks.queue(max_size=QUEUE_SIZE)
        try:
            _, url, _ = blocks.launch(
                server_name=HOST,
                server_port=port or None,
                theme=_theme(gradio),
                css=_read("page.css"),
                head=f"<script>{_read('page.js')}</script>",
                max_file_size=f"{limits.megabytes}mb",
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


def _read(name: str) -> str:
    return (files("headmime.web") / name).read_text()


def _theme(gradio: ModuleType) -> Any:
    """Theme with system fonts (web fonts would be downloaded), and a teal that is dark enough to be
    read on white and under white.
    """
    teal = gradio.themes.Color(
        *("#f0fdfa", "#ccfbf1", "#99f6e4", "#5eead4", "#2dd4bf", "#0f766e"),
        *("#115e59", "#134e4a", "#123f3c", "#0f2f2d", "#042f2e"),
    )
    plain = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    return gradio.themes.Soft(
        primary_hue=teal, neutral_hue="slate", font=plain, font_mono=["ui-monospace", "monospace"]
    ).set(
        button_primary_background_fill_hover="*primary_600",
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_600",
        block_info_text_color="*neutral_600",
        link_text_color_dark="*primary_300",
    )
