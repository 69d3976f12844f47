"""A client of an endpoint that says exactly what a test wants."""

import socket

from bus.attach.frames import from_endpoint, pack
from bus.attach.protocol import Batch


class Peer:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))  # waits where many are waiting
        self.socket.settimeout(10)
        self.splitter = from_endpoint()
        self.messages: list[object] = []

    def say(self, message):
        self.socket.sendall(message if isinstance(message, bytes) else pack(message))
        return self

    def hear(self, kind, found=lambda _: True):
        """The next message of this kind that FOUND accepts; the others stay: a reply may come after its batch."""
        while True:
            for index, message in enumerate(self.messages):
                if isinstance(message, kind) and found(message):
                    return self.messages.pop(index)
            data = self.socket.recv(1 << 16)
            assert data, f"hung up before {kind.__name__}"
            self.messages += self.splitter.feed(data)

    def hear_records(self, kind):
        return [
            record
            for record in self.hear(Batch, lambda batch: any(isinstance(one, kind) for one in batch.records)).records
            if isinstance(record, kind)
        ]

    def is_hung_up(self):
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionError:
            return True
        return True
