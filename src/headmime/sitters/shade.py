"""Shading of every sample of a canvas, as one warp kernel on the CPU.

Colours are linear RGB. `extra` has four numbers per vertex, with a material-dependent meaning that
is documented where they are read.
"""

from headmime.sitters.warp_cpu import wp

SKIN, EYE, TEETH, TONGUE, LASH, HAIR, CLOTH, WIRE = (wp.constant(k) for k in range(8))
"""Materials of triangles."""


@wp.struct
class Appearance:
    """A sitter's appearance parameters besides geometry."""

    albedo: wp.array2d[wp.vec4]  # skin around the head: linear RGB, gloss
    lips: wp.vec3
    lips_gloss: float
    iris: wp.vec3
    iris_rim: wp.vec3
    sclera: wp.vec3
    pupil: float  # of the iris' radius
    eye_right: wp.vec3  # centres of the eyes in template coordinates
    eye_left: wp.vec3
    teeth: wp.vec3
    hair: wp.vec3
    hair_gloss: float
    wire: wp.vec3
    cloth: wp.vec3
    cloth_second: wp.vec3
    cloth_inner: wp.vec3
    headwear: wp.vec3
    cloth_gloss: float
    cloth_folds: float
    pattern: int  # 0 plain, 1 stripes, 2 checks, 3 blotches, 4 dots
    pattern_scale: float  # 1 / metres
    pattern_angle: float
    lapel: float  # half width of the open front per metre below its top; 0: none
    tie: int  # 1: the second colour's
    seed: int


@wp.struct
class Light:
    """Lights and shadow map; directions point towards the light."""

    key: wp.vec3
    key_colour: wp.vec3
    fill: wp.vec3
    fill_colour: wp.vec3
    rim: wp.vec3
    rim_colour: wp.vec3
    sky: wp.vec3
    ground: wp.vec3
    shadow_x: wp.vec3  # axes of the shadow map, and its centre in the world
    shadow_y: wp.vec3
    shadow_middle: wp.vec3
    shadow_scale: float  # texels per metre
    shadow_size: int
    shadow_soft: float  # texels
    exposure: float


TEXTURE_LOW = wp.constant(-0.20)
TEXTURE_HIGH = wp.constant(0.165)
"""Range of heights of the skin texture, metres above the head's joint in the template."""


@wp.func
def cylinder(texture: wp.array2d[wp.vec4], place: wp.vec3) -> wp.vec4:
    """Bilinear look-up in the skin texture: columns around the head, rows from top to bottom."""
    rows = texture.shape[0]
    columns = texture.shape[1]
    around = wp.atan2(place[0], -place[1]) / 6.2831853 + 0.5
    down = (TEXTURE_HIGH - place[2]) / (TEXTURE_HIGH - TEXTURE_LOW)
    x = wp.clamp(around, 0.0, 1.0) * float(columns - 1)
    y = wp.clamp(down, 0.0, 1.0) * float(rows - 1)
    x0 = wp.min(int(x), columns - 2)
    y0 = wp.min(int(y), rows - 2)
    fx = x - float(x0)
    fy = y - float(y0)
    top = texture[y0, x0] * (1.0 - fx) + texture[y0, x0 + 1] * fx
    low = texture[y0 + 1, x0] * (1.0 - fx) + texture[y0 + 1, x0 + 1] * fx
    return top * (1.0 - fy) + low * fy


