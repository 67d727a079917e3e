"""Which marks an output carries: the user's choices."""

from dataclasses import dataclass


@dataclass
class Marks:
    """The keys `provenance.*`. All marks are on; each is turned off by an explicit false.

    `cert` and `key`: PEM files of the user's own certificate (its chain after it) and private key
    (PKCS#8), together; without them the local ones sign, which are made at first use.
    `watermark_key`: a file of 16 or more bytes that nobody else knows; without it everybody can
    find the watermark.
    """

    label: bool = True
    watermark: bool = True
    credentials: bool = True
    cert: str | None = None
    key: str | None = None
    watermark_key: str | None = None
