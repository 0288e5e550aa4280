import re

import segno

from devicectl.station.server.admission.tokens import Tokens, Who
from devicectl.station.server.control.links import QUIET, code_of, link_of

URL = "http://192.168.1.5:8765/enter/" + "A" * 43


def drawn(path: str, size: int) -> list[list[int]]:
    """Return the modules that a path of rectangles fills."""
    modules = [[0] * size for _ in range(size)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        for column in range(int(x), int(x) + int(length)):
            modules[int(y)][column] = 1
    return modules


def test_drawing_has_the_modules_of_the_code_in_a_quiet_zone() -> None:
    code = code_of(URL)
    made = segno.make(URL, error="m", micro=False)
    expected = [list(row) for row in made.matrix_iter(border=QUIET)]
    assert drawn(code.d, code.size) == expected


def test_link_is_the_token_at_the_address_for_others() -> None:
    tokens = Tokens(lambda size: "secret", 8765)
    tokens.renew(Who("trainee", 1))
    link = link_of(tokens, Who("trainee", 1), "http://192.168.1.5:8765")
    assert link.url == "http://192.168.1.5:8765/enter/secret" and link.qr == code_of(link.url)
