"""A small z-buffer for triangles, as warp kernels that run on the CPU.

warp runs the threads of a CPU launch one after the other, so a kernel may read and write the
depth buffer without locks and the result never depends on a race. All launches here therefore
name device="cpu".
"""

from dataclasses import dataclass

import numpy as np
import warp as wp
from numpy.typing import NDArray

wp.config.quiet = True
wp.config.log_level = wp.LOG_ERROR  # no talk about missing GPUs: nothing here wants one
wp.init()


@wp.kernel(enable_backward=False)
def _draw(
    points: wp.array(dtype=wp.vec3),
    cut: wp.array(dtype=float),
    faces: wp.array(dtype=wp.vec3i),
    width: int,
    height: int,
    depth: wp.array(dtype=float),
    face: wp.array(dtype=int),
    inside: wp.array(dtype=wp.vec2),
):
    t = wp.tid()
    f = faces[t]
    a = points[f[0]]
    b = points[f[1]]
    c = points[f[2]]
    if a[2] <= 0.0 or b[2] <= 0.0 or c[2] <= 0.0:
        return
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if wp.abs(area) < 1.0e-9:
        return
    inverse = 1.0 / area
    x0 = wp.max(0, int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)))
    x1 = wp.min(width - 1, int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)))
    y0 = wp.max(0, int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)))
    y1 = wp.min(height - 1, int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)))
    for y in range(y0, y1 + 1):
        py = float(y) + 0.5
        for x in range(x0, x1 + 1):
            px = float(x) + 0.5
            u = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) * inverse
            v = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) * inverse
            w = 1.0 - u - v
            if u >= 0.0 and v >= 0.0 and w >= 0.0:
                near = u * a[2] + v * b[2] + w * c[2]
                i = y * width + x
                if near > depth[i] and u * cut[f[0]] + v * cut[f[1]] + w * cut[f[2]] >= 0.0:
                    depth[i] = near
                    face[i] = t
                    inside[i] = wp.vec2(u, v)


@dataclass(frozen=True)
class Canvas:
    """What is nearest at each of width x height samples, row by row.

    depth: larger is nearer, 0 where nothing is; face: triangle or -1; inside: its first two
    barycentric weights.
    """

    width: int
    height: int
    depth: wp.array
    face: wp.array
    inside: wp.array


def draw(
    points: wp.array | NDArray, cut: wp.array, faces: wp.array, width: int, height: int
) -> Canvas:
    """Draw triangles.

    points vec3 [N]: sample coordinates and nearness (> 0; behind the camera: <= 0); cut [N]: only
    where its interpolation is >= 0 is a triangle solid; faces vec3i [F].
    """
    count = width * height
    canvas = Canvas(
        width,
        height,
        wp.zeros(count, dtype=float, device="cpu"),
        wp.full(count, -1, dtype=int, device="cpu"),
        wp.zeros(count, dtype=wp.vec2, device="cpu"),
    )
    if isinstance(points, np.ndarray):
        points = wp.array(points.astype(np.float32), dtype=wp.vec3, device="cpu")
    wp.launch(
        _draw,
        dim=len(faces),
        inputs=[points, cut, faces, width, height, canvas.depth, canvas.face, canvas.inside],
        device="cpu",
    )
    return canvas