@wp.func
def smoothstep(low: float, high: float, value: float) -> float:
    t = wp.clamp((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@wp.func
def key_visibility(light: Light, shadow_map: wp.array[float], place: wp.vec3) -> float:
    """Visibility of the key light at a point, 0..1."""
    offset = place - light.shadow_middle
    n = light.shadow_size
    half = 0.5 * float(n)
    x = wp.dot(offset, light.shadow_x) * light.shadow_scale + half
    y = wp.dot(offset, light.shadow_y) * light.shadow_scale + half
    near = wp.dot(offset, light.key) + 10.0
    total = 0.0
    for j in range(-1, 2):
        for k in range(-1, 2):
            # Interpolated between texel centres, to antialias the edges of shadows.
            sx = x + float(k) * light.shadow_soft - 0.5
            sy = y + float(j) * light.shadow_soft - 0.5
            x0 = int(wp.floor(sx))
            y0 = int(wp.floor(sy))
            if x0 < 0 or y0 < 0 or x0 >= n - 1 or y0 >= n - 1:
                total += 1.0
            else:
                fx = sx - float(x0)
                fy = sy - float(y0)
                i = y0 * n + x0
                limit = near + 0.006
                a = wp.where(shadow_map[i] > limit, 0.0, 1.0)
                b = wp.where(shadow_map[i + 1] > limit, 0.0, 1.0)
                c = wp.where(shadow_map[i + n] > limit, 0.0, 1.0)
                d = wp.where(shadow_map[i + n + 1] > limit, 0.0, 1.0)
                total += (a * (1.0 - fx) + b * fx) * (1.0 - fy) + (c * (1.0 - fx) + d * fx) * fy
    return total / 9.0


@wp.func
def cloth_colour(look: Appearance, place: wp.vec3) -> wp.vec3:
    c = wp.cos(look.pattern_angle)
    s = wp.sin(look.pattern_angle)
    u = (c * place[0] + s * place[2]) * look.pattern_scale
    v = (c * place[2] - s * place[0]) * look.pattern_scale
    mix = 0.0
    if look.pattern == 1:
        mix = smoothstep(-0.15, 0.15, wp.sin(6.2831853 * v))
    elif look.pattern == 2:
        a = smoothstep(-0.15, 0.15, wp.sin(6.2831853 * u))
        b = smoothstep(-0.15, 0.15, wp.sin(6.2831853 * v))
        mix = 0.5 * (a + b)
    elif look.pattern == 3:
        state = wp.rand_init(look.seed)
        mix = smoothstep(-0.1, 0.1, wp.noise(state, wp.vec3(u, v, place[1] * look.pattern_scale)))
    elif look.pattern == 4:
        du = u - wp.floor(u) - 0.5
        dv = v - wp.floor(v) - 0.5
        mix = 1.0 - smoothstep(0.04, 0.07, du * du + dv * dv)
    colour = look.cloth * (1.0 - mix) + look.cloth_second * mix
    if look.lapel > 0.0 and place[1] < 0.05:
        edge = wp.abs(place[0]) - 0.012 - (-0.15 - place[2]) * look.lapel
        if edge < 0.0:
            colour = look.cloth_inner
            knot = wp.where(place[2] > -0.185, 0.016, 0.011 + 0.1 * (-0.185 - place[2]))
            if look.tie > 0 and wp.abs(place[0]) < knot:
                colour = look.cloth_second
        elif edge < 0.028:
            colour = look.cloth * wp.where(edge > 0.024, 0.45, 0.85)
    return colour


@wp.kernel(enable_backward=False)
def shade(
    face: wp.array[int],
    inside: wp.array[wp.vec2],
    faces: wp.array[wp.vec3i],
    material: wp.array[int],
    world: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    place: wp.array[wp.vec3],
    extra: wp.array[wp.vec4],
    eye: wp.vec3,
    look: Appearance,
    light: Light,
    shadow_map: wp.array[float],
    backdrop: wp.array[wp.vec3],
    result: wp.array[wp.vec3],
):
    i = wp.tid()
    t = face[i]
    if t < 0:
        result[i] = backdrop[i]
        return
    kind = material[t]
    f = faces[t]
    u = inside[i][0]
    v = inside[i][1]
    w = 1.0 - u - v
    n = wp.normalize(u * normal[f[0]] + v * normal[f[1]] + w * normal[f[2]])
    p = u * world[f[0]] + v * world[f[1]] + w * world[f[2]]
    q = u * place[f[0]] + v * place[f[1]] + w * place[f[2]]
    e = u * extra[f[0]] + v * extra[f[1]] + w * extra[f[2]]
    to_eye = wp.normalize(eye - p)
    # e[3]: ambient visibility, for every material
    open_sky = e[3]
    colour = wp.vec3(0.0, 0.0, 0.0)
    gloss = 0.0  # strength of the highlight
    power = 24.0  # its sharpness
    wrap = wp.vec3(0.0, 0.0, 0.0)  # wrap lighting beyond the terminator, per colour
    occluded = 1.0

    if kind == SKIN:
        # e: lips, inside of the mouth, ears
        paint = cylinder(look.albedo, q)
        colour = wp.vec3(paint[0], paint[1], paint[2])
        gloss = paint[3]
        colour = colour * (1.0 - e[2]) + wp.cw_mul(colour, wp.vec3(1.05, 0.88, 0.86)) * e[2]
        lips = smoothstep(0.25, 0.75, e[0])
        colour = colour * (1.0 - lips) + look.lips * lips
        gloss = gloss * (1.0 - lips) + look.lips_gloss * lips
        deep = smoothstep(0.3, 0.8, e[1])
        colour = colour * (1.0 - deep) + wp.vec3(0.10, 0.022, 0.02) * deep
        gloss = gloss * (1.0 - deep)
        occluded = 1.0 - 0.9 * deep
        wrap = wp.vec3(0.34, 0.15, 0.10)
        open_sky = wp.pow(open_sky, 1.4)
    elif kind == EYE:
        middle = wp.where(q[0] > 0.0, look.eye_left, look.eye_right)
        r = wp.sqrt(
            (q[0] - middle[0]) * (q[0] - middle[0]) + (q[2] - middle[2]) * (q[2] - middle[2])
        )
        r = r / 0.0064  # radius of an iris
        if q[1] > middle[1]:
            r = 9.0
        spoke = 0.85 + 0.3 * wp.noise(
            wp.rand_init(look.seed), wp.vec2(11.0 * (q[0] - middle[0]) / (0.0064 * r + 1.0e-6), 9.0)
        )
        iris = look.iris * ((0.75 + 0.5 * smoothstep(0.35, 0.7, r)) * spoke)
        iris = iris * (1.0 - smoothstep(0.72, 0.98, r)) + look.iris_rim * smoothstep(0.72, 0.98, r)
        pupil = 1.0 - smoothstep(look.pupil - 0.07, look.pupil + 0.07, r)
        iris = iris * (1.0 - pupil)
        white = smoothstep(0.93, 1.08, r)
        colour = iris * (1.0 - white) + look.sclera * white
        gloss = 0.9
        power = 160.0
        wrap = wp.vec3(0.25, 0.2, 0.2)
        occluded = open_sky
    elif kind == TEETH:
        gap = wp.abs(wp.sin(q[0] * 400.0))
        colour = look.teeth * (0.72 + 0.28 * smoothstep(0.0, 0.35, gap))
        gloss = 0.25
        power = 60.0
        occluded = smoothstep(-0.085, -0.130, q[1]) * 0.95 + 0.05
    elif kind == TONGUE:
        colour = wp.vec3(0.36, 0.10, 0.09)
        gloss = 0.2
        wrap = wp.vec3(0.3, 0.1, 0.1)
        occluded = smoothstep(-0.07, -0.14, q[1]) * 0.85 + 0.1
    elif kind == LASH:
        colour = wp.vec3(0.012, 0.009, 0.008)
    elif kind == HAIR:
        # e: tone, along the strand (0 root, 1 tip), greyness; the normal points away from the head
        colour = (look.hair * (1.0 - e[2]) + wp.vec3(0.42, 0.41, 0.40) * e[2]) * e[0]
        occluded = 0.45 + 0.55 * open_sky
    elif kind == WIRE:
        colour = look.wire
        gloss = 0.8
        power = 40.0
    else:
        colour = wp.where(e[0] > 0.5, look.cloth_inner, cloth_colour(look, q))
        if e[0] > 1.5:
            colour = look.headwear
        gloss = look.cloth_gloss
        power = 12.0
        wrap = wp.vec3(0.12, 0.12, 0.12)
        state = wp.rand_init(look.seed)
        fold = wp.vec3(
            wp.noise(state, wp.cw_mul(q, wp.vec3(22.0, 18.0, 9.0))),
            0.0,
            wp.noise(state, wp.cw_mul(q, wp.vec3(16.0, 22.0, 11.0)) + wp.vec3(7.0, 3.0, 5.0)),
        )
        n = wp.normalize(n + fold * look.cloth_folds)

    shadow = key_visibility(light, shadow_map, p + n * 0.002)
    sky = 0.5 + 0.5 * n[2]
    ambient = (light.sky * sky + light.ground * (1.0 - sky)) * open_sky
    if kind == HAIR:
        tangent = wp.normalize(q)
        total = ambient
        half = wp.normalize(light.key + to_eye)
        along = wp.dot(tangent, light.key)
        facing = wp.clamp(0.6 + 0.4 * wp.dot(n, light.key), 0.0, 1.0)
        total += light.key_colour * (
            wp.sqrt(wp.max(0.0, 1.0 - along * along)) * 0.75 * facing * shadow
        )
        along = wp.dot(tangent, light.fill)
        facing = wp.clamp(0.5 + 0.5 * wp.dot(n, light.fill), 0.0, 1.0)
        total += light.fill_colour * (wp.sqrt(wp.max(0.0, 1.0 - along * along)) * 0.75 * facing)
        rim = wp.pow(wp.max(0.0, 1.0 - wp.abs(wp.dot(n, to_eye))), 2.0)
        total += light.rim_colour * (wp.clamp(wp.dot(n, light.rim) + 0.2, 0.0, 1.0) * (0.4 + rim))
        shine = wp.dot(tangent, half) + 0.1 * (e[0] - 1.0)
        shine = wp.pow(wp.max(0.0, 1.0 - shine * shine), 40.0) * look.hair_gloss * shadow
        own = wp.cw_mul(colour, total) * occluded
        tint = colour * 0.6 + wp.vec3(0.06, 0.06, 0.06)
        result[i] = (own + wp.cw_mul(light.key_colour, tint) * (shine * occluded)) * light.exposure
        return

    total = ambient
    cosine = wp.dot(n, light.key)
    for c in range(3):
        soft = wp.clamp((cosine + wrap[c]) / (1.0 + wrap[c]), 0.0, 1.0)
        # subsurface light is not blocked by the edge of the surface's shadow
        through = shadow + (1.0 - shadow) * wrap[c] * 0.25
        total[c] = total[c] + light.key_colour[c] * soft * through
        side = wp.clamp((wp.dot(n, light.fill) + wrap[c]) / (1.0 + wrap[c]), 0.0, 1.0)
        total[c] = total[c] + light.fill_colour[c] * side * (0.35 + 0.65 * open_sky)
        back = wp.clamp(wp.dot(n, light.rim), 0.0, 1.0)
        total[c] = total[c] + light.rim_colour[c] * back * open_sky
    own = wp.cw_mul(colour, total) * occluded
    fresnel = 0.04 + 0.5 * wp.pow(wp.clamp(1.0 - wp.dot(n, to_eye), 0.0, 1.0), 5.0)
    half = wp.normalize(light.key + to_eye)
    shine = wp.pow(wp.max(0.0, wp.dot(n, half)), power) * (power + 8.0) / 25.0 * fresnel * shadow
    half = wp.normalize(light.fill + to_eye)
    shine_fill = wp.pow(wp.max(0.0, wp.dot(n, half)), power) * (power + 8.0) / 25.0 * fresnel
    shine_total = light.key_colour * shine + light.fill_colour * (shine_fill * open_sky)
    if kind == SKIN:
        # rough oily skin: a second, wide highlight
        half = wp.normalize(light.key + to_eye)
        foot = wp.pow(wp.max(0.0, wp.dot(n, half)), 7.0)
        shine_total = shine_total * 1.3 + light.key_colour * (foot * shadow * (0.05 + fresnel))
    if kind == EYE:
        # reflection of a window: small, white, not shaded by the lids
        half = wp.normalize(light.key + wp.vec3(0.0, -0.4, 0.1) + to_eye)
        window = smoothstep(0.980, 0.990, wp.dot(n, half))
        shine_total = (light.key_colour + light.sky) * (window * 1.1) + light.sky * 0.02
    result[i] = (own + shine_total * (gloss * occluded)) * light.exposure
