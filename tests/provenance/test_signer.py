"""Who signs: the certificate that is made at first use, and the user's own."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from headmime.errors import HeadmimeError
from headmime.provenance.credentials import check_signer, sign
from headmime.provenance.marking import prepare_marking
from headmime.provenance.signer import YEARS, local_root, signer_for
from headmime.provenance.statement import ProvenanceOptions, ProvenanceStatement
from headmime.provenance.verdict import State, verify

BARE = ProvenanceOptions(label=False, watermark=False, credentials=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "headmime"


def test_it_is_made_once_and_its_key_is_the_owner_s_alone(home: Path) -> None:
    assert local_root() is None
    first = signer_for(ProvenanceOptions())
    assert signer_for(ProvenanceOptions()) == first
    folder = home / "signing"
    assert sorted(file.name for file in folder.iterdir()) == [
        "certificate.pem",
        "key.pem",
        "root.pem",
    ]
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [file.name for file in home.iterdir()] == ["signing"]  # nothing half made


def test_the_certificate_is_an_end_entity_s_of_the_root_for_years(home: Path) -> None:
    certificate = x509.load_pem_x509_certificate(signer_for(ProvenanceOptions()).certificate)
    root = x509.load_pem_x509_certificate(local_root() or b"")
    certificate.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    assert left > timedelta(days=364 * YEARS)
    said = {name.value for one in (certificate, root) for name in one.subject}
    assert said == {"headmime", "headmime local root", "headmime local certificate"}  # nobody


def test_the_root_s_key_is_not_kept(home: Path) -> None:
    """Nobody can sign other certificates in its name: the one key there is the certificate's."""
    root = x509.load_pem_x509_certificate((signer_for(ProvenanceOptions()), local_root())[1] or b"")
    kept = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert kept.count(b"PRIVATE KEY-----") == 2  # begin and end, once
    key = serialization.load_pem_private_key((home / "signing" / "key.pem").read_bytes(), None)
    assert key.public_key() != root.public_key()


def test_processes_that_begin_together_agree(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        signers = set(pool.map(signer_for, [ProvenanceOptions() for _ in range(8)]))
    assert len(signers) == 1
    assert [file.name for file in home.iterdir()] == ["signing"]


def own(folder: Path, key: object, days: int = 30, authority: bool = False) -> ProvenanceOptions:
    """A certificate that signs itself, as files of the user's."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A Studio")])
    now = datetime.now(UTC)
    issuer = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A Root")]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), True)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, authority, False, False, False), True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False
        )
    )
    certificate = builder.sign(issuer, hashes.SHA256())
    (folder / "my cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "my key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ProvenanceOptions(cert=str(folder / "my cert.pem"), key=str(folder / "my key.pem"))


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["P-384", "RSA", "Ed25519"],
)
def test_the_user_s_own_certificate_signs(
    home: Path, tmp_path: Path, plain: dict[str, Path], statement: ProvenanceStatement, key: object
) -> None:
    signer = prepare_marking(own(tmp_path, key)).signer
    assert signer is not None
    sign(plain[".png"], tmp_path / "a.png", statement, signer)
    found = verify(tmp_path / "a.png")
    assert (found.state, found.signer) == (State.VALID, "A Studio")
    assert not home.exists()  # no local one was made


def test_a_key_in_the_older_format_of_openssl_will_do(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    marks = own(tmp_path, key)
    (tmp_path / "my key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    check_signer(signer_for(marks))


def test_what_cannot_sign_is_said_before_any_work(home: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    good = own(tmp_path, key)
    for marks in (ProvenanceOptions(cert=good.cert), ProvenanceOptions(key=good.key)):
        with pytest.raises(HeadmimeError, match=r"cert= and provenance.key= belong together"):
            prepare_marking(marks)
    with pytest.raises(HeadmimeError, match=r"no\.pem: the signing certificate cannot be read"):
        prepare_marking(ProvenanceOptions(cert=str(tmp_path / "no.pem"), key=good.key))
    with pytest.raises(HeadmimeError, match="holds no certificate in PEM format"):
        prepare_marking(ProvenanceOptions(cert=good.key, key=good.key))
    with pytest.raises(HeadmimeError, match="holds no private key in PEM format"):
        prepare_marking(ProvenanceOptions(cert=good.cert, key=good.cert))
    with pytest.raises(HeadmimeError, match=r"not now: use another"):
        prepare_marking(own(tmp_path, key, days=-1))
    with pytest.raises(HeadmimeError, match="C2PA cannot sign with .*my cert.pem"):
        prepare_marking(own(tmp_path, key, authority=True))
    own(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    (tmp_path / "my key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(HeadmimeError, match=r"my key\.pem is not the key of .*my cert\.pem"):
        prepare_marking(good)


def test_a_home_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(
        HeadmimeError, match=r"cannot be created.*XDG_CONFIG_HOME.*provenance\.cert="
    ):
        prepare_marking(ProvenanceOptions())
    assert prepare_marking(BARE) == prepare_marking(
        ProvenanceOptions(watermark=False, credentials=False)
    )


def test_a_watermark_s_key_is_a_file_of_enough_bytes(tmp_path: Path) -> None:
    marks = ProvenanceOptions(credentials=False, watermark_key=str(tmp_path / "w key"))
    with pytest.raises(HeadmimeError, match="w key: the watermark's key cannot be read"):
        prepare_marking(marks)
    (tmp_path / "w key").write_bytes(b"short")
    with pytest.raises(HeadmimeError, match="at least 16 bytes"):
        prepare_marking(marks)
    (tmp_path / "w key").write_bytes(b"0123456789abcdef")
    assert prepare_marking(marks).watermark_key == b"0123456789abcdef"


def test_a_key_of_an_unknown_kind_is_named(home: Path, failing: Path) -> None:
    signer_for(ProvenanceOptions())
    key = failing / "found" / "unknown_algorithm.pem"
    with pytest.raises(HeadmimeError, match=r"unknown_algorithm\.pem holds no private key"):
        signer_for(ProvenanceOptions(cert=str(home / "signing" / "certificate.pem"), key=str(key)))
