"""Updates of the page's components, and HTML for them."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from headmime.web.jobs import JobResult


def show_error(sentence: str, images: Sequence[tuple[Path, str]] = ()) -> str:
    """HTML of an error, with images of the files that it is about."""
    return f'<p role="alert">{html.escape(sentence)}</p>{figures(images)}'


def clear_outputs(earlier: JobResult | None) -> list[Any]:
    """Updates of `Layout.outputs` before a result; `earlier` stays beside it."""
    off = gr.update(value=None, interactive=False)
    return [figure(None, "Result"), show_earlier(earlier), off, off, off, ""]


def show_result(
    result: JobResult, earlier: JobResult | None, person: Path, notes: Sequence[str]
) -> list[Any]:
    """Updates of `Layout.outputs` for a result; the GIF follows."""
    shown = figure(result.file, f"Result: {result.caption}", sound=True)
    label = "Download PNG" if result.animation.still else "Download mp4"
    made = gr.update(value=result.file, label=label, interactive=True)
    saved = gr.update(value=person, interactive=True)
    return [shown, show_earlier(earlier), made, gr.skip(), saved, paragraphs(notes)]


def show_earlier(result: JobResult | None) -> Any:
    """Update of the result before."""
    if result is None:
        return gr.update(value="", visible=False)
    return gr.update(value=figure(result.file, f"Earlier: {result.file.stem}"), visible=True)


def figure(file: Path | None, label: str, sound: bool = False, small: bool = False) -> str:
    """HTML of an image or a film with its label, or of an empty frame. A film plays on and on; a
    `small` one once, and under the mouse.
    """
    label, shown = html.escape(label), ""
    if file is not None:
        source = f'src="/gradio_api/file={quote(str(file))}"'
        words = ("" if small else "controls loop ") + ("" if sound else "muted ")
        film = f"<video {source} {words}autoplay playsinline preload=auto></video>"
        shown = f'<img {source} alt="{label}">' if file.suffix in (".png", ".gif") else film
    return f"<figure><figcaption>{label}</figcaption>{shown}</figure>"


def figures(files: Sequence[tuple[Path, str]]) -> str:
    """HTML of small images and films with their labels."""
    return "".join(figure(file, label, small=True) for file, label in files)


def paragraphs(sentences: Sequence[str]) -> str:
    """HTML of one paragraph for each sentence."""
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)


def shorten_paths(sentence: str, files: Sequence[Path]) -> str:
    """Replace paths by the file names that the user knows."""
    for file in files:
        sentence = sentence.replace(str(file), file.name)
    return sentence
