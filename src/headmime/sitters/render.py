"""Rendering of a posed figure: projection, rasterisation and shading."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headmime.landmarks.crop import Crop
from headmime.sitters import raster, shade
from headmime.sitters.figure import Figure, Pose
from headmime.sitters.shade import vec3
from headmime.sitters.skin import linear
from headmime.sitters.studio import FOCAL, Camera, Studio, look_at
from headmime.sitters.warp_cpu import wp

SHADOW_SIZE = 160
SHADOW_SPAN = 0.46
"""Side in texels and in metres of the shadow map around the head."""


@wp.kernel(enable_backward=False)
def _ribbons(
    centre: wp.array[wp.vec3],
    tangent: wp.array[wp.vec3],
    width: wp.array[float],
    eye: wp.vec3,
    narrowest: float,
    first: int,
    world: wp.array[wp.vec3],
):
    """Make two vertices for every strand point, for a ribbon that faces the eye."""
    i = wp.tid()
    side = wp.normalize(wp.cross(tangent[i], eye - centre[i]))
    half = 0.5 * wp.max(width[i], narrowest)
    world[first + 2 * i] = centre[i] - side * half
    world[first + 2 * i + 1] = centre[i] + side * half


@wp.kernel(enable_backward=False)
def _flatten(
    world: wp.array[wp.vec3],
    x: wp.vec3,
    y: wp.vec3,
    z: wp.vec3,
    middle: wp.vec3,
    scale: float,
    half: float,
    points: wp.array[wp.vec3],
):
    """Parallel projection along the light; nearness is 10 at the middle."""
    i = wp.tid()
    p = world[i] - middle
    points[i] = wp.vec3(
        wp.dot(p, x) * scale + half, wp.dot(p, y) * scale + half, wp.dot(p, z) + 10.0
    )


@wp.kernel(enable_backward=False)
def _project(
    world: wp.array[wp.vec3],
    place: wp.vec3,
    right: wp.vec3,
    down: wp.vec3,
    forward: wp.vec3,
    focal: float,
    corner: wp.vec2,
    scale: float,
    points: wp.array[wp.vec3],
):
    """`studio.Camera.project` followed by the crop: sample coordinates and nearness."""
    i = wp.tid()
    offset = world[i] - place
    nearness = 1.0 / wp.dot(offset, forward)
    x = focal * wp.dot(offset, right) * nearness
    y = focal * wp.dot(offset, down) * nearness
    points[i] = wp.vec3((x - corner[0]) * scale, (y - corner[1]) * scale, nearness)


def _to_warp(values: NDArray, dtype: type) -> wp.array:
    return wp.array(np.ascontiguousarray(values), dtype=dtype, device="cpu")


@dataclass(frozen=True)
class RenderArrays:
    """The arrays of a figure that are constant over frames, as warp arrays."""

    faces: wp.array
    casting: wp.array
    material: wp.array
    cut: wp.array
    extra: wp.array
    template: NDArray
    width: wp.array
    look: shade.Appearance


def prepare(figure: Figure, eyes: NDArray) -> RenderArrays:
    """Prepare a figure for rendering; eyes [2, 3]: centres of the right and left eyeball in the
    template.
    """
    return RenderArrays(
        faces=_to_warp(figure.faces, wp.vec3i),
        casting=_to_warp(figure.casting, wp.vec3i),
        material=_to_warp(figure.material, int),
        cut=_to_warp(figure.cut, float),
        extra=_to_warp(figure.extra, wp.vec4),
        template=figure.template,
        width=_to_warp(figure.hair_width, float),
        look=_appearance(figure, eyes),
    )


def _appearance(figure: Figure, eyes: NDArray) -> shade.Appearance:
    sitter = figure.sitter
    look = shade.Appearance()
    look.albedo = _to_warp(figure.albedo, wp.vec4)
    look.lips = vec3(linear(sitter.skin.lips))
    look.lips_gloss = sitter.skin.lips_gloss
    look.mouth = vec3((0.10, 0.022, 0.02))
    look.ears = vec3((1.05, 0.88, 0.86))
    look.iris = vec3(linear(sitter.iris))
    look.iris_rim = vec3(linear(sitter.iris * 0.45))
    look.sclera = vec3(linear(sitter.sclera))
    look.pupil = sitter.pupil
    look.eye_right, look.eye_left = vec3(eyes[0]), vec3(eyes[1])
    look.teeth = vec3(linear(sitter.teeth))
    look.lashes = vec3((0.012, 0.009, 0.008))
    look.hair = vec3(linear(sitter.hair.colour))
    look.hair_grey = vec3((0.42, 0.41, 0.40))
    look.hair_gloss = sitter.hair.gloss
    worn = sitter.clothes
    look.wire = vec3(linear(worn.glasses_colour))
    look.wire_gloss = 0.8
    look.cloth = vec3(linear(worn.colour))
    look.cloth_second = vec3(linear(worn.second))
    look.cloth_inner = vec3(linear(worn.inner))
    look.headwear = vec3(linear(worn.headwear_colour))
    look.cloth_gloss = worn.gloss
    look.cloth_folds = worn.folds
    look.pattern = worn.pattern
    look.pattern_scale = worn.pattern_scale
    look.pattern_angle = worn.pattern_angle
    look.lapel = worn.lapel if worn.neck == "jacket" else 0.0
    look.lapel_top = -0.15
    look.tie = int(worn.tie)
    look.seed = sitter.studio.backdrop % 100003
    return look


def make_camera(studio: Studio) -> Camera:
    return look_at(
        np.array([0.0, -0.03, 0.02]),
        studio.distance,
        studio.camera_azimuth,
        studio.camera_height,
        studio.camera_roll,
    )


def _unit_direction(azimuth: float, height: float) -> NDArray:
    return np.array(
        [np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)]
    )


def make_light(studio: Studio) -> shade.Light:
    """Make the lights of a studio; the shadow map is projected along the key light."""
    light = shade.Light()
    key = _unit_direction(studio.key_azimuth, studio.key_height)
    light.key = vec3(key)
    light.key_colour = vec3(studio.key_colour)
    opposite = -np.sign(studio.key_azimuth) * 0.9
    light.fill = vec3(_unit_direction(opposite, 0.15))
    light.fill_colour = vec3(studio.fill * studio.fill_colour)
    light.rim = vec3(_unit_direction(studio.rim_azimuth, 0.5))
    light.rim_colour = vec3(studio.rim * np.ones(3))
    light.sky = vec3(studio.ambient * studio.sky)
    light.ground = vec3(studio.ambient * studio.ground)
    right = np.cross([0.0, 0.0, 1.0], key)
    right /= np.linalg.norm(right)
    light.shadow_x, light.shadow_y = vec3(right), vec3(np.cross(key, right))
    light.shadow_middle = vec3((0.0, -0.02, 0.0))
    light.shadow_scale = SHADOW_SIZE / SHADOW_SPAN
    light.shadow_size = SHADOW_SIZE
    light.shadow_soft = studio.key_soft
    light.exposure = studio.exposure
    return light


def render(
    prepared: RenderArrays,
    posed: Pose,
    camera: Camera,
    crop: Crop,
    light: shade.Light,
    behind: NDArray,
    samples: int,
) -> NDArray:
    """Render a frame in linear light, float32 [samples, samples, 3], before post-processing.

    behind: the backdrop, float32 [samples * samples, 3].
    """
    count, hairs = len(posed.mesh), len(posed.hair_points)
    total = count + 2 * hairs
    world_space = np.empty((total, 3), np.float32)
    world_space[:count] = posed.mesh
    world = _to_warp(world_space, wp.vec3)
    centre = _to_warp(posed.hair_points, wp.vec3)
    tangent = _to_warp(posed.hair_tangents, wp.vec3)
    sample = crop.side / samples / FOCAL * float(np.linalg.norm(camera.place))

    def ribbons(eye: NDArray, narrowest: float) -> None:
        wp.launch(
            _ribbons,
            dim=hairs,
            inputs=[centre, tangent, prepared.width, vec3(eye), narrowest, count, world],
            device="cpu",
        )

    shadow_points = wp.empty(total, dtype=wp.vec3, device="cpu")
    ribbons(np.array(light.key) * 5.0, SHADOW_SPAN / SHADOW_SIZE)
    wp.launch(
        _flatten,
        dim=total,
        inputs=[
            world,
            light.shadow_x,
            light.shadow_y,
            light.key,
            light.shadow_middle,
            light.shadow_scale,
            0.5 * SHADOW_SIZE,
            shadow_points,
        ],
        device="cpu",
    )
    shadow = raster.rasterise(
        shadow_points, prepared.cut, prepared.casting, SHADOW_SIZE, SHADOW_SIZE
    )
    ribbons(camera.place, 0.7 * sample)
    points = wp.empty(total, dtype=wp.vec3, device="cpu")
    right, down, forward = (vec3(axis) for axis in camera.axes)
    corner, scale = wp.vec2(crop.x, crop.y), samples / crop.side
    wp.launch(
        _project,
        dim=total,
        inputs=[world, vec3(camera.place), right, down, forward, FOCAL, corner, scale, points],
        device="cpu",
    )
    canvas = raster.rasterise(points, prepared.cut, prepared.faces, samples, samples)

    normals = np.concatenate([posed.normals, np.repeat(posed.hair_outward, 2, 0)])
    # Strands have no template coordinates: their tangents take this array's rows.
    places = np.concatenate([prepared.template, np.repeat(posed.hair_tangents, 2, 0)])
    result = wp.empty(samples * samples, dtype=wp.vec3, device="cpu")
    wp.launch(
        shade.shade,
        dim=samples * samples,
        inputs=[
            canvas.face,
            canvas.inside,
            prepared.faces,
            prepared.material,
            world,
            _to_warp(normals, wp.vec3),
            _to_warp(places.astype(np.float32), wp.vec3),
            prepared.extra,
            vec3(camera.place),
            prepared.look,
            light,
            shadow.depth,
            _to_warp(behind, wp.vec3),
            result,
        ],
        device="cpu",
    )
    return result.numpy().reshape(samples, samples, 3)
