"""Measures a network by hand-shakes and questions; prints microseconds each. `serve PORT`, `latency|connect HOST PORT COUNT`, `names SERVER NAME COUNT`."""
import socket, struct, sys, threading, time


def answer(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := connection.recv(64):
            connection.sendall(data)
    except ConnectionResetError:
        pass  # as `connect` ends them
    connection.close()


def serve(port):
    server = socket.create_server(("", port), backlog=1024)
    print("ready", flush=True)
    while True:
        threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()


def latency(host, port, count):
    with socket.create_connection((host, port), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            connection.sendall(b"?")
            connection.recv(64)


def connect(host, port, count):
    for _ in range(count):
        connection = socket.create_connection((host, port), 10)
        # Closed at once, so that no port waits to be used again.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"?")
        connection.recv(64)
        connection.close()


def names(server, name, count):
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" + struct.pack("!HH", 1, 1)
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.settimeout(10)
    asker.connect((server, 53))
    for n in range(count):
        asker.send(struct.pack("!HHHHHH", n & 0xFFFF, 0x0100, 1, 0, 0, 0) + question)
        reply = asker.recv(512)
        if reply[3] & 0xF or reply[7] == 0:
            sys.exit(f"no address of {name}")


what, *words = sys.argv[1:]
if what == "serve":
    serve(int(words[0]))
else:
    count = int(words[2])
    run = {"latency": latency, "connect": connect, "names": names}[what]
    target = int(words[1]) if what != "names" else words[1]
    run(words[0], target, max(1, count // 10))
    start = time.perf_counter()
    run(words[0], target, count)
    print((time.perf_counter() - start) / count * 1e6)
