"""The token that every request has to bring, if there is one: where it comes from, and when there has to be one.

It is in no option, so that no list of processes, no error and no log can show it.
"""

from ipaddress import ip_address
from pathlib import Path

from servers.options import Options, Unusable

ENVIRONMENT = "PUSH_TOKEN"
"""The environment variable that may hold it."""
SHORTEST = 16
"""It has at least so many characters, all of which may stand in a URL: RFC 3986 section 2.3."""
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
MAKE_ONE = "python -c 'import secrets; print(secrets.token_urlsafe())'"


class TokenUnusable(Unusable):
    """What is to be the token cannot be; the text says why, and never what it is."""


class Exposed(Unusable):
    """Anybody could come in."""


def token_of(options: Options, environment: str | None) -> str:
    """The token: from the file, or else from the environment; empty if none is wanted.

    Raises `TokenUnusable`, and `Exposed` for a server that others can reach without one.
    """
    if options.token_file:
        try:
            token = Path(options.token_file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise TokenUnusable(f"--token-file {options.token_file} cannot be read: {why}") from None
        where = f"--token-file {options.token_file}"
    elif environment is not None:
        token, where = environment, ENVIRONMENT
    elif options.insecure or _is_loopback(options.host):
        return ""
    else:
        raise Exposed(
            f"--host {options.host} can be reached from other hosts, and there is no token: name a file with one "
            f"(--token-file), set {ENVIRONMENT}, or let everybody in (--insecure)"
        )
    if len(token) < SHORTEST or not set(token) <= UNRESERVED:
        raise TokenUnusable(
            f"{where} holds {len(token)} characters: a token has at least {SHORTEST}, letters, digits and -._~ alone: "
            f"make one with {MAKE_ONE}"
        )
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
