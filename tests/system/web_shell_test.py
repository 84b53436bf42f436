#!/usr/bin/python3
"""The shell over the network: terminals over WebSocket and the polling API, 64 of them, and clients that vanish,
do not read, or say what they must not. Afterwards every pool is at its level.
"""
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
TEXT, BIN, CLOSE, PING, PONG, FIN = 1, 2, 8, 9, 10, 0x80
TERMINALS = 64
PROMPT = b"$ "


def setUpModule():
    global guest, token
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=1100)
    guest.wait_http("/")
    token = guest.token()


def tearDownModule():
    guest.kill()


def frame(op, data=b"", first=FIN):
    key = b"\x37\xfa\x21\x3d"
    n = len(data)
    head = bytes([first | op, 0x80 | n]) if n < 126 else bytes([first | op, 0xfe]) + struct.pack(">H", n) if n < 65536 else \
        bytes([first | op, 0xff]) + struct.pack(">Q", n)
    return head + key + bytes(c ^ key[i & 3] for i, c in enumerate(data))


class Ended(Exception):
    """The server closed in order."""


class Terminal:
    def __init__(self, rcvbuf=None, fields=None):
        self.s = socket.socket()
        if rcvbuf:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.s.settimeout(120)
        self.s.connect((guest.host, guest.port))
        fields = {"Authorization": f"Bearer {token}"} if fields is None else fields
        lines = ["GET /api/shell/ws HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                 *(f"{name}: {value}" for name, value in fields.items())]
        self.s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.data, self.out, self.code, self.exited = b"", b"", None, False
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def more(self):
        part = self.s.recv(65536)
        if not part:
            raise Ended
        self.data += part

    def step(self):
        """Takes one frame; the terminal's bytes are gathered, pings are answered."""
        while len(self.data) < 2:
            self.more()
        first, length, at = self.data[0], self.data[1], 2
        assert first & 0xf0 == FIN and length < 127, self.data[:4]
        if length == 126:
            while len(self.data) < 4:
                self.more()
            length, at = struct.unpack(">H", self.data[2:4])[0], 4
        while len(self.data) < at + length:
            self.more()
        content, self.data = self.data[at:at + length], self.data[at + length:]
        if first & 15 == BIN:
            self.out += content
        elif first & 15 == TEXT:
            assert json.loads(content) == {"exited": True}, content
            self.exited = True
        elif first & 15 == PING:
            self.s.sendall(frame(PONG, content))
        elif first & 15 == CLOSE:
            self.code = struct.unpack(">H", content[:2])[0]

    def until(self, what, of=None):
        """Until the terminal has shown that; what it showed until then, and forgets it."""
        while not (found := re.search(what, self.out)):
            self.step()
        shown, self.out = self.out[:found.end()], self.out[found.end():]
        return shown

    def type(self, data):
        self.s.sendall(frame(BIN, data))

    def run(self, line):
        """What a line prints; its own echo stands before."""
        self.type(line + b"\r")
        self.until(re.escape(line[-20:]) + rb"[^\n]*\n")
        return self.until(rb"[$] $|[$] (?=\x1b)")

    def until_end(self):
        try:
            while True:
                self.step()
        except Ended:
            return self.code


def stats():
    return clients.json_of(guest, "/api/stats")


def request(path, method="GET", body=None, **headers):
    return guest.http(path, method=method, body=body, headers={"Authorization": f"Bearer {token}", **headers})


def wait_until(what, seconds=120):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "that did not come about\n" + guest.serial()[-2000:]
        time.sleep(0.2)


class Shell(unittest.TestCase):
    def setUp(self):
        self.before = clients.Levels(guest)

    def tearDown(self):
        self.before.wait()
        self.assertEqual(stats()["http"]["websockets"], 0)
        self.assertEqual(self.before.grown("pools", "failures"), 0)

    def opened(self, **how):
        t = Terminal(**how)
        self.assertEqual(t.status, 101)
        return t


class OverWebSocket(Shell):
    def test_a_conversation(self):
        with self.opened() as t:
            t.until(rb"[$] ")
            t.type(b"echo one two\r")
            t.until(rb"\r\none two\r\n")
            t.s.sendall(frame(TEXT, b'{"columns":100,"rows":30}'))
            for c in b"echo byte by byte":
                t.type(bytes([c]))
            t.type(b"\r")
            t.until(rb"\r\nbyte by byte\r\n")
            t.type(b"exit\r")
            self.assertEqual(t.until_end(), 1000)
            self.assertTrue(t.exited)
        self.assertEqual(self.before.grown("http", "terminals_opened"), 1)

    def test_sessions_do_not_see_each_other(self):
        with self.opened() as a, self.opened() as b:
            a.type(b"echo aaa\r")
            b.type(b"echo bbb\r")
            a.until(rb"\r\naaa\r\n")
            b.until(rb"\r\nbbb\r\n")
            self.assertNotIn(b"bbb", a.out)

    def test_the_cookie_opens_it(self):
        cookie = guest.http(f"/?token={token}")[1]["Set-Cookie"].split(";")[0]
        with self.opened(fields={"Cookie": cookie, "Origin": "http://localhost"}) as t:
            t.until(rb"[$] ")
        for fields in ({"Cookie": cookie, "Origin": "http://evil.example"}, {"Cookie": cookie, "Origin": "null"}):
            with Terminal(fields=fields) as t:
                self.assertEqual(t.status, 403)

    def test_what_is_no_control_message(self):
        for text in (b"", b"ls", b"[]", b"{}", b'{"columns":80}', b'{"columns":0,"rows":1}', b'{"columns":80,"rows":1e3}',
                     b'{"columns":80,"rows":24}x', b'{"columns":"80","rows":"24"}', b" " * 200):
            with self.subTest(text), self.opened() as t:
                t.s.sendall(frame(TEXT, text))
                while t.code is None:
                    t.step()
                self.assertEqual(t.code, 1008)
                t.s.sendall(frame(CLOSE, b"\x03\xf0"))
                self.assertEqual(t.until_end(), 1008)

    def test_64_at_once(self):
        crowd = [self.opened() for _ in range(TERMINALS)]
        for i, t in enumerate(crowd):
            t.type(b"echo I am %d\r" % i)
        for i, t in enumerate(crowd):
            t.until(rb"\r\nI am %d\r\n" % i)
        self.assertEqual(stats()["http"]["websockets"], TERMINALS)
        with self.opened_or_not() as t:  # beyond them it is the shell's or the server's limit: an answer in any case
            self.assertIn(t.status, (101, 503))
        self.assertEqual(guest.http("/icon.svg")[0], 200)
        for t in crowd[::2]:
            t.type(b"exit\r")
        for t in crowd[::2]:
            self.assertEqual(t.until_end(), 1000)
        for t in crowd:
            t.s.close()

    def opened_or_not(self):
        return Terminal()

    def test_clients_that_vanish(self):
        """Idle, in the middle of a frame, of a message, of output, while a command runs; by FIN and by RST."""
        rng = random.Random(SEED)
        parts = (b"", frame(BIN, b"echo x\r")[:5], frame(BIN, b"abc", first=0), frame(TEXT, b'{"columns":8')[:12],
                 frame(BIN, b"cat /dev/zero\r"), frame(BIN, b"sleep 1000\r"), frame(BIN, b"help\r" * 100),
                 b"\x82\xfe\xff", b"\xff" * 20)
        for by_reset in (False, True):
            for part in parts:
                t = self.opened(rcvbuf=2048)
                if rng.randrange(2):
                    t.until(rb"[$] ")
                t.s.sendall(part)
                time.sleep(0.1)
                if by_reset:
                    t.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                t.s.close()
        self.before.wait()

    def test_who_reads_slowly_gets_all(self):
        """The command waits for him; nobody else does."""
        with self.opened(rcvbuf=2048) as slow, self.opened() as other:
            slow.until(rb"[$] ")
            slow.type(b"cat " + b"/web/index.html " * 8 + b"\r")
            time.sleep(2)
            for _ in range(3):
                other.type(b"echo here\r")
                other.until(rb"\r\nhere\r\n")
            slow.until(rb"\n")  # the echo of the line
            page = guest.http("/index.html")[2].replace(b"\n", b"\r\n")
            while len(slow.out) < 8 * len(page):
                slow.step()
            self.assertEqual(slow.out[:8 * len(page)], page * 8)

    def test_much_is_typed(self):
        """A paste of many lines comes to a command that reads it, in order and whole."""
        with self.opened() as t:
            t.until(rb"[$] ")
            t.type(b"cat\r")
            t.until(rb"\n")
            for i in range(0, 200, 50):
                t.type(b"".join(b"line %d of what is pasted\n" % n for n in range(i, i + 50)))
            t.type(b"\x04")
            shown = t.until(rb"[$] $")
            for n in range(200):  # as it was typed, and as cat gives it
                self.assertGreaterEqual(len(re.findall(rb"\bline %d of what is pasted\r?\n" % n, shown)), 2, n)

    def test_ctrl_c_comes_through(self):
        """Also behind more than the session takes."""
        with self.opened() as t:
            t.until(rb"[$] ")
            t.type(b"sleep 1000\r")
            t.type(b"x" * 10000)
            t.type(b"\x03")
            t.type(b"echo back\r")
            t.until(rb"\r\nback\r\n")


class OverPolling(Shell):
    def open(self):
        status, _, body = request("/api/shell/in")
        self.assertEqual(status, 200)
        name = json.loads(body)["session"]
        self.assertRegex(name, r"^[0-9a-f]{32}$")
        return name

    def take(self, name, since, until):
        """Output from a position on until it shows that: it, and where to go on."""
        text, end = "", time.monotonic() + 120
        while not re.search(until, text):
            self.assertLess(time.monotonic(), end, text)
            status, _, body = request(f"/api/shell/out?session={name}&since={since}")
            self.assertEqual(status, 200)
            got = json.loads(body)
            self.assertEqual(got.keys(), {"output", "next", "exited"})
            text, since = text + got["output"], got["next"]
            self.assertFalse(got["exited"])
            time.sleep(0.05)
        return text, since

    def end(self, name, since):
        self.assertEqual(request(f"/api/shell/in?session={name}", "POST", b"exit")[0], 200)
        wait_until(lambda: json.loads(request(f"/api/shell/out?session={name}&since={since}")[2])["exited"])

    def test_a_conversation(self):
        names = [self.open() for _ in range(3)]
        self.assertEqual(len(set(names)), 3)
        for i, name in enumerate(names):
            self.assertEqual(request(f"/api/shell/in?session={name}", "POST", b"echo I am %d" % i)[0], 200)
        for i, name in enumerate(names):
            text, since = self.take(name, 0, rf"\nI am {i}\n")
            again, _ = self.take(name, since, "") if since else ("", 0)
            self.assertNotIn("I am", again)
            request(f"/api/shell/in?session={name}", "POST", "echo grüße €\n".encode())
            text, since = self.take(name, since, "\ngrüße €\n")
            self.assertNotIn("\ufffd", text)
            request(f"/api/shell/in?session={name}", "POST", b"sleep 1000")
            text, since = self.take(name, since, "sleep 1000\n")
            request(f"/api/shell/in?session={name}", "POST", b"\x03")
            text, since = self.take(name, since, r"\^C\n(.|\n)*[$] ")
            request(f"/api/shell/in?session={name}", "POST", b"echo back")
            text, since = self.take(name, since, "\nback\n")
            self.end(name, since)

    def test_statuses(self):
        name = self.open()
        path = f"/api/shell/in?session={name}"
        for status, args in (
                (404, ("/api/shell/in?session=" + "0" * 32, "POST", b"ls")), (404, ("/api/shell/in", "POST", b"ls")),
                (404, (f"/api/shell/out?session={name[:-1]}",)), (404, ("/api/shell/out",)),
                (400, (f"/api/shell/out?session={name}&since=x",)), (400, (f"/api/shell/out?session={name}&since=-1",)),
                (413, (path, "POST", b"x" * 1025)), (405, (path, "PUT", b"x")), (405, (path, "DELETE")),
                (405, (f"/api/shell/out?session={name}", "POST", b"x")), (405, ("/api/shell/ws", "POST", b"x")),
                (404, ("/api/shell/none",)), (426, ("/api/shell/ws",)), (204, (path, "OPTIONS")), (200, ("/api/shell/in", "HEAD"))):
            with self.subTest(args=args):
                self.assertEqual(request(*args)[0], status)
        self.assertEqual(request(path, "PUT", b"x")[1]["Allow"], "GET, HEAD, OPTIONS, POST")
        self.assertEqual(request(f"/api/shell/out?session={name}", "DELETE")[1]["Allow"], "GET, HEAD, OPTIONS")
        for kind, status in (("application/json", 415), ("text/plain", 200), ("text/plain; charset=utf-8", 200),
                             ("application/octet-stream", 200), ("multipart/form-data; boundary=x", 415)):
            self.assertEqual(request(path, "POST", b"", **{"Content-Type": kind})[0], status, kind)
        self.assertEqual(request(path, "POST", b"", **{"Content-Encoding": "gzip"})[0], 415)
        with guest.connect() as s:
            s.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            self.assertEqual(int(s.recv(65536).split()[1]), 411)
        self.assertEqual(self.before.grown("http", "polled_shells_opened"), 1)
        self.end(name, 0)

    def test_no_more_than_there_may_be(self):
        names = []
        while (got := request("/api/shell/in"))[0] == 200:
            names.append(json.loads(got[2])["session"])
        self.assertEqual(got[0], 503)
        self.assertIsNotNone(got[1]["Retry-After"])
        self.assertEqual(len(names), 6)
        self.end(names[0], 0)
        names.append(json.loads(request("/api/shell/in")[2])["session"])  # one that is over gives way
        self.assertEqual(request(f"/api/shell/out?session={names[0]}")[0], 404)
        for name in names[1:]:
            self.end(name, 0)


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
