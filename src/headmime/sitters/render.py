"""Rendering of a posed figure: projection, rasterisation and shading."""

import numpy as np
from numpy.typing import NDArray

from headmime.landmarks.crop import Crop
from headmime.sitters import raster, shade
from headmime.sitters.backdrop import make_backdrop, sample_backdrop
from headmime.sitters.figure import Figure, Pose
from headmime.sitters.skin import linear
from headmime.sitters.studio import FOCAL, Camera, Studio, look_at, unit_direction
from headmime.sitters.warp_cpu import to_warp, vec3, wp

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


class Scene:
    """What is constant over the frames of a figure in its studio: arrays, lights, backdrop.

    eyes [2, 3]: centres of the right and left eyeball in the template. Images have samples x
    samples pixels.
    """

    def __init__(self, figure: Figure, eyes: NDArray, samples: int) -> None:
        studio = figure.sitter.studio
        self.camera, self.samples = make_camera(studio), samples
        self._light, self._look = make_light(studio), _appearance(figure, eyes)
        self._backdrop = to_warp(sample_backdrop(make_backdrop(studio.backdrop), samples), wp.vec3)
        self._faces = to_warp(figure.faces, wp.vec3i)
        self._casting = to_warp(figure.casting, wp.vec3i)
        self._material = to_warp(figure.material, int)
        self._cut = to_warp(figure.cut, float)
        self._extra = to_warp(figure.extra, wp.vec4)
        self._width = to_warp(figure.hair.width, float)
        self._template = figure.template

    def render(self, posed: Pose, crop: Crop) -> NDArray:
        """A frame in linear light, float32 [samples, samples, 3], before post-processing."""
        light, samples, camera = self._light, self.samples, self.camera
        count, hairs = len(posed.mesh), len(posed.hair_points)
        total = count + 2 * hairs
        world_space = np.empty((total, 3), np.float32)
        world_space[:count] = posed.mesh
        world = to_warp(world_space, wp.vec3)
        centre = to_warp(posed.hair_points, wp.vec3)
        tangent = to_warp(posed.hair_tangents, wp.vec3)
        sample = crop.side / samples / FOCAL * float(np.linalg.norm(camera.place))

        def ribbons(eye: NDArray, narrowest: float) -> None:
            inputs = [centre, tangent, self._width, vec3(eye), narrowest, count, world]
            wp.launch(_ribbons, dim=hairs, inputs=inputs)

        points = wp.empty(total, dtype=wp.vec3)
        ribbons(np.array(light.key) * 5.0, SHADOW_SPAN / SHADOW_SIZE)
        axes, half = [light.shadow_x, light.shadow_y, light.key], 0.5 * SHADOW_SIZE
        inputs = [world, *axes, light.shadow_middle, light.shadow_scale, half, points]
        wp.launch(_flatten, dim=total, inputs=inputs)
        shadow = raster.rasterise(points, self._cut, self._casting, SHADOW_SIZE)
        ribbons(camera.place, 0.7 * sample)
        place, axes = vec3(camera.place), map(vec3, camera.axes)
        corner, scale = wp.vec2(crop.x, crop.y), samples / crop.side
        inputs = [world, place, *axes, FOCAL, corner, scale, points]
        wp.launch(_project, dim=total, inputs=inputs)
        canvas = raster.rasterise(points, self._cut, self._faces, samples)

        normals = np.concatenate([posed.normals, np.repeat(posed.hair_outward, 2, 0)])
        # Strands have no template coordinates: their tangents take this array's rows.
        places = np.concatenate([self._template, np.repeat(posed.hair_tangents, 2, 0)])
        corners = [world, to_warp(normals, wp.vec3), to_warp(places, wp.vec3), self._extra]
        seen = [canvas.face, canvas.inside, self._faces, self._material, *corners, place]
        result = wp.empty(samples * samples, dtype=wp.vec3)
        inputs = [*seen, self._look, light, shadow.depth, self._backdrop, result]
        wp.launch(shade.shade, dim=samples * samples, inputs=inputs)
        return result.numpy().reshape(samples, samples, 3)


def _appearance(figure: Figure, eyes: NDArray) -> shade.Appearance:
    sitter = figure.sitter
    look = shade.Appearance()
    look.albedo = to_warp(figure.albedo, wp.vec4)
    look.lips = vec3(linear(sitter.skin.lips))
    look.lips_gloss = sitter.skin.lips_gloss
    look.iris = vec3(linear(sitter.iris))
    look.iris_rim = vec3(linear(sitter.iris * 0.45))
    look.sclera = vec3(linear(sitter.sclera))
    look.pupil = sitter.pupil
    look.eye_right, look.eye_left = vec3(eyes[0]), vec3(eyes[1])
    look.teeth = vec3(linear(sitter.teeth))
    look.hair = vec3(linear(sitter.hair.colour))
    look.hair_gloss = sitter.hair.gloss
    worn = sitter.clothes
    look.wire = vec3(linear(worn.glasses_colour))
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


def make_light(studio: Studio) -> shade.Light:
    """Make the lights of a studio; the shadow map is projected along the key light."""
    light = shade.Light()
    key = unit_direction(studio.key_azimuth, studio.key_height)
    light.key = vec3(key)
    light.key_colour = vec3(studio.key_colour)
    opposite = -np.sign(studio.key_azimuth) * 0.9
    light.fill = vec3(unit_direction(opposite, 0.15))
    light.fill_colour = vec3(studio.fill * studio.fill_colour)
    light.rim = vec3(unit_direction(studio.rim_azimuth, 0.5))
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
