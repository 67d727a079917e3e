"""Verification of content credentials, written by headmime or any other C2PA tool."""

import json
import mmap
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import c2pa
from cryptography import x509

from headmime.errors import HeadmimeError
from headmime.files import open_file
from headmime.provenance.credentials import SETTINGS, STATEMENT
from headmime.provenance.signer import local_root
from headmime.provenance.statement import Kind

SIDECAR = ".c2pa"
# Box types of C2PA: if one is present, the file has credentials, readable or not.
BOXES = re.compile(rb"c2(?:pa|ma|cl|as|cs)\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71")
GENERATED = (Kind.GENERATED.value, Kind.COMPOSITE.value)
UNTRUSTED = "signingCredential.untrusted"
ACTIONS = "c2pa.actions"
WORDS: dict[str, str] = {
    "assertion.bmffHash.mismatch": "image, sound or index data",
    "assertion.dataHash.mismatch": "image data",
    "assertion.boxesHash.mismatch": "image data",
    "claimSignature.mismatch": "signature",
    "claimSignature.missing": "signature",
    "signingCredential.expired": "the signer's certificate has expired",
}
"""What a validation status of C2PA means for the user."""


class State(Enum):
    """TRUSTED: unchanged, signed under a trusted root. VALID: unchanged, unknown signer. ALTERED:
    changed since it was signed. INVALID: no change detected, but the signer's certificate is not
    valid for signing. NONE: no credentials.
    """

    TRUSTED = "trusted"
    VALID = "valid"
    ALTERED = "altered"
    INVALID = "invalid"
    NONE = "none"


@dataclass(frozen=True)
class Verdict:
    """Result of `verify`. `what`: reason for a state other than TRUSTED, else None.

    `generator`: the program that made the file; `signer`: the certificate's name; `generated`:
    whether the file is declared AI-generated; `statement`: headmime's own (model, ingredients,
    consent, ...). These are the file's claims, reliable only if the state is TRUSTED or VALID.
    """

    path: Path
    state: State
    what: str | None = None
    generator: str | None = None
    signer: str | None = None
    generated: bool = False
    statement: dict[str, Any] | None = None


def verify(path: str | Path, roots: Sequence[str | Path] = ()) -> Verdict:
    """Verify the credentials in a file, or in a sidecar of the same name with .c2pa.

    `roots`: PEM files of further trusted root certificates. No network access. HeadmimeError if a
    file cannot be read.
    """
    path = Path(path).expanduser()
    anchors = b"\n".join(root for root in (local_root(), *map(_root, roots)) if root).decode()
    trust = {"trust": {"user_anchors": anchors}} if anchors else {}
    sidecar = path.with_suffix(SIDECAR)
    try:
        with open_file(path) as file, c2pa.Context.from_dict(SETTINGS | trust) as context:
            sidecar_bytes = sidecar.read_bytes() if sidecar.is_file() and sidecar != path else None
            return _check_credentials(path, file, sidecar_bytes, context)
    except OSError as error:
        raise HeadmimeError(f"{path} cannot be read ({error.strerror}).") from error


def _root(file: str | Path) -> bytes:
    try:
        content = Path(file).expanduser().read_bytes()
        x509.load_pem_x509_certificates(content)
    except OSError as error:
        raise HeadmimeError(f"{file}: the root cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise HeadmimeError(f"{file} holds no certificate in PEM format.") from error
    return content


def _check_credentials(
    path: Path, file: BinaryIO, sidecar_bytes: bytes | None, context: c2pa.Context
) -> Verdict:
    inside = _has_boxes(file)
    try:
        with c2pa.Reader(None, file, None if inside else sidecar_bytes, context) as reader:
            return verdict_from_json(path, json.loads(reader.json()))
    except c2pa.C2paError as error:
        if inside or sidecar_bytes:
            return Verdict(path, State.ALTERED, f"unreadable credentials: {error}")
        if str(error).startswith("Remote"):  # c2pa has no exception class for this
            return Verdict(
                path, State.NONE, f"not in the file, and remote manifests are not fetched: {error}"
            )
        return Verdict(path, State.NONE)


def _has_boxes(file: BinaryIO) -> bool:
    if os.fstat(file.fileno()).st_size == 0:  # cannot be mapped
        return False
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return BOXES.search(content) is not None


def verdict_from_json(path: Path, store: dict[str, Any]) -> Verdict:
    """Convert the c2pa reader's JSON to a verdict."""
    active = store["manifests"].get(store["active_manifest"])
    if active is None:
        return Verdict(path, State.ALTERED, "unreadable credentials: the latest ones are missing")
    state, what = _state(store)
    signature = active.get("signature_info", {})
    parts = [(one["label"], one.get("data")) for one in active.get("assertions", [])]
    assertions = [(label, data) for label, data in parts if isinstance(data, dict)]
    actions = [data.get("actions", []) for label, data in assertions if label.startswith(ACTIONS)]
    kinds = [str(one.get("digitalSourceType", "")) for one in chain.from_iterable(actions)]
    return Verdict(
        path,
        state,
        what,
        generator=_generator(active),
        signer=signature.get("common_name") or signature.get("issuer"),
        generated=any(kind.endswith(GENERATED) for kind in kinds),
        statement=next((data for label, data in assertions if label == STATEMENT), None),
    )


def _state(store: dict[str, Any]) -> tuple[State, str | None]:
    results = store["validation_results"]
    failures = [*results.get("activeManifest", {}).get("failure", [])]
    for delta in results.get("ingredientDeltas", []):
        failures += delta["validationDeltas"].get("failure", [])
    if store["validation_state"] == "Trusted":
        return State.TRUSTED, None
    if store["validation_state"] == "Valid":
        return State.VALID, "the signer is unknown here"
    failures = [failure for failure in failures if failure["code"] != UNTRUSTED]
    what = ", ".join(dict.fromkeys(_in_words(failure) for failure in failures))
    certificate_only = all(failure["code"].startswith("signingCredential.") for failure in failures)
    return State.INVALID if failures and certificate_only else State.ALTERED, what


def _in_words(failure: dict[str, Any]) -> str:
    code: str = failure["code"]
    if code in ("assertion.hashedURI.mismatch", "assertion.missing"):
        return f"statement {failure.get('url', '').rsplit('/', 1)[-1]}"
    return WORDS.get(code, code)


def _generator(manifest: dict[str, Any]) -> str | None:
    for program in manifest.get("claim_generator_info", []):
        return " ".join(filter(None, (program.get("name"), program.get("version"))))
    return manifest.get("claim_generator")
