"""A handshake and a four-step close told in text over a TCP connection, as a student would write it.

    text_handshake.py server [CLIENTS] [TIMEOUT]    prints its port, serves so many clients, each in a thread
    text_handshake.py client [HOST:]PORT [TIMEOUT] [HOW]   HOW: right, number, word, silent

One message for each recv, nothing at its end; every number is checked, five seconds for each message
unless TIMEOUT says otherwise. Ends with 0 if every conversation was right, else with 1 and a reason.
"""

import socket
import sys
import threading

CLIENT_ISN, SERVER_ISN = 2389, 4404


class Unexpected(Exception):
    pass


def receive(connection, expected):
    try:
        text = connection.recv(1024).decode()
    except socket.timeout:
        raise Unexpected(f"timeout: {expected} did not come")
    if text != expected:
        raise Unexpected(f"expected {expected!r}, got {text!r}")
    print(f"received {text}", flush=True)


def send(connection, text):
    connection.sendall(text.encode())
    print(f"sent {text}", flush=True)


def number(text, word):
    parts = text.split(":")
    if parts[0] != word or len(parts) < 2 or not parts[1].isdigit():
        raise Unexpected(f"expected {word}, got {text!r}")
    return int(parts[1])


def serve(connection, faults):
    try:
        with connection:
            try:
                text = connection.recv(1024).decode()
            except socket.timeout:
                raise Unexpected("timeout: SYN did not come")
            client = number(text, "SYN")
            if text != f"SYN:{client}":
                raise Unexpected(f"expected a SYN alone, got {text!r}")
            send(connection, f"SYN-ACK:{SERVER_ISN}:ACK:{client + 1}")
            receive(connection, f"ACK:{SERVER_ISN + 1}")
            print("handshake complete", flush=True)
            send(connection, f"FIN:{SERVER_ISN + 1}")
            receive(connection, f"ACK:{SERVER_ISN + 2}")
            receive(connection, f"FIN:{client + 1}")
            send(connection, f"ACK:{client + 2}")
            print("closed", flush=True)
    except (Unexpected, OSError, UnicodeDecodeError) as fault:
        faults.append(fault)


def server(clients, timeout):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(clients)
    print(listener.getsockname()[1], flush=True)
    faults, threads = [], []
    for _ in range(clients):
        connection, _ = listener.accept()
        connection.settimeout(timeout)
        thread = threading.Thread(target=serve, args=(connection, faults))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return faults


def client(at, timeout, how):
    host, _, port = at.rpartition(":")
    connection = socket.create_connection((host or "127.0.0.1", int(port)))
    connection.settimeout(timeout)
    with connection:
        if how == "silent":
            text = connection.recv(1024).decode()
            raise Unexpected(f"got {text!r}")
        send(connection, f"{'HELLO' if how == 'word' else 'SYN'}:{CLIENT_ISN}")
        text = connection.recv(1024).decode()
        isn = number(text, "SYN-ACK")
        if text != f"SYN-ACK:{isn}:ACK:{CLIENT_ISN + 1}":
            raise Unexpected(f"wrong numbers in {text!r}")
        print(f"received {text}", flush=True)
        if how == "number":
            send(connection, f"ACK:{isn}")
            raise Unexpected(f"got {connection.recv(1024).decode()!r}")
        send(connection, f"ACK:{isn + 1}")
        print("handshake complete", flush=True)
        receive(connection, f"FIN:{isn + 1}")
        send(connection, f"ACK:{isn + 2}")
        send(connection, f"FIN:{CLIENT_ISN + 1}")
        receive(connection, f"ACK:{CLIENT_ISN + 2}")
        print("closed", flush=True)


def main(role, *rest):
    if role == "server":
        clients = int(rest[0]) if rest else 1
        faults = server(clients, float(rest[1]) if len(rest) > 1 else 5)
    else:
        faults = []
        try:
            how = rest[2] if len(rest) > 2 else "right"
            client(rest[0], float(rest[1]) if len(rest) > 1 else 5, how)
        except (Unexpected, OSError) as fault:
            faults.append(fault)
    for fault in faults:
        print(f"fault: {fault}", flush=True)
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
