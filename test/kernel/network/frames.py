"""Sends Ethernet frames, or listens for them. Arguments: `send LINK HEX…`, or `listen LINK LAST HEX…`: prints which of the byte strings came in, when LAST has."""
import socket, sys

mode, link, *words = sys.argv[1:]
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
frames.bind((link, 0))
if mode == "send":
    for word in words:
        frames.send(bytes.fromhex(word))
else:
    marks = [bytes.fromhex(word) for word in words]
    seen = set()
    frames.settimeout(20)
    print("ready", flush=True)
    while marks[0] not in seen:
        frame = frames.recv(4096)
        seen.update(mark for mark in marks if mark in frame)
    print(" ".join(mark.hex() for mark in marks if mark in seen), flush=True)
