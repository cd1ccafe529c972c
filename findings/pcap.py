"""Writes small captures for the scripts in this folder: whole conversations from documentation addresses, with right checksums."""
import socket
import struct

CLIENT, SERVER = "192.0.2.10", "198.51.100.20"


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Capture:
    def __init__(self, path):
        self.out = open(path, "wb")
        self.out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        self.now = 1767225600.0

    def packet(self, src, dst, proto, payload):
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, proto, 0, socket.inet_aton(src), socket.inet_aton(dst))
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        frame = bytes.fromhex("00005e00530100005e0053020800") + head + payload
        self.now += 0.01
        self.out.write(struct.pack("<IIII", int(self.now), int(self.now % 1 * 1e6), len(frame), len(frame)) + frame)
        return head + payload

    def pseudo(self, src, dst, proto, segment):
        return socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!BBH", 0, proto, len(segment)) + segment

    def udp(self, src, sport, dst, dport, data):
        head = struct.pack("!HHHH", sport, dport, 8 + len(data), 0)
        head = head[:6] + struct.pack("!H", checksum(self.pseudo(src, dst, 17, head + data)))
        return self.packet(src, dst, 17, head + data)

    def port_unreachable(self, src, dst, about):
        body = struct.pack("!BBHI", 3, 3, 0, 0) + about[:28]
        self.packet(src, dst, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:])

    def segment(self, src, sport, dst, dport, seq, ack, flags, data=b""):
        head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65535, 0, 0)
        head = head[:16] + struct.pack("!H", checksum(self.pseudo(src, dst, 6, head + data))) + head[18:]
        self.packet(src, dst, 6, head + data)

    def tcp(self, port, *turns, client=CLIENT, server=SERVER, sport=40000):
        """One connection: handshake, the turns (client's first, then alternating), an orderly end."""
        at = {True: 1000, False: 9000}

        def send(from_client, flags, data=b""):
            a, b = (client, server) if from_client else (server, client)
            p, q = (sport, port) if from_client else (port, sport)
            self.segment(a, p, b, q, at[from_client], at[not from_client] if flags != 2 else 0, flags, data)
            at[from_client] += len(data) + (flags & 3 != 0)

        send(True, 0x02)
        send(False, 0x12)
        send(True, 0x10)
        for i, data in enumerate(turns):
            send(i % 2 == 0, 0x18, data)
            send(i % 2 == 1, 0x10)
        send(True, 0x11)
        send(False, 0x11)
        send(True, 0x10)

    def close(self):
        self.out.close()
