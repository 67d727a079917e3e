"""Signing credentials: the user's certificate, or a local one created on first use."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import platformdirs
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from headmime.errors import HeadmimeError
from headmime.files import write_atomically
from headmime.provenance.statement import ProvenanceOptions

YEARS = 20  # validity; without a time-stamping authority it limits the validity of signed files
ROOT, CERTIFICATE, KEY = "root.pem", "certificate.pem", "key.pem"
CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Signer:
    """`certificate`: PEM, with its chain after it; `key`: PEM, PKCS#8; `algorithm`: C2PA's name.

    `name` is used in messages.
    """

    certificate: bytes
    key: bytes
    algorithm: str
    name: str


def signer_for(marks: ProvenanceOptions) -> Signer:
    """Load the user's signer, or the local one. HeadmimeError if it is unusable."""
    if bool(marks.cert) != bool(marks.key):
        raise HeadmimeError("provenance.cert= and provenance.key= belong together: give both.")
    if marks.cert and marks.key:
        return _read(Path(marks.cert).expanduser(), Path(marks.key).expanduser())
    folder = local_folder()
    if not folder.is_dir():
        _make(folder)
    return _read(folder / CERTIFICATE, folder / KEY)


def local_folder() -> Path:
    """Folder of the local root, certificate and key, in the user's configuration folder."""
    folder = _folder()
    if not folder.is_absolute():
        raise HeadmimeError(
            "There is no home folder for a certificate: set XDG_CONFIG_HOME to a folder, or "
            "give provenance.cert= and provenance.key=."
        )
    return folder


def local_root() -> bytes | None:
    """Return the local root certificate as PEM; None if none was created yet."""
    file = _folder() / ROOT
    return file.read_bytes() if file.is_file() else None


def _folder() -> Path:
    return platformdirs.user_config_path("headmime") / "signing"


def _read(certificate: Path, key: Path) -> Signer:
    chain, secret = _content(certificate, "certificate"), _content(key, "key")
    try:
        first = x509.load_pem_x509_certificates(chain)[0]
        public = first.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise HeadmimeError(
            f"{certificate} holds no certificate in PEM format, or of another kind of key."
        ) from error
    try:
        private = serialization.load_pem_private_key(secret, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise HeadmimeError(
            f"{key} holds no private key in PEM format without a password."
        ) from error
    if private.public_key() != public:
        raise HeadmimeError(f"{key} is not the key of {certificate}.")
    if not first.not_valid_before_utc <= datetime.now(UTC) <= first.not_valid_after_utc:
        raise HeadmimeError(
            f"{certificate} is valid from {first.not_valid_before_utc:%Y-%m-%d} to "
            f"{first.not_valid_after_utc:%Y-%m-%d}, not now: use another."
        )
    plain = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Signer(chain, plain, _algorithm(private, key), str(certificate))


def _content(file: Path, what: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise HeadmimeError(
            f"{file}: the signing {what} cannot be read ({error.strerror})."
        ) from error


def _algorithm(key: object, file: Path) -> str:
    """Return C2PA's name of the signature algorithm for a private key."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise HeadmimeError(
        f"{file}: C2PA supports keys of RSA, Ed25519 and the curves P-256 to P-521."
    )


def _make(folder: Path) -> None:
    """Create root, certificate and key atomically (two processes may do so concurrently).

    The root's private key is discarded, so that it cannot sign other certificates.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(folder) as partial:
            partial.mkdir(0o700)
            for name, content in _certificates().items():
                (partial / name).touch(0o600)
                (partial / name).write_bytes(content)
    except OSError as error:
        if folder.is_dir():  # another process was faster
            return
        raise HeadmimeError(
            f"{folder} cannot be created for a certificate ({error.strerror}): set "
            "XDG_CONFIG_HOME to a folder that can be written, or give provenance.cert= and "
            "provenance.key=."
        ) from error


def _certificates() -> dict[str, bytes]:
    """Return a root, a media signing certificate issued by it, and its key; no personal names."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [f"CN=headmime local {what},O=headmime" for what in ("root", "certificate")]
    root_name, name = map(x509.Name.from_rfc4514_string, names)
    root = _builder(root_name, root_name, root_key, root_key, authority=True)
    signing = _builder(name, root_name, key, root_key, authority=False).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
    )
    return {
        ROOT: root.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        CERTIFICATE: signing.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        KEY: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    authority: bool,
) -> x509.CertificateBuilder:
    """Return a builder that meets C2PA's certificate profile, except extended key usage."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))  # clock skew
        .not_valid_after(today + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
                **usage,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
