"""python -m livestyle."""

from livestyle.cli import main

main()
