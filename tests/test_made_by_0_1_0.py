"""What version 0.1.0 wrote (at cf0beb2) is still read: a person, a template, a store."""

from fractions import Fraction
from pathlib import Path

import numpy as np

from headmime.animate.driving import load_template
from headmime.animate.person import load_person
from headmime.data.inspection import verify_store
from headmime.data.store import Store
from headmime.provenance.statement import Consent, Ingredient

FOLDER = Path(__file__).parent / "made_by_0_1_0"


def test_a_person_makes_the_same_frames() -> None:
    person = load_person(FOLDER / "person")
    assert person.consent is Consent.LICENSED and person.record["detector"] == "dlib"
    assert person.statement.ingredients == (Ingredient("source", "picture", "1" * 64),)
    with np.load(FOLDER / "person_frames.npz") as then:
        frames = person.animator(then["landmarks"])
        assert abs(frames.astype(int) - then["frames"]).max() <= 1
        assert then["frames"].std() > 10


def test_a_template_has_the_same_landmarks() -> None:
    template = load_template(FOLDER / "template.npz")
    with np.load(FOLDER / "person_frames.npz") as then:
        np.testing.assert_allclose(template.landmarks, then["landmarks"], atol=1e-4)
    assert template.fps == Fraction(25)


def test_a_store_holds_the_same_clips() -> None:
    assert verify_store(FOLDER / "store") == []
    store = Store(FOLDER / "store")
    assert store.videos == [("person 0", "video"), ("person 1", "video")]
    assert [clip.split for clip in store.clips] == ["train", "test"]
    assert [store.frame(clip, 1).mean() for clip in range(2)] == [40, 41]
    np.testing.assert_array_equal(store.times(0), [0, 1 / 25])
    with np.load(FOLDER / "person_frames.npz") as then:
        np.testing.assert_allclose(store.landmarks(1), then["landmarks"][:2], atol=1e-3)
