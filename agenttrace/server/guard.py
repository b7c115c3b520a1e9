"""Who may send: this machine, or whoever has the token."""

import hmac
import ipaddress
from typing import Final

from agenttrace.errors import ConfigError
from agenttrace.server.refusals import NO_TOKEN, UNKNOWN_HOST, Why

TOKEN_VARIABLE: Final = "AGENTTRACE_TOKEN"  # noqa: S105 - its name
_BEARER: Final = "bearer "


class Guard:
    """What a request must show.

    A page in a browser can have its own name point to this machine and then send to whatever
    listens here (DNS rebinding); the name stands in the Host header, so only names of this machine
    are answered to on loopback.
    """

    def __init__(self, host: str | None, token: str | None) -> None:
        """Know who may send.

        Args:
            host: Address that is listened on; None for loopback.
            token: What others must know.

        Raises:
            ConfigError: Others could reach it without a token.
        """
        self.is_loopback = host is None or is_loopback(host)
        self._token = (token or "").strip().encode()
        if not self.is_loopback and not self._token:
            raise ConfigError(
                f"anybody who reaches {host} could send to it. Give a token with --token or "
                f"{TOKEN_VARIABLE}, or leave out --host to listen on this machine only."
            )

    @property
    def asks_for_token(self) -> bool:
        """Whether there is a token to be shown."""
        return bool(self._token)

    def refusal(self, host: str | None, authorization: str | None) -> Why | None:
        """Return why a request is refused; None if it may go on.

        Args:
            host: Its Host header, or :authority.
            authorization: Its Authorization header.
        """
        if self.is_loopback and host and not is_loopback(_name(host)):
            return UNKNOWN_HOST
        return None if self.knows_token(authorization) else NO_TOKEN

    def knows_token(self, authorization: str | None) -> bool:
        """Tell whether the token is shown, or none is asked for."""
        if not self._token:
            return True
        said = authorization or ""
        if said[: len(_BEARER)].lower() != _BEARER:
            return False
        # Takes as long for a token that is nearly right as for any other.
        return hmac.compare_digest(said[len(_BEARER) :].strip().encode(), self._token)


def is_loopback(host: str) -> bool:
    """Tell whether *host* is a name or an address of this machine alone."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """Return a Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if host.count(":") == 1 else host
