#!/usr/bin/python3
"""WebSocket over the wire: the handshake, every rule of framing and closing, pushes, limits, clients that vanish.

The client is a few lines of its own here, so that it can say what no library would.
"""
import base64
import hashlib
import json
import os
import random
import re
import socket
import struct
import time
import unittest

import clients
import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
SEED = int(os.environ.get("SEED", "1"))
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
HOST = (b"Host", b"localhost")
FIELDS = (HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", b"13"),
          (b"Sec-WebSocket-Key", KEY))
CONT, TEXT, BIN, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80
MESSAGE_MAX = 4096


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=560)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def setting(name):
    """CONFIG_... of the image."""
    with open(f"{os.path.dirname(ELF)}/generated/auto.conf", encoding="ascii") as f:
        return int(re.search(rf"^CONFIG_{name} := (\d+)$", f.read(), re.M)[1])


def head(first, length, masked=True):
    bit = 0x80 if masked else 0
    if length < 126:
        return bytes([first, bit | length])
    if length < 65536:
        return bytes([first, bit | 126]) + struct.pack(">H", length)
    return bytes([first, bit | 127]) + struct.pack(">Q", length)


def mask(data, key):
    return bytes(c ^ key[i & 3] for i, c in enumerate(data))


def frame(first, data=b"", key=b"\x37\xfa\x21\x3d"):
    return head(first, len(data)) + key + mask(data, key)


def close_frame(code=1000, reason=b""):
    return frame(FIN | CLOSE, struct.pack(">H", code) + reason)


def request(fields=FIELDS, line=b"GET /api/ws HTTP/1.1"):
    return b"\r\n".join([line, *(name + b": " + value for name, value in fields)]) + b"\r\n\r\n"


def but(name, *values):
    """FIELDS with other values of one of them."""
    return tuple(f for f in FIELDS if f[0] != name) + tuple((name, value) for value in values)


class Ended(Exception):
    """The server closed in order."""


