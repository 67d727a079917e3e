"""`headmime template VIDEO` and `headmime template show TEMPLATE`: motion as landmarks alone."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

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
from headmime.landmarks.detect import load_detector
from headmime.landmarks.points import head_turn, mouth_opening
from headmime.progress import progress

FOLDER = Path("runs") / "templates"


def main() -> None:
    """Make a template, or draw one if the first word is `show`."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["show"]:
        _show(arguments[1:])
    else:
        _make(arguments)


def _make(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "headmime template",
        description="The motion of a video as landmarks alone: shareable, private, fast to use as "
        "driving=. `headmime template show TEMPLATE` draws one.",
    )
    parser.add_argument("video", help="any video of a face")
    parser.add_argument("--out", help=f"name of the template ({TEMPLATE}); else {FOLDER}/<video>")
    parser.add_argument("--start", type=float, default=0.0, help="seconds to leave out at first")
    parser.add_argument("--end", type=float, help="seconds of the video after which to stop")
    parser.add_argument(
        "--detector", choices=("dlib", "face-alignment"), default="dlib", help="default: dlib"
    )
    given = parser.parse_args(arguments)
    video = Path(given.video).expanduser()
    if not video.is_file():
        raise HeadmimeError(f"{given.video}: there is no such video.")
    out = output_path(given.out or FOLDER / f"{video.stem}{TEMPLATE}", (TEMPLATE,), [video])
    with progress("Reading the motion") as on_frame:
        driving = load_video(video, load_detector(given.detector), on_frame, given.start, given.end)
    print(f"{write_template(out, driving)}  ({_format_report(driving)})")


def _show(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        "headmime template show",
        description="Draw a template: a picture of its moments, or all of it as a video.",
    )
    parser.add_argument("template", help="a template, or the name of a bundled one, such as talk")
    parser.add_argument("--out", help=f".png, .gif or .mp4; else {FOLDER}/<template>.png")
    given = parser.parse_args(arguments)
    file = find_driving(given.template)
    if file.suffix.lower() != TEMPLATE:
        raise HeadmimeError(f"{given.template} is no template: `headmime template` makes one.")
    driving = load_template(file)
    out = output_path(given.out or FOLDER / f"{file.stem}.png", inputs=[file])
    print(f"{write_drawing(out, driving)}  ({_format_report(driving)})")


def _format_report(driving: Driving) -> str:
    landmarks, fps = driving.landmarks, float(driving.fps)
    turn = head_turn(landmarks)
    return (
        f"{len(landmarks)} frames, {fps:g} a second, {len(landmarks) / fps:.1f} s; "
        f"mouth opening {mouth_opening(landmarks).max():.2f} at most, "
        f"turn of the head {turn.min():+.2f} to {turn.max():+.2f}"
    )
