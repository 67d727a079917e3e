"""Content credentials (C2PA): a signed statement in an output about its origin."""

import io
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import c2pa
from PIL import Image

from headmime.assets import bundled_name
from headmime.errors import HeadmimeError
from headmime.provenance.signer import Signer
from headmime.provenance.statement import Consent, ProvenanceStatement

MIME = {".mp4": "video/mp4", ".gif": "image/gif", ".png": "image/png"}
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
STATEMENT = "org.headmime.making"
SETTINGS = {
    "builder": {"thumbnail": {"enabled": False}},  # would leak a private image
    "verify": {"ocsp_fetch": False, "remote_manifest_fetch": False},  # no network access
}


def manifest(statement: ProvenanceStatement, when: datetime) -> dict[str, Any]:
    """Build the manifest in c2pa-rs's JSON: action, ingredients, and headmime's statement.

    An ingredient is identified by role, kind and hash; its own credentials are not copied, because
    they may contain a thumbnail or a name.
    """
    software = {"name": "headmime", "version": version("headmime")}
    time = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    action = {
        "action": "c2pa.created",
        "digitalSourceType": SOURCE_TYPES + statement.kind.value,
        "when": time,
        "softwareAgent": software,
    }
    return {
        "claim_generator_info": [software],
        "ingredients": [
            {
                "title": f"{part.role} ({part.kind})",
                "relationship": "inputTo",
                "description": f"sha256 {part.sha256}",
            }
            for part in statement.ingredients
        ],
        "assertions": [
            {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [action]}},
            {"label": STATEMENT, "created": True, "data": _statement(statement, time)},
        ],
    }


def _statement(statement: ProvenanceStatement, time: str) -> dict[str, Any]:
    name = bundled_name(statement.model_sha256) or "other"
    return {
        "software": f"headmime {version('headmime')}",
        "model": {"name": name, "sha256": statement.model_sha256},
        "ingredients": [
            {"role": part.role, "kind": part.kind, "sha256": part.sha256}
            for part in statement.ingredients
        ],
        "settings": dict(statement.settings),
        "watermark": statement.watermark.hex() if statement.watermark else None,
        "consent": statement.consent.value,
        "time": time,
    }


def sign(source: Path, target: Path, statement: ProvenanceStatement, signer: Signer) -> None:
    """Copy an mp4, GIF or PNG and embed credentials in the copy."""
    with source.open("rb") as plain, target.open("w+b") as signed:
        _sign(plain, signed, MIME[source.suffix.lower()], statement, signer)


def check_signer(signer: Signer) -> None:
    """Sign a one-pixel image as a test. HeadmimeError if C2PA rejects the signer."""
    pixel = io.BytesIO()
    Image.new("L", (1, 1)).save(pixel, "png")
    try:
        _sign(pixel, io.BytesIO(), MIME[".png"], ProvenanceStatement(Consent.NOT_STATED), signer)
    except c2pa.C2paError as error:
        raise HeadmimeError(
            f"C2PA cannot sign with {signer.name}: {error}. It requires an end-entity certificate "
            "for digital signatures and e-mail protection, followed by its intermediates."
        ) from error


def _sign(
    plain: BinaryIO, signed: BinaryIO, mime: str, statement: ProvenanceStatement, signer: Signer
) -> None:
    info = c2pa.C2paSignerInfo(signer.algorithm, signer.certificate, signer.key, None)
    with (
        c2pa.Context.from_dict(SETTINGS) as context,
        c2pa.Signer.from_info(info) as by,
        c2pa.Builder(manifest(statement, datetime.now(UTC)), context) as builder,
    ):
        builder.sign(by, mime, plain, signed)
