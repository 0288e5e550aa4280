"""The pages of the station: files of the package, read once, so that no request names a file.

Law: a page is shown to those who may see its view; its scripts, styles and sounds hold nothing of a lesson.
"""

import importlib.resources
from typing import Final, NamedTuple

from starlette.responses import HTMLResponse, Response

FOLDER: Final = "pages"
KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "wav": "audio/wav",
}
NO_ENTRY: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>No entry - trainers' station</title>
<link rel="icon" href="/pages/icon.svg">
<link rel="stylesheet" href="/pages/common.css">
<aside class="notice" aria-label="Notice">TRAINING SIMULATOR - NOT A MEDICAL DEVICE</aside>
<main class="panel stack">
<h1>This page opens by its link</h1>
<p>Use the link or the QR code that the instructor has. If you have just used it, <a href="">continue</a>.</p>
</main>
</html>
"""
"""For a browser without the cookie; also for one that followed a link on another site, which sends no strict cookie
until somebody clicks on this page."""


class Asset(NamedTuple):
    """A file of a page."""

    content: bytes
    kind: str


def read_assets() -> dict[str, Asset]:
    """Return the files of the pages by name."""
    folder = importlib.resources.files("devicectl.station.server") / FOLDER
    names = [(file.name, KINDS.get(file.name.rpartition(".")[2])) for file in folder.iterdir()]
    return {name: Asset((folder / name).read_bytes(), kind) for name, kind in names if kind is not None}


def shown(asset: Asset | None) -> Response:
    """Return the answer that shows a file."""
    if asset is None:
        return Response("there is no such file\n", 404, media_type="text/plain")
    return Response(asset.content, headers={"Content-Type": asset.kind})


def no_entry() -> Response:
    """Return the page for a browser that was not let in."""
    return HTMLResponse(NO_ENTRY, 401)
