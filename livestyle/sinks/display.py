"""Whether a window can be opened here; without loading what opens it."""

import os
import socket
import sys
from collections.abc import Mapping

from livestyle.errors import SinkError


def require_display(
    instead: str = "use --no-window with --output or --virtual-camera",
) -> None:
    """Raises SinkError where no window can be opened, which says what to do `instead`."""
    problem = display_problem(os.environ)
    if problem is not None:
        raise SinkError(f"cannot open a window: {problem}; {instead}")


def display_problem(environment: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """Why no window can be opened, in words; None where one can. Qt itself would end the program."""
    if platform in ("win32", "darwin"):
        return None
    display = environment.get("DISPLAY", "")
    if not display:
        wayland = environment.get("WAYLAND_DISPLAY")
        return (
            "DISPLAY is not set (on Wayland, install Xwayland)"
            if wayland
            else "there is no display (DISPLAY is not set)"
        )
    return None if _answers(display) else f"the display {display} does not answer"


def _answers(display: str) -> bool:
    """Whether an X server listens where DISPLAY says: `:0`, `host:0`, `/path/to/socket:0`."""
    host, _, number = display.rpartition(":")
    server = number.partition(".")[0]
    if not server.isdigit():
        return False
    if host not in ("", "unix") and not host.startswith("/"):
        return _accepts(socket.AF_INET, (host, 6000 + int(server)))
    if sys.platform == "win32":  # which Python gives no such sockets
        return False
    path = f"/tmp/.X11-unix/X{server}" if not host.startswith("/") else display
    return any(_accepts(socket.AF_UNIX, address) for address in (path, f"\0{path}", host) if address)


def _accepts(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        try:
            connection.connect(address)
        except OSError:
            return False
    return True
