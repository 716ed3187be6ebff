"""The certificate of the AWS endpoint: the one given, or one made for this data directory.

A self-made one is good for this machine's names and for those the server answers to; clients are
told to trust it (``AWS_CA_BUNDLE=<data>/tls/certificate.pem``) or not to look.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.settings import Settings

FOLDER = "tls"
DAYS = 825  # no client accepts a longer life
RENEW_DAYS = 30


def files(settings: Settings, clock: Clock = SYSTEM) -> tuple[Path, Path]:
    """The files of certificate and key, made if need be.

    Raises:
        EddylineError: ``not_found`` or ``invalid_argument`` for files that are given.
    """
    if settings.tls_certificate or settings.tls_key:
        return _given(settings)
    folder = settings.data_dir / FOLDER
    files = folder / "certificate.pem", folder / "key.pem"
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    if not all(f.exists() for f in files) or _ends(files[0]) < now + timedelta(RENEW_DAYS):
        folder.mkdir(parents=True, exist_ok=True)
        _make(*files, _names(settings), now)
    return files


def _given(settings: Settings) -> tuple[Path, Path]:
    paths = []
    for name in ("tls_certificate", "tls_key"):
        path = Path(getattr(settings, name))
        if not getattr(settings, name):
            msg = f"{name} is missing: a certificate needs its key, and a key its certificate"
            raise EddylineError("invalid_argument", msg, hint=f"set EDDYLINE_{name.upper()}")
        if not path.is_file():
            hint = f"see EDDYLINE_{name.upper()}"
            raise EddylineError("not_found", f"{name} {path} does not exist", hint=hint)
        paths.append(path)
    return paths[0], paths[1]


def _names(settings: Settings) -> list[str]:
    given = [h.strip() for h in settings.allow_host.split(",") if h.strip() not in ("", "*")]
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), settings.host, *given]
    return list(dict.fromkeys(f"*{n}" if n.startswith(".") else n for n in names))


def _ends(certificate: Path) -> datetime:
    from cryptography import x509

    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        return loaded.not_valid_after_utc
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _make(certificate: Path, key: Path, names: list[str], now: datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Eddyline")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(n) for n in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(key, secret)
    _write(certificate, made.public_bytes(serialization.Encoding.PEM))


def _name(name: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, text: bytes) -> None:
    aside = path.with_suffix(".new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text)
    aside.replace(path)
