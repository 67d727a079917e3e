"""Compute the mean of dlib's embeddings over rendered sitters, which centres them.

`python makers/identity_centre.py STORE` prints it; src/headmime/pretrained/dlib_identity.py holds
the one of `headmime data sitters n=1120 seed=2`: two frames each of every fifth sitter.
"""

import sys

import numpy as np

from headmime.data.store import Store
from headmime.pretrained.dlib_identity import DlibIdentity

store = Store(sys.argv[1])
clips = [store.clips_of(video)[0] for video in range(0, min(len(store.videos), 1000), 5)]
shown = [(clip, t) for clip in clips for t in (0, 3)]
embed = DlibIdentity(centre=np.zeros(128, np.float32))
mean = embed(
    np.stack([store.frame(*place) for place in shown]),
    np.stack([store.landmarks_at(*place) for place in shown]),
).mean(0)
print(np.array2string(mean, precision=3, separator=", ", max_line_width=96))
