"""Parts of a URL as java.net.URL reads them: it takes far more than RFC 3986 does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9.+-]*):")
_PROTOCOLS = ("http", "https", "ftp", "file", "jar", "jmod", "jrt", "mailto")
_PORT = re.compile(r"[+-]?\d{1,10}")


@dataclass(frozen=True, slots=True)
class Url:
    """The parts; None where the URL has none."""

    protocol: str
    host: str
    path: str
    query: str | None
    fragment: str | None
    authority: str | None
    user: str | None

    @property
    def file(self) -> str:
        """Path and query."""
        return self.path if self.query is None else f"{self.path}?{self.query}"


def url_part(text: str, part: str, key: str | None = None) -> str | None:
    """``part`` of the URL ``text``, or of its query the value of ``key``; NULL if not there."""
    url = parsed(text)
    if url is None:
        return None
    if key is not None:
        if part != "QUERY" or url.query is None:
            return None
        value = re.search(rf"(?:&|^){re.escape(key)}=([^&]*)", url.query)
        return value[1] if value else None
    name = _PARTS.get(part)
    value_of: str | None = getattr(url, name) if name else None
    return value_of


_PARTS = {
    "HOST": "host",
    "PATH": "path",
    "QUERY": "query",
    "REF": "fragment",
    "PROTOCOL": "protocol",
    "FILE": "file",
    "AUTHORITY": "authority",
    "USERINFO": "user",
}


@lru_cache(maxsize=1024)
def parsed(text: str) -> Url | None:
    """The URL, None for a text that Java refuses."""
    rest = text.strip("".join(map(chr, range(33))))
    if rest[:4].lower() == "url:":
        rest = rest[4:]
    start = _PROTOCOL.match(rest)
    protocol = start[1].lower() if start else ""
    if protocol not in _PROTOCOLS:
        return None
    assert start is not None
    rest, sharp, fragment = rest[start.end() :].partition("#")
    if protocol in ("mailto", "jar"):
        return Url(protocol, "", rest, None, fragment if sharp else None, None, None)
    rest, mark, query = rest.partition("?")
    authority, user, host = None, None, ""
    if rest.startswith("//") and not rest.startswith("////"):
        end = rest.find("/", 2)
        authority = rest[2:] if end < 0 else rest[2:end]
        rest = "" if end < 0 else rest[end:]
        split = _host(authority)
        if split is None:
            return None
        user, host = split
    return Url(
        protocol,
        host,
        _normal(rest),
        query if mark else None,
        fragment if sharp else None,
        authority,
        user,
    )


def _host(authority: str) -> tuple[str | None, str] | None:
    """User and host; None for a port that is no number."""
    if authority.count("@") > 1:
        return None, ""
    user, at, host = authority.rpartition("@")
    if host.startswith("["):
        end = host.find("]")
        if end < 0:
            return None
        host, port = host[: end + 1], host[end + 1 :]
        if port and not port.startswith(":"):
            return None
    else:
        host, colon, port = host.partition(":")
        port = colon + port
    if port[1:] and not (_PORT.fullmatch(port[1:]) and -1 <= int(port[1:]) < 2**31):
        return None
    return (user if at else None), host


def _normal(path: str) -> str:
    """Without ``/./`` and ``/../``."""
    while "/./" in path:
        path = path.replace("/./", "/", 1)
    place = 0
    while (place := path.find("/../", place)) >= 0:
        before = path.rfind("/", 0, place) if place > 0 else -1
        if before >= 0 and path.find("/../", before) != 0:
            path = path[:before] + path[place + 3 :]
            place = 0
        else:
            place += 3
    if path.endswith("/.."):
        before = path.rfind("/", 0, len(path) - 3)
        path = path[: before + 1] if before >= 0 else path
    path = path.removeprefix("./") if len(path) > 2 else path
    return path[:-1] if path.endswith("/.") else path
