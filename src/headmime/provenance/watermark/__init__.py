"""Invisible watermark: 32 bits, keyed, spread over the whole frame and over time.

docs/reference/provenance.md lists its robustness.
"""

from headmime.provenance.watermark.detection import DetectionResult, detect
from headmime.provenance.watermark.embedding import embed

# Public, so that anyone can detect the watermark; it does not prove who embedded it.
PUBLIC_KEY = b"headmime: anyone may read this mark"

__all__ = ["PUBLIC_KEY", "DetectionResult", "detect", "embed"]
