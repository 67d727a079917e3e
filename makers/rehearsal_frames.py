"""Choose the rehearsal frames of fine-tuning from the test split of a store of sitters.

python makers/rehearsal_frames.py runs/stores/sitters_128 src/headmime/assets/weights/rehearsal.npz
"""

import sys

import numpy as np
import simplejpeg

from headmime.data.store import Store

PEOPLE, FRAMES, QUALITY = 40, 3, 95


def main(folder: str, out: str) -> None:
    """Write P * T JPEGs, their end offsets, and landmarks float32 [P, T, 68, 2] of P sitters."""
    store = Store(folder)
    jpegs, landmarks = [], []
    for video in store.videos_in("test")[:PEOPLE]:
        places = [(c, t) for c in store.clips_of(video) for t in range(store.clips[c].frames)]
        chosen = [places[k] for k in np.linspace(0, len(places) - 1, FRAMES).round().astype(int)]
        jpegs += [simplejpeg.encode_jpeg(store.frame(c, t), QUALITY) for c, t in chosen]
        landmarks.append([store.landmarks_at(c, t) for c, t in chosen])
    np.savez(
        out,
        jpegs=np.frombuffer(b"".join(jpegs), np.uint8),
        ends=np.cumsum([len(jpeg) for jpeg in jpegs]),
        landmarks=np.float32(landmarks),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
