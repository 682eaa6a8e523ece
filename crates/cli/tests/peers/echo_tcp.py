"""A plain echo server over TCP: `echo_tcp.py HOST [CONNECTIONS]`.

Says its port on the first line, sends back what it gets, and closes when the client has closed.
"""

import socket
import sys


def main():
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with socket.create_server((sys.argv[1], 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        for _ in range(connections):
            peer, _ = listener.accept()
            with peer:
                while piece := peer.recv(1 << 16):
                    peer.sendall(piece)


main()
