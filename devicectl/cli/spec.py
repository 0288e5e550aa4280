"""`devicectl spec`: the files that a host or a device in another language is made from."""

from pathlib import Path
from typing import Annotated, Final

import typer

from handpiece_shell.streams import say

_OUT: Final = "A folder; it is made, and no file in it is overwritten by another one."


def spec(out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=_OUT)] = None) -> None:
    """Write C header, dissector, message tables, golden frames and schemas to a folder; without one, list them."""
    from devicectl.simulation.spec import FILES

    width = max(map(len, FILES))
    if out is not None:
        _write(out, {name: text_of() for name, (_, text_of) in FILES.items()})
    for name, (about, _) in FILES.items():
        print(f"{name:{width}}  {about}")
    if out is None:
        say("devicectl spec --out DIR writes them")


def _write(folder: Path, texts: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        raw = {folder / name: text.encode() for name, text in texts.items()}
        for path, data in raw.items():
            if path.is_symlink() or (path.exists() and path.read_bytes() != data):
                raise typer.BadParameter(f"{path} is there and is another; name a new folder", param_hint="--out")
        for path, data in raw.items():
            path.write_bytes(data)
    except OSError as error:
        raise typer.BadParameter(f"{folder}: cannot be written: {error.strerror}", param_hint="--out") from error
