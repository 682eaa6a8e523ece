"""The three-way handshake as three messages in text over a TCP connection, as a student would write it.

    three_way.py server [ISN]             prints its port, serves one client
    three_way.py client PORT [ISN] [ACK]  acknowledges ACK more than the server's number (1)

One message for each recv, nothing at its end. Prints what it receives, and a banner.
"""

import socket
import sys


def established():
    print("=" * 40)
    print("CONNECTION ESTABLISHED!")
    print("=" * 40, flush=True)


def server(isn="1567"):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    connection.settimeout(20)
    syn = connection.recv(1024).decode()
    print(syn, flush=True)
    client = int(syn.split("seq=")[1])
    connection.sendall(f"[2] SYN/seq={isn} ACK/seq={client + 1}".encode())
    ack = connection.recv(1024).decode()
    print(ack, flush=True)
    assert ack == f"[3] ACK/seq={int(isn) + 1}", ack
    established()


def client(port, isn="1234", more="1"):
    connection = socket.create_connection(("127.0.0.1", int(port)))
    connection.settimeout(20)
    connection.sendall(f"[1] SYN/seq={isn}".encode())
    answer = connection.recv(1024).decode()
    print(answer, flush=True)
    syn, ack = answer.split("seq=")[1:]
    assert int(ack) == int(isn) + 1, answer
    connection.sendall(f"[3] ACK/seq={int(syn.split(' ')[0]) + int(more)}".encode())
    if more == "1":
        established()
    else:
        print(connection.recv(1024).decode(), flush=True)


{"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
