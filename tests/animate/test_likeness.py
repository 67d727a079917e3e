"""Whether the files of a person show one person."""

import logging
from pathlib import Path

import pytest
from PIL import Image

from headmime.animate.likeness import other_people
from headmime.animate.person import bundled_people
from headmime.animate.sources import load_sources
from headmime.landmarks.detect import load_detector


def written(folder: Path, people: dict[str, tuple[int, int]]) -> list[Path]:
    """Frames of the bundled sitters as images: name -> (sitter, frame)."""
    sitters = bundled_people(256)
    for name, (sitter, frame) in people.items():
        Image.fromarray(sitters[sitter][0][frame]).save(folder / f"{name}.png")
    return [folder / f"{name}.png" for name in people]


def test_another_person_among_the_images_is_named(
    tmp_path: Path, mona_lisa: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = written(tmp_path, {"one": (22, 0), "two": (22, 1), "three": (22, 2)})
    dlib = load_detector("dlib")
    with caplog.at_level(logging.WARNING):
        load_sources(files, 8, 128, dlib)
    assert not caplog.messages
    with caplog.at_level(logging.WARNING):
        load_sources([mona_lisa, *files], 8, 128, dlib)
    assert [message.split(":")[0] for message in caplog.messages] == ["mona_lisa.jpg"]
    assert "does not look like" in caplog.text


def test_of_two_different_people_one_is_named_and_one_file_is_one_person(
    tmp_path: Path, mona_lisa: Path
) -> None:
    found = load_sources(
        [mona_lisa, *written(tmp_path, {"one": (22, 0)})], 8, 128, load_detector("dlib")
    )
    frames, points = found.frames, found.landmarks
    assert len(other_people([Path("a.png"), Path("b.png")], frames, points)) == 1
    assert other_people([Path("a.mp4"), Path("a.mp4")], frames, points) == []
