"""An authority's certificate, another's, and a broker's."""

import ssl
import subprocess
from pathlib import Path

NAME = "broker.test"


def made_certificates(folder: Path) -> Path:
    """Return a folder with ca.pem, ca.der, other.pem, other.der, broker.pem and broker.key."""

    def openssl(*arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650")
    for name in ("ca", "other"):
        openssl("req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
        (folder / f"{name}.der").write_bytes(ssl.PEM_cert_to_DER_cert((folder / f"{name}.pem").read_text()))
    openssl("req", *key[:-2], "-keyout", "broker.key", "-out", "broker.csr", "-subj", f"/CN={NAME}")
    (folder / "san").write_text(f"subjectAltName=DNS:{NAME}\n")
    openssl(
        *("x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
        *("-days", "3650", "-extfile", "san", "-out", "broker.pem"),
    )
    return folder
