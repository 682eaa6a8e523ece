"""A plain echo server over UDP: `echo_udp.py HOST DATAGRAMS`. Says its port on the first line."""

import socket
import sys


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind((sys.argv[1], 0))
        print(ours.getsockname()[1], flush=True)
        for _ in range(int(sys.argv[2])):
            text, peer = ours.recvfrom(65536)
            ours.sendto(text, peer)


main()
