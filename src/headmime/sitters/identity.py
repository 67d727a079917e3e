"""Random identities: the parameters of a sitter that are constant over all of its frames."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.sitters.studio import Studio, random_studio
from headmime.sitters.wardrobe import Clothes, random_clothes

SKIN_TONES = (
    (250, 222, 205),
    (238, 200, 175),
    (226, 180, 148),
    (204, 152, 116),
    (170, 118, 84),
    (130, 86, 60),
    (94, 61, 44),
    (64, 42, 33),
)
"""sRGB, from the least melanin to the most."""

HAIR_COLOURS = (
    (22, 18, 17),
    (38, 27, 22),
    (62, 42, 30),
    (92, 64, 43),
    (126, 90, 58),
    (168, 128, 82),
    (202, 168, 120),
    (128, 62, 32),
    (92, 44, 28),
)
"""sRGB: black to blond, then red and auburn."""

IRISES = ((58, 36, 22), (78, 50, 28), (104, 76, 44), (92, 104, 70), (88, 116, 138), (116, 132, 144))


@dataclass(frozen=True)
class Skin:
    """Parameters of skin and make-up; colours are sRGB 0..255."""

    tone: NDArray
    redness: float
    freckles: float
    mottling: float
    age: float  # 0 young, 1 old
    gloss: float
    lips: NDArray
    lips_gloss: float
    eye_shadow: NDArray
    eye_shadow_strength: float
    bags: float
    blush: float
    moles: int


@dataclass(frozen=True)
class Hair:
    """Parameters of hair; lengths in metres, style as in `_hair`."""

    style: str
    colour: NDArray
    grey: float  # share of grey strands
    length: float
    volume: float
    curl: float
    curl_length: float
    clump: float
    part: float  # x of the parting in units of the head's half width
    hairline: float  # metres above the average hairline
    temples: float  # how far the corners recede, metres
    gloss: float
    fringe: bool
    brow_thickness: float
    brow_height: float  # metres above the average
    brow_arch: float  # metres
    brow_colour: NDArray
    beard: float  # length, 0: none
    beard_density: float
    moustache: float
    stubble: float
    sideburns: float  # metres below the top of the ear
    lashes: float


@dataclass(frozen=True)
class Sitter:
    phenotype: dict[str, float]
    local: dict[str, float]
    skin: Skin
    hair: Hair
    clothes: Clothes
    studio: Studio
    iris: NDArray
    sclera: NDArray
    pupil: float
    teeth: NDArray
    motion: int  # seed


def random_sitter(rng: Generator, local_names: list[str]) -> Sitter:
    """Draw a random sitter. local_names: `Body.local_names`."""
    race = rng.dirichlet([0.35, 0.35, 0.45])
    female = rng.random() < 0.5
    age = rng.choice([rng.uniform(0.58, 0.72), rng.uniform(0.66, 0.86), rng.uniform(0.84, 1.0)])
    old = float(np.clip((age - 0.68) / 0.3, 0, 1))
    phenotype = {
        "african": float(race[0]),
        "asian": float(race[1]),
        "caucasian": float(race[2]),
        "age": float(age),
        "gender": float(rng.uniform(0.02, 0.3) if female else rng.uniform(0.7, 0.98)),
        "weight": float(rng.beta(2.2, 2.6)),
        "muscle": float(rng.uniform(0.3, 0.7)),
        "height": 0.5,
        "proportions": float(rng.uniform(0.4, 0.9)),
    }
    hair, clothes = _hair(rng, race, old, female), random_clothes(rng, old, female)
    if clothes.headwear == "scarf":
        hair = replace(hair, style="bald", stubble=hair.stubble if hair.beard else 0.0)
    elif clothes.headwear:
        style = {"afro": "short", "curls": "bob", "bun": "tied"}.get(hair.style, hair.style)
        length = min(hair.length, 0.03) if style == "short" else hair.length
        hair = replace(hair, style=style, length=length, volume=0.1, fringe=False, curl=0.0)
    return Sitter(
        phenotype=phenotype,
        local=_local_changes(rng, local_names),
        skin=_skin(rng, race, old, female),
        hair=hair,
        clothes=clothes,
        studio=random_studio(rng),
        iris=_iris(rng, race),
        sclera=np.array([224, 220, 216]) + rng.normal(size=3) * 4 - old * np.array([4, 9, 16]),
        pupil=float(rng.uniform(0.28, 0.5)),
        teeth=np.array([222, 214, 198])
        + rng.normal(size=3) * 6
        - np.array([0, 4, 14]) * rng.random(),
        motion=int(rng.integers(2**31)),
    )


def _local_changes(rng: Generator, names: list[str]) -> dict[str, float]:
    """Small random changes of facial features, symmetric except for small differences."""
    values = {}
    for name in names:
        region = name.removeprefix("l-").removeprefix("r-").split("-")[0]
        if name.startswith("r-") or ("trans-out" in name and not name.startswith("l-")):
            continue
        if region not in {
            "cheek",
            "chin",
            "ear",
            "eyebrows",
            "eye",
            "forehead",
            "head",
            "mouth",
            "neck",
            "nose",
        }:
            continue
        scale = {"head": 0.22, "ear": 0.28, "neck": 0.2}.get(region, 0.26)
        if name in {"head-age-incr", "head-angle-out", "neck-double-incr"}:
            scale = 0.12
        if name == "mouth-angles-up":
            scale = 0.15  # larger values look like an expression
        value = float(np.clip(rng.normal() * scale, -0.85, 0.85))
        values[name] = value
        if name.startswith("l-"):
            values["r-" + name[2:]] = value + float(rng.normal() * 0.04)
    return values


def _tone(melanin: float) -> NDArray:
    scale = np.linspace(0, 1, len(SKIN_TONES))
    tones = np.array(SKIN_TONES, float)
    return np.array([np.interp(melanin, scale, tones[:, k]) for k in range(3)])


def _skin(rng: Generator, race: NDArray, old: float, female: bool) -> Skin:
    melanin = race @ np.array([0.82, 0.30, 0.14]) + rng.normal() * 0.09
    tone = _tone(float(np.clip(melanin, 0, 1)))
    tone = tone * (1 + rng.normal(size=3) * np.array([0.02, 0.025, 0.035]))
    makeup = female and rng.random() < 0.55
    natural = tone * np.array([0.86, 0.68, 0.66]) + np.array([4, 0, 2])
    painted = np.array([[160, 30, 45], [190, 70, 80], [120, 30, 50], [200, 90, 80]])[
        rng.integers(4)
    ]
    strength = rng.uniform(0.1, 0.6) if makeup else rng.uniform(0, 0.08)
    shadows = np.array([[70, 50, 45], [60, 60, 90], [110, 60, 70], [40, 35, 35]])[rng.integers(4)]
    return Skin(
        tone=tone,
        redness=float(rng.beta(2, 4)),
        freckles=float(rng.uniform(0.3, 1) if melanin < 0.3 and rng.random() < 0.25 else 0),
        mottling=float(rng.uniform(0.3, 1.0)),
        age=old,
        gloss=float(rng.uniform(0.3, 1.5)),
        lips=natural * (1 - strength) + painted * strength,
        lips_gloss=float(rng.uniform(0.5, 1.4) if makeup else rng.uniform(0.2, 0.6)),
        eye_shadow=shadows,
        eye_shadow_strength=float(rng.uniform(0.05, 0.4) if makeup else 0),
        bags=float(rng.uniform(0, 0.5) + 0.3 * old),
        blush=float(rng.uniform(0.1, 0.5) if makeup else rng.uniform(0, 0.2)),
        moles=int(rng.poisson(1.2)),
    )


def _hair(rng: Generator, race: NDArray, old: float, female: bool) -> Hair:
    dark = race[0] + race[1] > 0.55 or rng.random() < 0.3
    colours = np.array(HAIR_COLOURS, float)
    colour = colours[rng.choice([0, 0, 1, 1, 2]) if dark else rng.integers(1, len(colours))]
    if female and rng.random() < 0.12:  # dyed
        colour = colours[rng.integers(3, len(colours))]
    grey = float(np.clip(rng.normal(old * 1.1 - 0.5, 0.22), 0, 0.95))
    curly = rng.random() < 0.15 + 0.6 * race[0]
    if female:
        weights = {"long": 5, "bob": 3, "tied": 3, "bun": 2, "side": 1.5, "short": 1, "afro": 0.3}
        if curly:
            weights |= {"afro": 4, "curls": 4, "braids": 1}
    else:
        weights = {"buzz": 2.5, "short": 4, "side": 4, "back": 2.5, "forward": 2, "long": 0.8}
        weights |= {"bald": 0.6 + 1.8 * old, "wreath": 2.5 * old, "tied": 0.3}
        if curly:
            weights |= {"afro": 2.5, "curls": 3, "buzz": 4}
    names = list(weights)
    share = np.array([weights[name] for name in names])
    style = names[rng.choice(len(names), p=share / share.sum())]
    lengths = {
        "bald": (0.0, 0.0),
        "buzz": (0.003, 0.010),
        "short": (0.018, 0.045),
        "forward": (0.03, 0.06),
        "back": (0.05, 0.11),
        "side": (0.05, 0.12),
        "wreath": (0.012, 0.05),
        "afro": (0.03, 0.10),
        "curls": (0.07, 0.24),
        "bob": (0.14, 0.22),
        "long": (0.22, 0.42),
        "braids": (0.22, 0.40),
        "tied": (0.14, 0.16),
        "bun": (0.14, 0.16),
    }
    strong = style in {"afro", "curls"}
    curl = rng.uniform(0.6, 1.0) if strong else (rng.uniform(0, 0.5) if rng.random() < 0.5 else 0)
    recede = 0 if female else max(0.0, rng.normal(old * 0.02 - 0.004, 0.012))
    bearded = not female and rng.random() < 0.5
    brow_dark = colour * rng.uniform(0.6, 1.0)
    brow = brow_dark * (1 - 0.7 * grey) + np.array([120, 116, 112]) * 0.7 * grey
    return Hair(
        style=style,
        colour=colour * rng.uniform(0.8, 1.25),
        grey=grey,
        length=float(rng.uniform(*lengths[style])),
        volume=float(rng.uniform(0.3, 1.0)),
        curl=float(curl),
        curl_length=float(rng.uniform(0.012, 0.025) if strong else rng.uniform(0.03, 0.09)),
        clump=float(rng.uniform(0.2, 0.8)),
        part=float(rng.choice([0.0, rng.uniform(0.25, 0.6), -rng.uniform(0.25, 0.6)])),
        hairline=float(np.clip(rng.normal(0.0, 0.005), -0.01, 0.012) + recede),
        temples=float(rng.uniform(0, 0.012) + recede * 1.2),
        gloss=float(rng.uniform(0.15, 0.8)),
        fringe=bool(rng.random() < (0.35 if female else 0.15)),
        brow_thickness=float(rng.uniform(0.4, 0.8) if female else rng.uniform(0.55, 1.15)),
        brow_height=float(np.clip(rng.normal() * 0.0012, -0.002, 0.002)),
        brow_arch=float(
            np.clip(rng.normal() * 0.0013 + (0.0008 if female else -0.0005), -0.003, 0.003)
        ),
        brow_colour=brow,
        beard=float(
            rng.choice([0.0, rng.uniform(0.004, 0.012), rng.uniform(0.012, 0.05)]) if bearded else 0
        ),
        beard_density=float(rng.uniform(0.4, 1.0)),
        moustache=float(
            rng.uniform(0.3, 1) if bearded or (not female and rng.random() < 0.07) else 0
        ),
        stubble=float(0 if female else rng.beta(1.3, 2.5)),
        sideburns=float(0.005 if female else rng.uniform(0.0, 0.035)),
        lashes=float(rng.uniform(0.5, 1.0) if female else rng.uniform(0.15, 0.45)),
    )


def _iris(rng: Generator, race: NDArray) -> NDArray:
    light = race[2] > 0.6 and rng.random() < 0.6
    index = rng.integers(2, len(IRISES)) if light else rng.integers(0, 2)
    return np.array(IRISES[index], float) * rng.uniform(0.8, 1.2)
