"""Components of the page and their layout."""

from typing import Any

import gradio as gr

from headmime.animate.driving import template_names
from headmime.assets import MONA_LISA
from headmime.web.uploads import Limits

INTRODUCTION = """# headmime
Talking heads from photos: drop a few photos of a person (one is enough), choose a motion, and press
Animate. Everything runs on this computer. Uploads and results are deleted when this page is
closed."""
EXAMPLES = ("talk", "turn")
OWN_VIDEO = "video"
QUALITIES = [("Better: fine-tunes to the person", True), ("Instant: no fine-tuning", False)]
OUTPUTS = [("The head", "crop"), ("The whole photo", "full")]
CONSENTS = [
    ("It is me", "own"),
    ("They agreed to it", "licensed"),
    ("The photo is in the public domain", "public-domain"),
    ("Research with permission", "research"),
]


class Layout:
    """All components; create it inside a `gr.Blocks`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        gr.Markdown(INTRODUCTION, elem_id="head")
        with gr.Row():
            self._inputs()
            self._outputs()

    @property
    def outputs(self) -> list[Any]:
        """Components that a job updates."""
        return [self.result, self.mp4, self.gif, self.source, self.driving, self.notes]

    @property
    def error(self) -> list[Any]:
        """Components that an error updates."""
        return [self.panel, self.sentence, self.rejected]

    def _inputs(self) -> None:
        with gr.Column(scale=5, min_width=340):
            self.files = gr.File(
                label=f"Person: 1 to {self._limits.pictures} photos, or a video",
                file_count="multiple",
                height=190,
                elem_id="files",
            )
            with gr.Row(elem_id="examples"):
                gr.Markdown("No photo at hand? Try an example:")
                self.examples = [
                    (gr.Button(f"Mona Lisa, {name}", icon=MONA_LISA, size="sm"), name)
                    for name in EXAMPLES
                ]
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
            motions = [(name.replace("-", " "), name) for name in template_names()]
            self.motion = gr.Radio(
                [*motions, ("my video or webcam", OWN_VIDEO)],
                value=EXAMPLES[0],
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
            self.output = gr.Radio(OUTPUTS, value="crop", label="Output", elem_id="output")
            self.quality = gr.Radio(QUALITIES, value=True, label="Quality", elem_id="quality")
            self.consent = gr.Radio(
                CONSENTS,
                label="Why may you animate this person?",
                info="A talking head can put words into a mouth. Your answer is written into the "
                "result, which also says that it was generated.",
                elem_id="consent",
            )
            with gr.Row():
                self.make = gr.Button("Animate", variant="primary", scale=3, elem_id="make")
                self.stop = gr.Button("Stop", variant="secondary", scale=1, elem_id="stop")

    def _outputs(self) -> None:
        with gr.Column(scale=6, min_width=340):
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
            self.result = gr.Video(
                label="Result",
                height=380,
                autoplay=True,
                loop=True,
                interactive=False,
                buttons=[],
                elem_id="result",
            )
            with gr.Row():
                self.mp4 = gr.DownloadButton("Download mp4", interactive=False, elem_id="mp4")
                self.gif = gr.DownloadButton("Download GIF", interactive=False, elem_id="gif")
            with gr.Row():
                self.source = gr.Image(
                    label="Source", height=230, interactive=False, buttons=[], elem_id="source"
                )
                self.driving = gr.Video(
                    label="Driving",
                    height=230,
                    autoplay=True,
                    loop=True,
                    interactive=False,
                    buttons=[],
                    elem_id="driving",
                )
            self.notes = gr.HTML(elem_id="notes")
