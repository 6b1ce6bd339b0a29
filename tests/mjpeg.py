"""A network camera: MJPEG over HTTP on loopback, which can be killed, restarted and made to stall."""

import http.server
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import cv2

from livestyle.frame import Image
from tests.media import grey


class MjpegServer:
    """Serves frames of rising brightness at `rate`, between entering and leaving."""

    def __init__(self, size: tuple[int, int] = (64, 48), rate: float = 30) -> None:
        self.size, self.rate = size, rate
        self.port = _free_port()
        self.stalls = False
        self.damaged: Callable[[int], bool] = lambda _: False
        """Whether the frame of that number is damaged on its way."""
        self._connections: list[socket.socket] = []
        self._server: http.server.ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    def start(self) -> None:
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._connections.append(self.connection)
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                with suppress(OSError):  # the client has gone, or the server is being killed
                    camera._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def kill(self) -> None:
        """Vanish as a process does that is killed: every socket closes at once."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()
        server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _serve(self, client: http.server.BaseHTTPRequestHandler) -> None:
        index = 0
        while self._server is not None:
            if not self.stalls:
                body = _jpeg(grey(20 + index % 50, *self.size))
                body = bytes(len(body)) if self.damaged(index) else body
                header = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
                client.wfile.write(header.encode() + body + b"\r\n")
                index += 1
            time.sleep(1 / self.rate)


def _jpeg(image: Image) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
