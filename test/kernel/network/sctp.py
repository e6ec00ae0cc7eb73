"""SCTP without the kernel's: `send HOST PORT` sends an INIT (RFC 9260 §3.3.2); `listen` prints the source and the port of the first that comes."""
import socket, struct, sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
if sys.argv[1] == "send":
    host, port = sys.argv[2], int(sys.argv[3])
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 0x6D6F6F72, 65536, 1, 1, 1)
    header = struct.pack("!HHI", 40000, port, 0)
    whole = header + struct.pack("<I", crc32c(header + b"\0\0\0\0" + chunk)) + chunk
    raw.sendto(whole, (host, 0))
else:
    print("ready", flush=True)
    raw.settimeout(20)
    packet, (source, _) = raw.recvfrom(4096)
    print(source, struct.unpack("!H", packet[22:24])[0], flush=True)