class Client:
    def __init__(self, fields=FIELDS, more=b"", rcvbuf=None, line=b"GET /api/ws HTTP/1.1"):
        self.s = socket.socket()
        if rcvbuf:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.s.settimeout(60)
        self.s.connect((guest.host, guest.port))
        self.data, self.pushes = b"", 0
        self.s.sendall(request(fields, line) + more)
        while b"\r\n\r\n" not in self.data:
            self.more()
        self.head, _, self.data = self.data.partition(b"\r\n\r\n")
        self.status = int(self.head.split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def field(self, name):
        match = re.search(rb"(?im)^%s: (.*?)\r?$" % name, self.head)
        return match and match[1]

    def more(self):
        part = self.s.recv(65536)
        if not part:
            raise Ended
        self.data += part

    def need(self, n):
        while len(self.data) < n:
            self.more()

    def frame(self):
        """The next frame: (opcode, content). It must be whole, unmasked, its length in as few bytes as will do."""
        self.need(2)
        first, length, at = self.data[0], self.data[1], 2
        assert first & 0xf0 == FIN and length < 128, self.data[:2]
        if length >= 126:
            size = 2 if length == 126 else 8
            self.need(2 + size)
            length, at = int.from_bytes(self.data[2:2 + size], "big"), 2 + size
            assert length >= (126 if size == 2 else 65536)
        self.need(at + length)
        content, self.data = self.data[at:at + length], self.data[at + length:]
        return first & 15, content

    def control(self):
        """The next frame that is no push."""
        while True:
            op, content = self.frame()
            if op != TEXT:
                return op, content
            json.loads(content)
            self.pushes += 1

    def until_end(self):
        """All frames but pushes, until the server has closed in order; in the middle of a frame is an error."""
        got = []
        try:
            while True:
                got.append(self.control())
        except Ended:
            assert not self.data, self.data[:20]
        return got


def closed(code=None):
    return (CLOSE, b"" if code is None else struct.pack(">H", code))


EURO = "€".encode()
ALL = bytes(range(125))
# name, what is said behind the handshake, what the server answers before it closes (pushes aside)
CASES = (
    # messages that are right, and show it by the pong behind them
    *((f"text of {n} bytes", frame(FIN | TEXT, b"a" * n) + frame(FIN | PING, b"p") + close_frame(),
       [(PONG, b"p"), closed(1000)]) for n in (0, 1, 125, 126, 127, 128, MESSAGE_MAX)),
    *((f"binary of {n} bytes", frame(FIN | BIN, b"\xff" * n) + frame(FIN | PING, b"p") + close_frame(),
       [(PONG, b"p"), closed(1000)]) for n in (0, 126, MESSAGE_MAX)),
    ("two fragments", frame(TEXT, b"a") + frame(FIN | CONT, b"b") + close_frame(), [closed(1000)]),
    ("empty fragments", frame(TEXT) + frame(CONT) * 9 + frame(FIN | CONT) + close_frame(), [closed(1000)]),
    ("a fragment a byte", frame(BIN, b"a") + frame(CONT, b"b") * 1000 + frame(FIN | CONT) + close_frame(),
     [closed(1000)]),
    ("a ping between fragments", frame(TEXT, b"a") + frame(FIN | PING, b"x") + frame(FIN | CONT) + close_frame(),
     [(PONG, b"x"), closed(1000)]),
    ("a close between fragments", frame(TEXT, b"a") + close_frame(1001), [closed(1001)]),
    ("a character cut by a fragment", frame(TEXT, EURO[:1]) + frame(CONT, EURO[1:2]) + frame(FIN | CONT, EURO[2:]) +
     close_frame(), [closed(1000)]),
    ("a mask of zero", frame(FIN | TEXT, b"abc", bytes(4)) + close_frame(), [closed(1000)]),
    # ping and pong
    ("an empty ping", frame(FIN | PING) + close_frame(), [(PONG, b""), closed(1000)]),
    ("a ping of 125 bytes", frame(FIN | PING, ALL) + close_frame(), [(PONG, ALL), closed(1000)]),
    ("an unasked pong", frame(FIN | PONG, b"x") + close_frame(), [closed(1000)]),
    ("a ping of 126 bytes", frame(FIN | PING, b"a" * 126), [closed(1002)]),
    ("a pong of 126 bytes", frame(FIN | PONG, b"a" * 126), [closed(1002)]),
    ("a ping in fragments", frame(PING, b"a") + frame(FIN | CONT, b"b"), [closed(1002)]),
    ("a pong in fragments", frame(PONG, b"a"), [closed(1002)]),
    # reserved bits and opcodes
    *((f"reserved bit {bit:#x} of {op}", frame(FIN | bit | op, b""), [closed(1002)]) for bit in (0x40, 0x20, 0x10)
      for op in (TEXT, PING)),
    *((f"opcode {op}", frame(FIN | op, b"x"), [closed(1002)]) for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    # fragmentation
    ("a continuation of nothing", frame(FIN | CONT, b"a"), [closed(1002)]),
    ("an open continuation of nothing", frame(CONT, b"a"), [closed(1002)]),
    ("a continuation behind the end", frame(TEXT) + frame(FIN | CONT) + frame(FIN | CONT), [closed(1002)]),
    ("a text in a text", frame(TEXT, b"a") + frame(FIN | TEXT, b"b"), [closed(1002)]),
    ("a binary in a text", frame(TEXT, b"a") + frame(BIN, b"b"), [closed(1002)]),
    # masks and lengths
    ("no mask", head(FIN | TEXT, 1, masked=False) + b"a", [closed(1002)]),
    ("a ping without a mask", head(FIN | PING, 0, masked=False), [closed(1002)]),
    ("16 bits for 125", b"\x82\xfe\x00\x7d" + bytes(4), [closed(1002)]),
    ("64 bits for 65535", b"\x82\xff" + struct.pack(">Q", 65535) + bytes(4), [closed(1002)]),
    ("64 bits for nothing", b"\x82\xff" + bytes(8) + bytes(4), [closed(1002)]),
    ("the highest of 64 bits", b"\x82\xff\x80" + bytes(7) + bytes(4), [closed(1002)]),
    # too large
    ("one byte too many", head(FIN | BIN, MESSAGE_MAX + 1) + bytes(4), [closed(1009)]),
    ("one byte too many, and they come", frame(FIN | BIN, bytes(MESSAGE_MAX + 1)), [closed(1009)]),
    ("65536 bytes", head(FIN | TEXT, 65536), [closed(1009)]),
    ("as many as there can be", b"\x82\xff\x7f" + b"\xff" * 7, [closed(1009)]),
    ("too many in fragments", frame(BIN, bytes(MESSAGE_MAX)) + frame(FIN | CONT, b"a"), [closed(1009)]),
    # UTF-8
    *((f"text {data.hex()}", frame(FIN | TEXT, data), [closed(1007)]) for data in (
        b"\xff", b"\x80", b"ab\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf8\x88\x80\x80\x80")),
    ("a bad text, not yet at its end", head(FIN | TEXT, 100) + bytes(4) + b"a\xff", [closed(1007)]),
    ("a character broken off by the end", frame(TEXT, EURO[:2]) + frame(FIN | CONT), [closed(1007)]),
    ("a character broken by a fragment", frame(TEXT, EURO[:2]) + frame(FIN | CONT, b"x"), [closed(1007)]),
    ("bad UTF-8 in binary", frame(FIN | BIN, b"\xff\xc0") + close_frame(), [closed(1000)]),
    # closing
    ("a close without a code", frame(FIN | CLOSE), [closed()]),
    ("a close of one byte", frame(FIN | CLOSE, b"\x03"), [closed(1002)]),
    ("a close with a reason", close_frame(1000, "tschüß".encode()), [closed(1000)]),
    ("a close of 125 bytes", close_frame(1000, b"x" * 123), [closed(1000)]),
    ("a close of 126 bytes", close_frame(1000, b"x" * 124), [closed(1002)]),
    ("a close with a bad reason", close_frame(1000, b"\xff"), [closed(1007)]),
    ("a close in fragments", frame(CLOSE, b"\x03\xe8"), [closed(1002)]),
    *((f"close {code}", close_frame(code), [closed(code)])
      for code in (1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999)),
    *((f"close {code}", close_frame(code), [closed(1002)])
      for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)),
    ("a ping behind a close", close_frame() + frame(FIN | PING, b"x"), [closed(1000)]),
    ("a close behind a close", close_frame(1001) + close_frame(1003), [closed(1001)]),
    ("nonsense behind a close", close_frame() + b"\xff" * 5000, [closed(1000)]),
    ("a ping behind nonsense", b"\xff\xff" + frame(FIN | PING, b"x"), [closed(1002)]),
)


class Socket(unittest.TestCase):
    def setUp(self):
        self.before = clients.Levels(guest)

    def tearDown(self):
        self.before.wait()
        self.assertEqual(clients.json_of(guest, "/api/stats")["http"]["websockets"], 0)
        self.assertEqual(self.before.grown("pools", "failures"), 0)

    def no_time_out(self):
        for name in ("timeouts", "idle_closed", "websockets_silent"):
            self.assertEqual(self.before.grown("http", name), 0, name)

    def opened(self, **more):
        client = Client(**more)
        self.assertEqual(client.status, 101)
        return client

    def test_the_handshake(self):
        with self.opened() as c:
            self.assertEqual(c.field(b"sec-websocket-accept"), base64.b64encode(hashlib.sha1(KEY + GUID).digest()))
            self.assertEqual(c.field(b"upgrade").lower(), b"websocket")
            self.assertEqual(c.field(b"connection").lower(), b"upgrade")
            for name in (b"sec-websocket-extensions", b"sec-websocket-protocol", b"content-length"):
                self.assertIsNone(c.field(name))
        line = b"%s /api/ws HTTP/1.%d"
        get = {"line": line % (b"GET", 1)}
        for status, words in (
                (101, {"fields": but(b"Upgrade", b"h2c, WebSocket"), **get}),
                (101, {"fields": but(b"Connection", b"keep-alive", b"uPGRADE"), **get}),
                (101, {"fields": FIELDS + ((b"Origin", b"http://localhost"),), **get}),
                (101, {"fields": FIELDS + ((b"Sec-WebSocket-Extensions", b"permessage-deflate"),
                                           (b"Sec-WebSocket-Protocol", b"chat")), **get}),
                (426, {"fields": (HOST,), **get}),
                (426, {"fields": but(b"Upgrade"), **get}),
                (426, {"fields": but(b"Upgrade", b"h2c"), **get}),
                (426, {"fields": but(b"Connection"), **get}),
                (426, {"fields": but(b"Connection", b"close"), **get}),
                (426, {"fields": but(b"Sec-WebSocket-Version"), **get}),
                (426, {"fields": but(b"Sec-WebSocket-Version", b"8"), **get}),
                (426, {"line": line % (b"GET", 0)}),
                (400, {"fields": but(b"Sec-WebSocket-Key"), **get}),
                (400, {"fields": but(b"Sec-WebSocket-Key", KEY, KEY), **get}),
                (400, {"fields": but(b"Sec-WebSocket-Key", b""), **get}),
                (400, {"fields": but(b"Sec-WebSocket-Key", KEY[:-4]), **get}),
                (400, {"fields": but(b"Sec-WebSocket-Key", KEY[:-3] + b"R=="), **get}),
                (400, {"fields": FIELDS + ((b"Content-Length", b"1"),), "more": b"x", **get}),
                (400, {"line": line % (b"HEAD", 1)}),
                (426, {"fields": (HOST,), "line": line % (b"HEAD", 1)}),
                (204, {"fields": (HOST,), "line": line % (b"OPTIONS", 1)}),
                (405, {"line": line % (b"POST", 1)}),
                (403, {"fields": FIELDS + ((b"Origin", b"http://evil.example"),), **get}),
                (403, {"fields": FIELDS + ((b"Origin", b"https://localhost"),), **get}),
                (403, {"fields": FIELDS + ((b"Origin", b"null"),), **get}),
                (403, {"fields": but(b"Host", b"evil.example"), **get}),
                (101, {"line": b"GET /api/ws/test HTTP/1.1"}),
                (404, {"line": b"GET /api/ws/ HTTP/1.1"})):
            with self.subTest(**words), Client(**words) as c:
                self.assertEqual(c.status, status)
                if status == 426:
                    self.assertEqual(c.field(b"upgrade"), b"websocket")
                    self.assertEqual(c.field(b"sec-websocket-version"), b"13")
        self.no_time_out()

    def test_the_connection_goes_on_behind_a_refusal(self):
        refused = request((HOST,))
        with guest.connect() as s:
            s.sendall(refused + request(but(b"Sec-WebSocket-Version", b"1")) +
                      request((HOST, (b"Connection", b"close")), b"GET /icon.svg HTTP/1.1"))
            got = b""
            while part := s.recv(65536):
                got += part
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+) ", got), [b"426", b"426", b"200"])

    def test_every_rule_of_framing(self):
        self.assertGreaterEqual(len(CASES), 60)
        self.assertEqual(len(CASES), len({name for name, *_ in CASES}))
        for name, said, expected in CASES:
            with self.subTest(name), self.opened() as c:
                c.s.sendall(said)
                self.assertEqual(c.until_end(), expected)
        self.no_time_out()

    def test_frames_in_pieces(self):
        """The same cases in one segment with the handshake; cut anywhere, short ones byte by byte."""
        rng = random.Random(SEED)
        for name, said, expected in CASES:
            with self.subTest(name, seed=SEED), self.opened(more=said) as c:
                self.assertEqual(c.until_end(), expected)
            if len(said) > 600:
                continue
            with self.subTest(name, seed=SEED), self.opened() as c:
                c.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    while said:
                        n = 1 if len(said) < 20 else rng.randrange(1, 60)
                        c.s.sendall(said[:n])
                        said = said[n:]
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it has heard enough
                self.assertEqual(c.until_end(), expected)

    def test_pushes(self):
        stats = clients.json_of(guest, "/api/stats")
        with self.opened() as a, self.opened() as b:
            uptime = []
            for _ in range(4):
                for c in (a, b):
                    op, content = c.frame()
                    self.assertEqual(op, TEXT)
                    pushed = json.loads(content)
                    self.assertEqual(pushed.keys(), stats.keys())
                    self.assertEqual(pushed["http"]["websockets"], 2)
                uptime.append(pushed["uptime_ns"])
            for earlier, later in zip(uptime, uptime[1:]):
                self.assertGreater(later - earlier, 5 * 10**8)
            self.assertEqual(self.before.grown("http", "websockets_opened"), 2)
            self.assertGreaterEqual(self.before.grown("http", "websocket_messages"), 8)
        self.before.wait()
        self.no_time_out()

    def test_many_pings(self):
        """Of those that come faster than they can be answered the latest is."""
        with self.opened() as c:
            for block in range(20):
                c.s.sendall(b"".join(frame(FIN | PING, b"%d" % i) for i in range(1000 * block, 1000 * block + 1000)))
                last = -1
                while last < 1000 * block + 999:
                    op, content = c.control()
                    self.assertEqual(op, PONG)
                    self.assertGreater(int(content), last)
                    last = int(content)
            c.s.sendall(close_frame())
            self.assertEqual(c.until_end(), [closed(1000)])

    def test_an_echo(self):
        """/api/ws/test: in order, whole, as it was; up to 64 KiB."""
        rng = random.Random(SEED)
        line = b"GET /api/ws/test HTTP/1.1"
        with self.opened(line=line) as c:
            for size in (0, 1, 125, 126, 127, 4096, 65535, 65536):
                for op, data in ((BIN, rng.randbytes(size)), (TEXT, (EURO * size)[:size - size % 3])):
                    c.s.sendall(frame(FIN | op, data))
                    self.assertEqual(c.frame(), (op, data))
            c.s.sendall(frame(TEXT, EURO[:1]) + frame(FIN | PING, b"x") + frame(FIN | CONT, EURO[1:]) +
                        frame(FIN | BIN, b"y") * 3 + close_frame())
            self.assertEqual([c.frame() for _ in range(5)], [(PONG, b"x"), (TEXT, EURO), *[(BIN, b"y")] * 3])
            self.assertEqual(c.until_end(), [closed(1000)])
        for said in (head(FIN | BIN, 65537), frame(TEXT, b"a" * 65536) + frame(FIN | CONT, b"b")):
            with self.opened(line=line) as c:
                c.s.sendall(said)
                self.assertEqual(c.until_end(), [closed(1009)])
        with self.opened(line=line) as c:  # vanishes with half a message said
            c.s.sendall(frame(BIN, bytes(5000)) + head(FIN | CONT, 100))
        self.no_time_out()

    def test_no_more_than_there_may_be(self):
        most = setting("WEB_SOCKETS")
        crowd = [self.opened() for _ in range(most)]
        for _ in range(3):
            with Client() as c:
                self.assertEqual(c.status, 503)
                self.assertIsNotNone(c.field(b"retry-after"))
        self.assertEqual(self.before.grown("http", "refused_websockets_full"), 3)
        self.assertEqual(guest.http("/icon.svg")[0], 200)
        for c in crowd:
            self.assertEqual(c.frame()[0], TEXT)
        crowd[0].s.sendall(close_frame())
        self.assertEqual(crowd[0].until_end(), [closed(1000)])
        crowd[0].s.close()
        crowd[0] = self.opened()
        for c in crowd:
            c.s.close()
        self.before.wait()
        self.no_time_out()

    def test_clients_that_vanish(self):
        """In the middle of a frame, of a message, of a push; by FIN and by RST; half closed."""
        parts = (b"", b"\x81", b"\x81\xfe\x00", frame(FIN | TEXT, b"a" * 100)[:50], frame(TEXT, b"a"),
                 frame(FIN | PING)[:5], frame(FIN | PING, b"x") * 50, b"\x88\x82\0\0")
        ended = 0
        for by_reset in (False, True):
            for part in parts:
                c = self.opened(rcvbuf=2048)
                c.s.sendall(part)
                if by_reset:
                    c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                c.s.close()
                ended += 1
        with self.opened() as c:
            c.s.shutdown(socket.SHUT_WR)
            self.assertEqual(c.until_end(), [])
            ended += 1
        crowd = [self.opened(rcvbuf=2048) for _ in range(setting("WEB_SOCKETS"))]
        for c in crowd:
            c.frame()
        time.sleep(2)  # pushes are on their way
        for c in crowd:
            c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.s.close()
        self.before.wait()
        self.no_time_out()
        self.assertEqual(self.before.grown("http", "ended_by_peer"), ended + len(crowd))

    def test_who_does_not_answer_is_left(self):
        with self.opened() as silent, self.opened() as alive, self.opened(rcvbuf=2048) as deaf:
            self.assertEqual(alive.control(), (PING, b""))
            alive.s.sendall(frame(FIN | PONG))
            self.assertEqual(silent.control(), (PING, b""))
            self.assertEqual(silent.until_end(), [closed(1001)])
            self.assertEqual(alive.control(), (PING, b""))  # twenty seconds behind the first: it is there still
            alive.s.sendall(frame(FIN | PONG) + close_frame())
            self.assertEqual(alive.until_end(), [closed(1000)])
            self.assertEqual(self.before.grown("http", "websockets_silent"), 1)
            self.assertEqual(self.before.grown("http", "timeouts"), 1)
            self.assertGreater(self.before.grown("http", "websocket_messages_skipped"), 5)
            with self.assertRaises(ConnectionResetError):  # it read nothing: no pushes waited for it
                while True:
                    deaf.frame()


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
