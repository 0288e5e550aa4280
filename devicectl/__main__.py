"""`python -m devicectl`."""

from devicectl.cli import main

main()
