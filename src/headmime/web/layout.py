"""Components of the page and their layout."""

from pathlib import Path
from typing import Any

import gradio as gr

from headmime.animate.driving import template_names
from headmime.animate.strength import STRONGEST
from headmime.web.uploads import Limits

INTRODUCTION = """# headmime
Talking heads from photos: choose a person (one photo is enough) and a motion, and press Animate.
Everything runs on this computer. Uploads and results are deleted when this page is closed."""
OWN_VIDEO, OWN_FILE = "video", "file"
QUALITIES = [
    ("Learn the face (minutes): looks like the person", True),
    ("Instant: looks like somebody else, a stranger", False),
]
OUTPUTS = [("The head", "crop"), ("The whole photo", "full")]
CONSENTS = [
    ("It is me", "own"),
    ("They agreed, or it is licensed", "licensed"),
    ("The photo is in the public domain", "public-domain"),
    ("Research with permission", "research"),
]
MOTIONS = [
    ("relative: its changes, on this face", "relative"),
    ("absolute: the face shape too", "absolute"),
]
# Start and end are shown in the films of the motion.
SHOW_MOMENT = """(seconds) => {
  for (const film of document.querySelectorAll("#driving video, #video video")) {
    film.pause();
    film.currentTime = seconds;
  }
}"""
PARTS = ("head", "mouth", "eyes", "expression")


class Layout:
    """All components; create it inside a `gr.Blocks`. `examples`: images of the gallery."""

    def __init__(self, limits: Limits, examples: list[tuple[Path, str]]) -> None:
        self._limits, self._examples = limits, examples
        gr.Markdown(INTRODUCTION, elem_id="head")
        with gr.Row():
            with gr.Column(scale=5, min_width=300):
                self._person()
                self._motion()
                self._settings()
            with gr.Column(scale=6, min_width=300, elem_id="outputs"):
                self._outputs()

    @property
    def inputs(self) -> list[Any]:
        """Components that a job reads."""
        return [
            *(self.files, self.motion, self.video, self.file, self.start, self.end),
            *(self.output, self.quality, self.consent, self.kind, *self.strengths),
        ]

    @property
    def outputs(self) -> list[Any]:
        """Components that a job updates."""
        return [self.result, self.earlier, self.mp4, self.gif, self.person, self.notes]

    @property
    def error(self) -> list[Any]:
        """Components that an error updates."""
        return [self.panel, self.sentence, self.rejected]

    def _person(self) -> None:
        self.files = gr.File(
            label="Person: photos, video, or saved person",
            file_count="multiple",
            height=120,
            elem_id="files",
        )
        self.examples = gr.Gallery(
            self._examples,
            show_label=False,
            columns=5,
            height=100,
            interactive=False,
            allow_preview=False,
            buttons=[],
            elem_id="examples",
        )
        self.thumbnails = gr.Gallery(
            show_label=False,
            visible=False,
            columns=6,
            height=112,
            fit_columns=False,
            interactive=False,
            allow_preview=False,
            buttons=[],
            elem_id="thumbnails",
        )
        self.checked = gr.HTML(elem_id="checked")

    def _motion(self) -> None:
        motions = [(name.replace("-", " "), name) for name in template_names()]
        self.motion = gr.Radio(
            [*motions, ("my video or webcam", OWN_VIDEO), ("my template", OWN_FILE)],
            value="talk",
            label="Motion",
            elem_id="motion",
        )
        self.video = gr.Video(
            label=f"A video of a face, up to {self._limits.seconds} seconds, or your webcam",
            sources=["upload", "webcam"],
            webcam_options=gr.WebcamOptions(mirror=False),
            height=300,
            visible=False,
            elem_id="video",
        )
        self.file = gr.File(
            label="A template (.npz), written by headmime template",
            height=110,
            visible=False,
            elem_id="file",
        )
        with gr.Accordion("Part and strength of the motion", open=False):
            with gr.Row():
                self.start, self.end = (
                    gr.Number(value, label=label, minimum=0, step=0.1, min_width=120)
                    for value, label in ((0, "Start (s)"), (None, "End (s); empty: its end"))
                )
            self.kind = gr.Radio(MOTIONS, value="relative", label="Motion is", elem_id="kind")
            with gr.Row():
                self.strengths = [
                    gr.Slider(0, STRONGEST, 1, step=0.1, label=f"Strength: {part}", min_width=120)
                    for part in PARTS
                ]

    def _settings(self) -> None:
        self.output = gr.Radio(OUTPUTS, value="crop", label="Output", elem_id="output")
        self.quality = gr.Radio(QUALITIES, value=True, label="Quality", elem_id="quality")
        self.consent = gr.Radio(
            CONSENTS,
            label="Why may you animate this person?",
            info="A talking head can put words into a mouth. Your answer is written into the "
            "result, which also says that it was generated.",
            elem_id="consent",
        )
        with gr.Column(elem_id="bar"):
            self.plan = gr.HTML(elem_id="plan")
            with gr.Row():
                self.make = gr.Button("Animate", variant="primary", scale=3, elem_id="make")
                self.stop = gr.Button("Stop", scale=1, min_width=80, elem_id="stop")

    def _outputs(self) -> None:
        with gr.Column(visible=False, elem_id="problem") as self.panel:
            self.sentence = gr.HTML()
            self.rejected = gr.Gallery(
                label="Rejected",
                columns=3,
                height=220,
                object_fit="contain",
                interactive=False,
                buttons=[],
                elem_id="rejected",
            )
        with gr.Row():
            self.result = _player("Result", 380, elem_id="result", min_width=200)
            self.earlier = _player("Earlier", 380, elem_id="earlier", min_width=200, visible=False)
        with gr.Row():
            self.mp4, self.gif, self.person = (
                gr.DownloadButton(text, interactive=False, min_width=100, elem_id=name)
                for text, name in DOWNLOADS
            )
        with gr.Row():
            self.source = gr.Image(
                label="Source",
                height=230,
                min_width=130,
                interactive=False,
                buttons=[],
                elem_id="source",
            )
            self.driving = _player("Driving", 230, elem_id="driving", min_width=130)
        self.notes = gr.HTML(elem_id="notes")
        with gr.Accordion("Was a file made by headmime?", open=False):
            self.suspect = gr.File(label="A video or an image", height=110, elem_id="suspect")
            self.verdict = gr.HTML(elem_id="verdict")


DOWNLOADS = (("Download mp4", "mp4"), ("Download GIF", "gif"), ("Save the person", "person"))


def _player(label: str, height: int, **keys: Any) -> gr.Video:
    return gr.Video(
        label=label,
        height=height,
        autoplay=True,
        loop=True,
        interactive=False,
        buttons=[],
        **keys,
    )
