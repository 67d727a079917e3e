"""Components of the page and their layout."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from headmime.animate.driving import template_names
from headmime.animate.strength import STRONGEST, Strength
from headmime.errors import HeadmimeError
from headmime.web.request import JobRequest
from headmime.web.updates import figure
from headmime.web.uploads import Limits

INTRODUCTION = """# headmime
Talking heads from photos: choose a person (one photo is enough) and a motion, and press Animate.
Everything runs on this computer. Uploads and results are deleted when this page is closed."""
OWN_FILE, WEBCAM = "file", "webcam"
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
# Start and end are shown in the film of the motion.
SHOW_MOMENT = """(seconds) => {
  const film = document.querySelector("#driving video");
  film?.pause();
  if (film) film.currentTime = seconds;
}"""
DOWNLOADS = (("Download mp4", "made"), ("Download GIF", "gif"), ("Save the person", "person"))
PARTS = ("head", "mouth", "eyes", "expression")


Data = dict[Any, Any]
"""Values of components."""


def motions() -> list[tuple[str, str]]:
    """Titles and names of the bundled motions."""
    return [(name.replace("-", " "), name) for name in template_names()]


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
            *(self.files, self.motion, self.webcam, self.file, self.start, self.end),
            *(self.output, self.quality, self.consent, self.kind, *self.strengths),
        ]

    @property
    def driven(self) -> list[Any]:
        """Components that a choice of the motion updates."""
        return [
            *(self.file, self.webcam, self.driving, self.template, self.options),
            *(self.start, self.end, self.error),
        ]

    @property
    def outputs(self) -> list[Any]:
        """Components that a job updates."""
        return [self.result, self.earlier, self.made, self.gif, self.person, self.notes]

    def chosen_driving(self, data: Data) -> str | None:
        """The chosen motion: a name or a file; None if it is not there yet."""
        own = {WEBCAM: data[self.webcam], OWN_FILE: data[self.file]}
        return own.get(data[self.motion], data[self.motion])

    def request(self, data: Data) -> JobRequest:
        """Build the request. HeadmimeError if image or motion is missing."""
        driving = self.chosen_driving(data)
        if not data[self.files]:
            raise HeadmimeError("There is no photo yet: drop photos of a person, or a video.")
        if driving is None:
            raise HeadmimeError("There is no motion yet: upload a file, or record yourself.")
        job = JobRequest(
            images=tuple(Path(file) for file in data[self.files]),
            driving=driving,
            output=data[self.output],
            finetune=data[self.quality],
            consent=data[self.consent],
        )
        if job.is_still:
            return job  # the other settings are hidden
        strengths = [float(data[slider]) for slider in self.strengths]
        return replace(
            job,
            start=data[self.start] or 0.0,
            end=data[self.end],
            motion=data[self.kind],
            strength=Strength(*strengths) if data[self.kind] == "relative" else Strength(),
        )

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
            height=116,
            interactive=False,
            allow_preview=False,
            buttons=[],
            elem_id="examples",
        )
        self.thumbnails = gr.HTML(elem_id="thumbnails")
        self.checked = gr.HTML(elem_id="checked")

    def _motion(self) -> None:
        self.motion = gr.Radio(
            [*motions(), ("my video, photo or template", OWN_FILE), ("my webcam", WEBCAM)],
            value="talk",
            label="Motion",
            elem_id="motion",
        )
        self.films = gr.HTML(elem_id="films")
        self.file = gr.File(
            label=f"Video (up to {self._limits.seconds} s), photo or template (.npz)",
            height=110,
            visible=False,
            elem_id="file",
        )
        self.webcam = gr.Video(
            label="Yourself",
            sources=["webcam"],
            include_audio=True,  # without it, gradio wants an ffmpeg to remove the sound
            webcam_options=gr.WebcamOptions(mirror=False),
            height=300,
            visible=False,
            elem_id="webcam",
        )
        self.template = gr.Button(
            "Make a template of it: landmarks, no image",
            visible=False,
            size="sm",
            elem_id="template",
        )
        with gr.Accordion("Part and strength of the motion", open=False) as self.options:
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
        self.error = gr.HTML(elem_id="problem")
        with gr.Row():
            self.result = gr.HTML(figure(None, "Result"), elem_id="result", min_width=200)
            self.earlier = gr.HTML(elem_id="earlier", min_width=200, visible=False)
        with gr.Row():
            self.made, self.gif, self.person = (
                gr.DownloadButton(text, interactive=False, min_width=100, elem_id=name)
                for text, name in DOWNLOADS
            )
        with gr.Row():
            self.source = gr.HTML(figure(None, "Source"), elem_id="source", min_width=130)
            self.driving = gr.HTML(figure(None, "Driving"), elem_id="driving", min_width=130)
        self.notes = gr.HTML(elem_id="notes")
        with gr.Accordion("Was a file made by headmime?", open=False):
            self.suspect = gr.File(label="A video or an image", height=110, elem_id="suspect")
            self.verdict = gr.HTML(elem_id="verdict")
