"""A z-buffer rasteriser for triangles, as warp kernels on the CPU.

warp runs the threads of a CPU launch sequentially, so a kernel may read and write the depth buffer
without locks and races.
"""

from typing import NamedTuple

from headmime.sitters.warp_cpu import wp


@wp.func
def _bounded(span: wp.vec2, start: float, slope: float) -> wp.vec2:
    """The part of the interval in which start + slope * x >= 0; empty means high < low."""
    if wp.abs(slope) < 1.0e-12:
        if start < 0.0:
            return wp.vec2(1.0, 0.0)
        return span
    edge = -start / slope
    if slope > 0.0:
        return wp.vec2(wp.max(span[0], edge), span[1])
    return wp.vec2(span[0], wp.min(span[1], edge))


@wp.kernel(enable_backward=False)
def _draw(
    points: wp.array[wp.vec3],
    cut: wp.array[float],
    faces: wp.array[wp.vec3i],
    size: int,
    depth: wp.array[float],
    face: wp.array[int],
    inside: wp.array[wp.vec2],
):
    t = wp.tid()
    f = faces[t]
    a = points[f[0]]
    b = points[f[1]]
    c = points[f[2]]
    if a[2] <= 0.0 or b[2] <= 0.0 or c[2] <= 0.0:
        return
    y0 = wp.max(0, int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)))
    y1 = wp.min(size - 1, int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)))
    left = wp.max(-0.5, wp.min(a[0], wp.min(b[0], c[0])) - 0.5)
    right = wp.min(float(size) - 0.5, wp.max(a[0], wp.max(b[0], c[0])) - 0.5)
    if y1 < y0 or wp.floor(right) < wp.ceil(left):
        return  # between the samples, like most triangles of hair
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if wp.abs(area) < 1.0e-9:
        return
    # Barycentric weights are linear along a row: weight = start + slope * x. Each of them bounds
    # the row's covered interval from one side.
    inverse = 1.0 / area
    u_slope = (b[1] - c[1]) * inverse
    v_slope = (c[1] - a[1]) * inverse
    w_slope = (a[1] - b[1]) * inverse
    cut_a = cut[f[0]]
    cut_b = cut[f[1]]
    cut_c = cut[f[2]]
    for y in range(y0, y1 + 1):
        py = float(y) + 0.5
        u_start = ((b[0] - 0.5) * (c[1] - py) - (b[1] - py) * (c[0] - 0.5)) * inverse
        v_start = ((c[0] - 0.5) * (a[1] - py) - (c[1] - py) * (a[0] - 0.5)) * inverse
        w_start = 1.0 - u_start - v_start
        span = _bounded(wp.vec2(left, right), u_start, u_slope)
        span = _bounded(span, v_start, v_slope)
        span = _bounded(span, w_start, w_slope)
        x0 = wp.max(0, int(wp.ceil(span[0])))
        x1 = wp.min(size - 1, int(wp.floor(span[1])))
        for x in range(x0, x1 + 1):
            u = u_start + u_slope * float(x)
            v = v_start + v_slope * float(x)
            w = 1.0 - u - v
            near = u * a[2] + v * b[2] + w * c[2]
            i = y * size + x
            if near > depth[i] and u * cut_a + v * cut_b + w * cut_c >= 0.0:
                depth[i] = near
                face[i] = t
                inside[i] = wp.vec2(u, v)


class Canvas(NamedTuple):
    """The nearest triangle at each of size x size samples, in row order.

    depth: nearness, larger is nearer, 0 for none; face: triangle or -1; inside: first two
    barycentric weights.
    """

    depth: wp.array
    face: wp.array
    inside: wp.array


def rasterise(points: wp.array, cut: wp.array, faces: wp.array, size: int) -> Canvas:
    """Rasterise triangles.

    points vec3 [N]: sample coordinates and nearness (<= 0 behind the camera); cut [N]: a triangle
    is solid where the interpolated value is >= 0; faces vec3i [F].
    """
    count = size * size
    canvas = Canvas(
        wp.zeros(count, dtype=float), wp.full(count, -1, dtype=int), wp.zeros(count, dtype=wp.vec2)
    )
    wp.launch(_draw, dim=len(faces), inputs=[points, cut, faces, size, *canvas])
    return canvas
