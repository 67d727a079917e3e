"""How every picture of a study is encoded, so that nothing but its content tells what it is."""

from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from headmime.data.shards import JPEG_QUALITY


def encoded(picture: np.ndarray) -> bytes:
    """uint8 RGB [S, S, 3] -> PNG without metadata, as many bytes for every picture of a size.

    All pictures go through the store's JPEG first: real frames have been through it (a second time
    changes sitters' frames a quarter as much as the first), so generated ones must not be cleaner.
    The PNG is not compressed: its length depends on S alone.
    """
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    file = BytesIO()
    Image.fromarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)).save(file, "PNG", compress_level=0)
    return file.getvalue()
