"""``python -m emlab``: the command line."""

from emlab.cli import main

main()
