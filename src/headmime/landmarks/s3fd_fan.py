"""Batched inference with the two networks of the package face-alignment.

The package processes one face at a time. Networks, crop and decoding of boxes are the package's;
results are equal, except that the package rounds points down to whole pixels.
"""

import pickle
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch
from face_alignment.api import CENTER_Y_OFFSET, REFERENCE_SCALE, SCALE_FACTOR, models_urls
from face_alignment.detection.sfd.bbox import decode, nms
from face_alignment.detection.sfd.net_s3fd import s3fd
from face_alignment.detection.sfd.sfd_detector import models_urls as s3fd_urls
from face_alignment.models import FAN
from face_alignment.utils import crop, flip
from torch import Tensor, nn

from headmime.errors import HeadmimeError

CAFFE_MEAN = (104.0, 117.0, 123.0)  # BGR
VARIANCES = (0.1, 0.2)  # of S3FD's regression
CANDIDATE, SURE, SAME = 0.05, 0.5, 0.3  # score of candidates, of results; IoU of one face
LEAST_SIDE = 32  # smaller images are too small for S3FD's layers
URLS = {"s3fd": s3fd_urls["s3fd"], "fan": models_urls["2DFAN-4"]}


def load_network(kind: str, weights: str | None, device: torch.device) -> nn.Module:
    """Build "s3fd" or "fan" with weights from a file, or downloaded at first use (None)."""
    url = URLS[kind]
    try:
        if weights:
            file = Path(weights).expanduser()
            state = torch.load(file, map_location="cpu", weights_only=True)
        else:
            state = torch.hub.load_state_dict_from_url(url, map_location="cpu", weights_only=True)
    except (OSError, URLError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        why = " ".join(str(error).split())[:200]
        raise HeadmimeError(
            f"The weights of detector=face-alignment could not be loaded "
            f"({weights or Path(url).name}: {why}): get {url} and set its path with "
            f"detector.{kind}=FILE, or use detector=dlib."
        ) from error
    net = {"s3fd": s3fd, "fan": lambda: FAN(4)}[kind]()
    try:
        net.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise HeadmimeError(
            f"detector.{kind}={weights or Path(url).name} does not hold the weights of that "
            f"network: use {url}."
        ) from error
    return net.to(device).eval()


@torch.inference_mode()
def find_boxes(net: nn.Module, images: np.ndarray, device: torch.device) -> list[np.ndarray]:
    """Detect faces: uint8 RGB [B, H, W, 3] -> B arrays float [n, 5], sorted by descending score.

    Columns: left, top, right, bottom in pixels, score (0.5 to 1).
    """
    B, H, W, _ = images.shape
    if min(H, W) < LEAST_SIDE:
        return [np.zeros((0, 5))] * B
    x = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).flip(1).float()
    outputs = iter(net(x - torch.tensor(CAFFE_MEAN, device=device).view(1, 3, 1, 1)))
    numbers, boxes = [], []
    for level, (classes, regression) in enumerate(zip(outputs, outputs, strict=True)):
        score = classes.softmax(1)[:, 1].cpu().numpy()
        number, row, column = np.nonzero(score > CANDIDATE)
        stride = 4 * 2**level
        side = np.full(len(number), 4.0 * stride)
        priors = np.stack([(column + 0.5) * stride, (row + 0.5) * stride, side, side], 1)
        offsets = regression.permute(0, 2, 3, 1).cpu().numpy()[number, row, column]
        found = decode(offsets, priors, VARIANCES)
        boxes.append(np.concatenate([found, score[number, row, column][:, None]], 1))
        numbers.append(number)
    number, box = np.concatenate(numbers), np.concatenate(boxes)
    each = [box[number == k] for k in range(B)]
    distinct = [candidates[nms(candidates, SAME)] for candidates in each]
    return [candidates[candidates[:, 4] > SURE] for candidates in distinct]


@torch.inference_mode()
def find_points(
    net: nn.Module, faces: Sequence[tuple[np.ndarray, np.ndarray]], device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Find the landmarks of faces, each an image uint8 RGB [H, W, 3] and a box [4] in it.

    Returns float32 [B, 68, 2] in image pixels, and the heat maps' peak values [B, 68].
    """
    squares = [_square(box) for _, box in faces]
    crops = [crop(image, *square) for (image, _), square in zip(faces, squares, strict=True)]
    x = torch.from_numpy(np.stack(crops)).to(device).permute(0, 3, 1, 2).float() / 255
    heat = net(x)[-1] + flip(net(flip(x))[-1], is_label=True)
    places, scores = _peaks(heat.cpu())
    centres = np.stack([centre for centre, _ in squares])[:, None]
    sides = np.array([scale for _, scale in squares])[:, None, None] * SCALE_FACTOR
    return ((places.numpy() - 0.5) * sides + centres).astype(np.float32), scores.numpy()


def _square(box: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and scale (side / 200) of FAN's input square for a box."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    centre = np.array([right - width / 2, bottom - height / 2 - height * CENTER_Y_OFFSET])
    return centre, (width + height) / REFERENCE_SCALE


def _peaks(heat: Tensor) -> tuple[Tensor, Tensor]:
    """Peaks of heat maps [B, 68, H, H]: positions [B, 68, 2] in 0..1 and values [B, 68].

    Positions are moved a quarter of a pixel towards the higher neighbour, except at the border.
    """
    H = heat.shape[-1]
    scores, index = heat.flatten(2).max(-1)
    x, y = index % H, index // H
    inner = (x > 0) & (x < H - 1) & (y > 0) & (y < H - 1)
    b, j = torch.meshgrid(*(torch.arange(n) for n in heat.shape[:2]), indexing="ij")

    def slope(dx: int, dy: int) -> Tensor:
        after = heat[b, j, (y + dy).clamp(max=H - 1), (x + dx).clamp(max=H - 1)]
        before = heat[b, j, (y - dy).clamp(min=0), (x - dx).clamp(min=0)]
        return (after - before).sign() * inner

    towards = torch.stack([slope(1, 0), slope(0, 1)], -1)
    return (torch.stack([x, y], -1) + 0.5 + 0.25 * towards) / H, scores
