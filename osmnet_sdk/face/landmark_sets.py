"""Which of the 478 landmarks lie where, by name.

The numbers are those of MediaPipe's face mesh (Apache-2.0): 468 points of the mesh, then five of
each iris (centre and four on its rim). Right and left are the subject's.
"""

from __future__ import annotations

LANDMARK_COUNT = 478

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Closed loop from the top of the forehead along the subject's left side over the chin.

It follows the silhouette, so on a turned head it slides over the skin."""

LIPS_OUTER = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)  # fmt: skip
"""Closed loop from the subject's right mouth corner along the lower lip."""

LIPS_INNER = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
"""Closed loop from the subject's right inner corner along the lower lip."""

MOUTH_CORNERS = (61, 291)
"""Right and left outer mouth corner."""

UPPER_LIP, LOWER_LIP = 13, 14
"""Middle of the upper and of the lower lip's inner edge."""

RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
"""Closed loop from the outer corner along the lower lid, then back along the upper lid."""

LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
"""Closed loop from the outer corner along the lower lid, then back along the upper lid."""

EYE_OUTER_CORNERS = (33, 263)
"""Right and left outer eye corner."""

RIGHT_EYE_LIDS = (159, 145)
"""Middle of the upper and of the lower lid of the right eye."""

LEFT_EYE_LIDS = (386, 374)
"""Middle of the upper and of the lower lid of the left eye."""

RIGHT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
"""Closed loop from the outer end along the upper edge, then back along the lower edge."""

LEFT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
"""Closed loop from the outer end along the upper edge, then back along the lower edge."""

RIGHT_IRIS = (468, 469, 470, 471, 472)
"""Centre and four points on the rim of the right iris."""

LEFT_IRIS = (473, 474, 475, 476, 477)
"""Centre and four points on the rim of the left iris."""

NOSE_BRIDGE = (168, 6, 197, 195, 5, 4)
"""From between the eyes down to the tip of the nose."""

NOSE_TIP = 4

CHIN = 152

LIPS_REFINED = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
)  # fmt: skip
"""The 80 mesh points that the network's lip branch places again, in its order."""

RIGHT_EYE_REFINED = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245,
    156, 70, 63, 105, 66, 107, 55, 193,
)  # fmt: skip
"""The 71 points of the right eye and brow that the eye branch places again, in its order."""

LEFT_EYE_REFINED = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413,
    265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465,
    383, 300, 293, 334, 296, 336, 285, 417,
)  # fmt: skip
"""The 71 points of the left eye and brow that the eye branch places again, in its order."""
