"""The command `livestyle`, and `python -m livestyle`."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C before that is loaded ends it too without a traceback."""
    try:
        from livestyle.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
