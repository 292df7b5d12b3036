"""The socket that the host connects to, in front of gRPC's own.

gRPC for Python tells neither who connects nor that a connection ended, and a
plugin has to know both.
"""

import os
import socket
import struct
import threading

WITHIN = 10  # seconds for the host to connect
CHUNK = 1 << 18


class Gate:
    def __init__(self, path, inner, ended):
        self.inner, self.ended = inner, ended
        self.host = os.getppid()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen()
        self.listener.settimeout(WITHIN)
        threading.Thread(target=self.admit, daemon=True).start()

    def admit(self):
        """The host makes one connection. Its end is the plugin's."""
        try:
            while True:
                client, _ = self.listener.accept()
                if self.is_host(client):
                    break
                client.close()
            self.listener.close()
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(self.inner)
            client.settimeout(None)
            threading.Thread(target=pump, args=(server, client), daemon=True).start()
            pump(client, server)
        except OSError:
            pass
        self.ended()

    def is_host(self, client):
        """Linux says which process it is; elsewhere the directory's mode has to do."""
        if not hasattr(socket, "SO_PEERCRED"):
            return True
        raw = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _ = struct.unpack("3i", raw)
        return uid == os.geteuid() and pid == self.host


def pump(source, sink):
    buffer = bytearray(CHUNK)
    try:
        while n := source.recv_into(buffer):
            sink.sendall(memoryview(buffer)[:n])
    except OSError:
        pass  # the other direction, or the process, has ended
    finally:
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
