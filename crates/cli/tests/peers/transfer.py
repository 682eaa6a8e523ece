"""Moves much text through the system's TCP and says the hashes of it.

    transfer.py listen HOST OCTETS first|last     waits for a client; says its port first
    transfer.py connect HOST:PORT OCTETS first|last

Sends OCTETS octets while it reads. `first` closes its direction as soon as they are sent, `last`
only after the other side has closed. The last line is JSON: what was sent and read, and how long
that took.
"""

import hashlib
import json
import random
import socket
import sys
import threading
import time

PIECE = 1 << 16


def text(octets):
    """Octets that do not repeat, in pieces."""
    chance = random.Random(octets)
    while octets > 0:
        piece = chance.randbytes(min(PIECE, octets))
        octets -= len(piece)
        yield piece


def send(peer, octets, closes, digest):
    for piece in text(octets):
        digest.update(piece)
        peer.sendall(piece)
    if closes == "first":
        peer.shutdown(socket.SHUT_WR)


def open_connection(how, where):
    if how == "connect":
        host, port = where.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=10)
    with socket.create_server((where, 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        listener.settimeout(30)
        return listener.accept()[0]


def main():
    how, where, octets, closes = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    with open_connection(how, where) as peer:
        peer.settimeout(60)
        began = time.monotonic()
        sent, read, count = hashlib.sha256(), hashlib.sha256(), 0
        sender = threading.Thread(target=send, args=(peer, octets, closes, sent))
        sender.start()
        while piece := peer.recv(PIECE):
            read.update(piece)
            count += len(piece)
        sender.join()
        seconds = time.monotonic() - began
        if closes == "last":
            peer.shutdown(socket.SHUT_WR)
        said = {"sent": octets, "sent_sha256": sent.hexdigest(), "read": count}
        print(json.dumps(said | {"read_sha256": read.hexdigest(), "seconds": round(seconds, 3)}), flush=True)


main()
