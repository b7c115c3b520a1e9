"""Who prompted, as a keyed hash: equal for the same user, and nobody reads the id from it.

The key is made once, in the folder of the data, and never leaves it. Whoever has both the key and a
list of ids can try them all, as with every keyed hash; without the key an id cannot be tried.

Source: HMAC, <https://www.rfc-editor.org/rfc/rfc2104>.
"""

import contextlib
import functools
import os
import re
import secrets
from pathlib import Path
from typing import Final

from agenttrace.errors import ConfigError

KEY_NAME: Final = "user.key"
_KEY_BYTES: Final = 32
_HASH_BYTES: Final = 16  # beyond 10^15 users two of them would have to share one
_KEY: Final = re.compile("[0-9a-f]{64}")


def hashed(home: Path, user: str) -> str:
    """Return the hash of *user*, 32 hex digits, with the key in *home*, which is made if missing.

    Raises:
        OSError: The key cannot be made or read.
        ConfigError: What is in its place is no key.
    """
    # They load OpenSSL.
    import hashlib
    import hmac

    digest = hmac.new(_key(home), user.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return digest[:_HASH_BYTES].hex()


@functools.lru_cache(maxsize=8)
def _key(home: Path) -> bytes:
    path = home / KEY_NAME
    if not path.exists():
        _make(path)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not _KEY.fullmatch(text):
        raise ConfigError(
            f"{path} is no key of 64 hex digits. Remove it, and users have other hashes from now on"
        )
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    """Put a new key at *path*, whole, unless another process was faster."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = path.with_name(f"{path.name}-{os.getpid()}-{secrets.token_hex(4)}.new")
    _write(making)
    try:
        with contextlib.suppress(FileExistsError):
            # A link never replaces what is there, so all processes read the key of the first.
            os.link(making, path)
    except OSError:
        # No links here. So short a text is written at once or not at all.
        with contextlib.suppress(FileExistsError):
            _write(path)
    finally:
        making.unlink(missing_ok=True)


def _write(path: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(_KEY_BYTES).encode() + b"\n")
    finally:
        os.close(descriptor)
