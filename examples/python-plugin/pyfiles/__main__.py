"""The plugin's process: how it starts, and when it ends."""

import os
import shutil
import signal
import sys
import threading
from concurrent import futures

import grpc

from . import persistence_pb2_grpc
from .gate import Gate
from .service import Service

LARGEST = 64 << 20
GRACE = 1  # seconds for running calls: the host kills after 2


def main():
    if os.environ.pop("MSALEXT_PLUGIN_COOKIE", "") != "msalext.persistence":
        sys.exit("pyfiles is a plugin of msalext: install it as msalext-plugin-pyfiles; it isn't run by hand")
    if "1" not in os.environ.get("PLUGIN_PROTOCOL_VERSIONS", "1").split(","):
        sys.exit("pyfiles speaks version 1 of the plugin protocol, and the host doesn't")
    if os.environ.get("PLUGIN_CLIENT_CERT"):
        sys.exit("pyfiles has no TLS: leave pluginhost.Options.AutoMTLS off")
    serve(os.environ["PLUGIN_UNIX_SOCKET_DIR"], os.environ.get("MSALEXT_PLUGIN_BACKEND", "pyfiles"))


def serve(directory, name):
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=[
        ("grpc.max_receive_message_length", LARGEST), ("grpc.max_send_message_length", LARGEST)])
    persistence_pb2_grpc.add_PersistenceServicer_to_server(Service(name), server)
    server.add_generic_rpc_handlers([controller(over)])
    inner = os.path.join(directory, "inner")
    server.add_insecure_port("unix:" + inner)
    server.start()
    socket = os.path.join(directory, "plugin")
    Gate(socket, inner, over.set)
    announce(f"1|1|unix|{socket}|grpc|")
    threading.Thread(target=listen_to_input, args=(over, directory), daemon=True).start()
    while not over.wait(3600):
        pass
    server.stop(GRACE).wait()


def controller(over):
    """Shutdown, for other hosts of go-plugin. Both messages are empty."""

    def shutdown(request, context):
        over.set()
        return b""

    return grpc.method_handlers_generic_handler(
        "plugin.GRPCController", {"Shutdown": grpc.unary_unary_rpc_method_handler(shutdown)})


def announce(line):
    """Prints the handshake. What is printed later goes to the log."""
    os.write(1, line.encode() + b"\n")
    os.dup2(2, 1)


def listen_to_input(over, directory):
    """The host holds the input open. Where it ended first, the host is gone and
    doesn't clear up."""
    while os.read(0, 4096):
        pass
    if not over.is_set():
        over.set()
        shutil.rmtree(directory, ignore_errors=True)


main()
