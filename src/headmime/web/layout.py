"""The parts of the page and where they stand."""

from typing import Any

import gradio as gr

from headmime.animate.driving import template_names
from headmime.assets import MONA_LISA
from headmime.web.uploads import Limits

INTRODUCTION = """# headmime
A head that mimes: drop a few pictures of a person (one will do), choose a motion, and press the
button. Everything happens on this computer. Uploads and results are deleted when this page is
closed."""
EXAMPLES = ("talk", "turn")
OWN_VIDEO = "video"
QUALITIES = [("Better: learns the person first", True), ("Instant: no learning", False)]
OUTPUTS = [("The head", "crop"), ("The whole picture", "full")]
CONSENTS = [
    ("It is me", "own"),
    ("They agreed to it", "licensed"),
    ("The picture is in the public domain", "public-domain"),
    ("Research with permission", "research"),
]


class Layout:
    """All parts; made inside of a `gr.Blocks`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        gr.Markdown(INTRODUCTION, elem_id="head")
        with gr.Row():
            self._inputs()
            self._outputs()

    @property
    def outputs(self) -> list[Any]:
        """What a job fills."""
        return [self.result, self.mp4, self.gif, self.source, self.driving, self.notes]

    @property
    def trouble(self) -> list[Any]:
        """What a problem fills."""
        return [self.panel, self.sentence, self.culprits]

    def _inputs(self) -> None:
        with gr.Column(scale=5, min_width=340):
            self.files = gr.File(
                label=f"Who? 1 to {self._limits.pictures} pictures of one person, or a clip",
                file_count="multiple",
                height=190,
                elem_id="files",
            )
            with gr.Row(elem_id="examples"):
                gr.Markdown("No picture at hand? Take hers:")
                self.examples = [
                    (gr.Button(f"Mona Lisa, {name}", icon=MONA_LISA, size="sm"), name)
                    for name in EXAMPLES
                ]
            self.seen = gr.Gallery(
                show_label=False,
                visible=False,
                columns=6,
                height=112,
                fit_columns=False,
                interactive=False,
                allow_preview=False,
                buttons=[],
                elem_id="seen",
            )
            motions = [(name.replace("-", " "), name) for name in template_names()]
            self.motion = gr.Radio(
                [*motions, ("my video or webcam", OWN_VIDEO)],
                value=EXAMPLES[0],
                label="How do they move?",
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
            self.output = gr.Radio(
                OUTPUTS, value="crop", label="What shall be seen?", elem_id="output"
            )
            self.better = gr.Radio(QUALITIES, value=True, label="How well?", elem_id="better")
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
                self.culprits = gr.Gallery(
                    label="Here",
                    columns=3,
                    height=220,
                    object_fit="contain",
                    interactive=False,
                    buttons=[],
                    elem_id="culprits",
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
