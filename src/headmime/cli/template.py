"""`headmime template VIDEO` and `headmime template show TEMPLATE`: motion as landmarks alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.utils import instantiate

from headmime.animate.driving import (
    TEMPLATE,
    Driving,
    find_driving,
    load_template,
    load_video,
    write_drawing,
    write_template,
)
from headmime.animate.media_writer import output_path
from headmime.errors import HeadmimeError
from headmime.landmarks.points import head_turn, mouth_opening
from headmime.progress import progress

FOLDER = Path("runs") / "templates"


@dataclass
class Template:
    """Keys of `headmime template`: conf/template.yaml."""

    video: str
    out: str | None
    start: float
    end: float | None
    detector: dict[str, Any]


@dataclass
class TemplateShow:
    """template: a file, or a bundled one's name. out: an image or a video."""

    template: str
    out: str | None


def make(settings: Template) -> None:
    """Write the motion of a video as landmarks alone."""
    video = Path(settings.video).expanduser()
    if not video.is_file():
        raise HeadmimeError(f"{settings.video}: there is no such video.")
    out = output_path(settings.out or FOLDER / f"{video.stem}{TEMPLATE}", (TEMPLATE,), [video])
    with progress("Reading the motion") as on_frame:
        finder = instantiate(settings.detector)
        driving = load_video(video, finder, on_frame, settings.start, settings.end)
    print(f"{write_template(out, driving)}  ({_format_report(driving)})")


def show(settings: TemplateShow) -> None:
    """Draw a template: an image of its moments, or all of it as a video."""
    file = find_driving(settings.template)
    if file.suffix.lower() != TEMPLATE:
        raise HeadmimeError(f"{settings.template} is no template: `headmime template` makes one.")
    driving = load_template(file)
    out = output_path(settings.out or FOLDER / f"{file.stem}.png", inputs=[file])
    print(f"{write_drawing(out, driving)}  ({_format_report(driving)})")


def _format_report(driving: Driving) -> str:
    landmarks, fps = driving.landmarks, float(driving.fps)
    turn = head_turn(landmarks)
    return (
        f"{len(landmarks)} frames, {fps:g} a second, {len(landmarks) / fps:.1f} s; "
        f"mouth opening {mouth_opening(landmarks).max():.2f} at most, "
        f"turn of the head {turn.min():+.2f} to {turn.max():+.2f}"
    )
