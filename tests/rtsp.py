"""A little RTSP server on loopback: what one client sends, the others see (RFC 2326, interleaved)."""

import socket
import socketserver
import threading
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Self


class RtspServer:
    """Passes on one stream from a client that records to those that play, between entering and leaving."""

    def __init__(self) -> None:
        self.description = b""
        self.announced = threading.Event()
        self._players: list[socket.socket] = []
        relay = self

        class Handler(socketserver.StreamRequestHandler):
            rfile: BinaryIO

            def handle(self) -> None:
                with suppress(OSError):
                    while relay._serve(self.rfile, self.connection):
                        pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"rtsp://127.0.0.1:{self._server.server_address[1]}/live"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, client: BinaryIO, connection: socket.socket) -> bool:
        """Take one packet, or answer one request; say whether there was one."""
        first = client.read(1)
        if first == b"$":
            header = client.read(3)
            self._pass_on(first + header + client.read(int.from_bytes(header[1:])))
        elif first:
            self._answer((first + client.readline()).decode(), client, connection)
        return bool(first)

    def _pass_on(self, packet: bytes) -> None:
        for player in list(self._players):
            try:
                player.sendall(packet)
            except OSError:
                self._players.remove(player)

    def _answer(self, request: str, client: BinaryIO, connection: socket.socket) -> None:
        lines = iter(lambda: client.readline().decode().strip(), "")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = client.read(int(headers.get("content-length", 0)))
        method = request.split()[0]
        answer = [f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\nSession: 1\r\n"]
        content = b""
        if method == "OPTIONS":
            answer.append("Public: DESCRIBE, ANNOUNCE, SETUP, PLAY, RECORD, TEARDOWN\r\n")
        elif method == "ANNOUNCE":
            self.description = body
        elif method == "SETUP":
            answer.append(f"Transport: {headers['transport'].split(',')[0]}\r\n")
        elif method == "DESCRIBE":
            content = self.description
            answer.append(f"Content-Base: {self.url}/\r\nContent-Type: application/sdp\r\n")
        answer.append(f"Content-Length: {len(content)}\r\n\r\n")
        connection.sendall("".join(answer).encode() + content)
        if method == "PLAY":
            self._players.append(connection)
        elif method == "RECORD":
            self.announced.set()
