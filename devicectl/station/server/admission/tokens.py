"""Tokens: who may come in, and as what.

Law: a token is a secret of 256 bits, compared in constant time, and appears in no text but a link. The instructor has
one, and each view of each station its own; a new link ends the earlier one and all that came in by it.
"""

import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

TOKEN_BYTES: Final = 32
PRESENTER: Final = "presenter"
INSTRUCTOR: Final = "instructor"
TRAINEE: Final = "trainee"
BEARER: Final = "Bearer "


class Who(NamedTuple):
    """A role at a station; an instructor has all stations, and the number 0."""

    role: str
    station: int = 0

    @property
    def page(self) -> str:
        """Path of the page that a link leads to."""
        return "/" if self.role == INSTRUCTOR else f"/{self.role}/{self.station}"

    def may_see(self, view: str, station: int) -> bool:
        """Return whether that view of that station is open: to an instructor all are."""
        return self.role == INSTRUCTOR or self == Who(view, station)

    def may_ask(self, roles: Collection[str], station: int) -> bool:
        """Return whether an operation for these roles is open, at a station or, with 0, of the class."""
        return self.role in roles and (self.role == INSTRUCTOR or station in (0, self.station))


@dataclass
class Tokens:
    """The tokens of a server at a port. `draw` makes a secret of so many bytes, as text for a URL."""

    draw: Callable[[int], str]
    port: int
    _links: dict[Who, str] = field(default_factory=dict)
    _cookies: dict[Who, str] = field(default_factory=dict)

    def renew(self, who: Who) -> str:
        """Return a new token for a link; who came in by the old one is out."""
        self._links[who] = self.draw(TOKEN_BYTES)
        self._cookies[who] = self.draw(TOKEN_BYTES)
        return self._links[who]

    def forget(self, station: int) -> None:
        """End the links of a station that is no more, and all that came in by them."""
        for who in [who for who in self._links if who.station == station]:
            del self._links[who], self._cookies[who]

    def link(self, who: Who) -> str:
        """Return the path of the link of somebody who has a token."""
        return f"/enter/{self._links[who]}"

    def known(self) -> list[Who]:
        """Return everybody who has a token."""
        return list(self._links)

    def owner(self, token: str) -> Who | None:
        """Return whose link has this token."""
        return _owner(self._links, token)

    def cookie_name(self, who: Who) -> str:
        """Return a name that neither another server nor another role on this machine has: cookies know no ports."""
        return f"station-{self.port}-{who.role}-{who.station}"

    def cookie(self, who: Who) -> str:
        """Return the header that lets a browser in as somebody."""
        return f"{self.cookie_name(who)}={self._cookies[who]}; Path=/; HttpOnly; SameSite=Strict"

    def by_cookies(self, cookies: Mapping[str, str]) -> list[Who]:
        """Return everybody that a browser has come in as: the views of one class may be windows of one browser."""
        return [who for who, secret in self._cookies.items() if _same(secret, cookies.get(self.cookie_name(who), ""))]

    def by_bearer(self, authorization: str) -> Who | None:
        """Return whose token a program shows in the header Authorization."""
        if not authorization.startswith(BEARER):
            return None
        return self.owner(authorization.removeprefix(BEARER))


def _owner(secrets: Mapping[Who, str], token: str) -> Who | None:
    return next((who for who, secret in secrets.items() if _same(secret, token)), None)


def _same(secret: str, shown: str) -> bool:
    return hmac.compare_digest(secret.encode(), shown.encode("utf-8", "surrogatepass"))
