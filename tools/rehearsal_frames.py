"""Choose the frames that fine-tuning rehearses, from the test split of a store of sitters.

python tools/rehearsal_frames.py runs/stores/sitters_64 src/headmime/assets/weights/rehearsal.npz
"""

import sys

import numpy as np

from headmime.data.store import Store

PEOPLE, FRAMES = 40, 3


def main(folder: str, out: str) -> None:
    """Write frames uint8 [P, T, S, S, 3] and landmarks float32 [P, T, 68, 2] of P sitters."""
    store = Store(folder)
    frames, landmarks = [], []
    for video in store.videos_in("test")[:PEOPLE]:
        places = [(c, t) for c in store.clips_of(video) for t in range(store.clips[c].frames)]
        chosen = [places[k] for k in np.linspace(0, len(places) - 1, FRAMES).round().astype(int)]
        frames.append([store.frame(c, t) for c, t in chosen])
        landmarks.append([store.landmarks_at(c, t) for c, t in chosen])
    np.savez_compressed(out, frames=np.array(frames), landmarks=np.float32(landmarks))


if __name__ == "__main__":
    main(*sys.argv[1:])
