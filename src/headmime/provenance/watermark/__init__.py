"""An invisible mark: 32 bits, keyed, spread over all of the picture and over time.

docs/reference/provenance.md says what it survives.
"""

from headmime.provenance.watermark.detection import DetectionResult, detect
from headmime.provenance.watermark.embedding import embed

# Known to everybody, so that everybody can find the mark; it is no proof of who put it there.
PUBLIC_KEY = b"headmime: anyone may read this mark"

__all__ = ["PUBLIC_KEY", "DetectionResult", "detect", "embed"]
