"""Which vertices of MakeHuman's base mesh are the 68 iBUG points.

Made by tools/landmark_vertices.py: dlib's predictor on 60 rendered frontal faces; for each point
the mirror-symmetric vertex that is nearest on average (3 % of the interocular distance away).
"""

import numpy as np

LANDMARK_VERTICES = np.array(
    [
        # jaw
        5765, 5468, 5759, 5242, 735, 5298, 5295, 5221, 5296, 11831, 11901, 11903,
        7455, 11851, 12356, 12067, 12362,
        # brows
        261, 225, 204, 180, 209, 6984, 6956, 6979, 6999, 7030,
        # nose
        133, 131, 164, 294, 320, 313, 317, 7076, 7082,
        # eyes
        25, 4896, 55, 4871, 45, 38, 11489, 6839, 11514, 6809, 6822, 6829,
        # outer lips
        501, 5351, 450, 466, 7210, 11953, 7250, 7130, 7241, 492, 486, 370,
        # inner lips
        438, 472, 474, 7228, 7198, 7242, 493, 487,
    ]
)  # fmt: skip
"""[68] numbers in the base mesh (`Body.source`), in iBUG order."""
