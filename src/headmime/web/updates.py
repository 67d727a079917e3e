"""Updates of the page's components."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from headmime.web.jobs import JobResult


def show_error(sentence: str, thumbnails: Sequence[tuple[Path, str]] = ()) -> list[Any]:
    """Updates of `Layout.error` for a sentence and named thumbnails."""
    message = f'<p role="alert">{html.escape(sentence)}</p>'
    gallery = gr.update(value=thumbnails, visible=bool(thumbnails))
    return [gr.update(visible=True), message, gallery]


def clear_error() -> list[Any]:
    """Updates of `Layout.error`."""
    return [gr.update(visible=False), "", gr.update(value=None, visible=False)]


def clear_outputs(earlier: JobResult | None) -> list[Any]:
    """Updates of `Layout.outputs` before a result; `earlier` stays beside it."""
    off = gr.update(value=None, interactive=False)
    return [gr.update(value=None, label="Result"), show_earlier(earlier), off, off, off, ""]


def show_result(
    result: JobResult, earlier: JobResult | None, person: Path, notes: Sequence[str]
) -> list[Any]:
    """Updates of `Layout.outputs` for a result; the GIF follows."""
    shown = gr.update(value=result.video, label=f"Result: {result.caption}")
    mp4, saved = (gr.update(value=file, interactive=True) for file in (result.video, person))
    return [shown, show_earlier(earlier), mp4, gr.skip(), saved, paragraphs(notes)]


def show_earlier(result: JobResult | None) -> Any:
    """Update of the player of the result before."""
    if result is None:
        return gr.update(value=None, visible=False)
    return gr.update(value=result.video, visible=True, label=f"Earlier: {result.video.stem}")


def paragraphs(sentences: Sequence[str]) -> str:
    """HTML of one paragraph for each sentence."""
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)


def shorten_paths(sentence: str, files: Sequence[Path]) -> str:
    """Replace paths by the file names that the user knows."""
    for file in files:
        sentence = sentence.replace(str(file), file.name)
    return sentence
