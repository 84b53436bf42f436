#!/usr/bin/python3
"""WebSocket over the wire: pushes, the limits, clients that vanish, are silent or do not read.

Every rule of the handshake, of framing and of closing: web_conform_test.py.
"""
import json
import os
import re
import socket
import struct
import sys
import time
import unittest

import clients
import mazu

sys.path.insert(0, "tests/conformance")
import wire  # noqa: E402
import ws_cases  # noqa: E402
from ws_cases import BIN, CONT, FIN, PING, PONG, TEXT, closed, frame, goodbye  # noqa: E402

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
MESSAGE_MAX = 4096


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=1100)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def setting(name):
    """CONFIG_... of the image."""
    with open(f"{os.path.dirname(ELF)}/generated/auto.conf", encoding="ascii") as f:
        return int(re.search(rf"^CONFIG_{name} := (\d+)$", f.read(), re.M)[1])


class Ended(Exception):
    """The server closed in order."""


class Client(wire.Talk):
    """/api/ws, from its handshake on."""

    def __init__(self, rcvbuf=None):
        super().__init__((guest.host, guest.port), receive_buffer=rcvbuf)
        self.pushes = 0
        self.say(ws_cases.hello(line="GET /api/ws HTTP/1.1").encode())
        self.answer = self.reply()
        self.status = self.answer.status

    def frame(self):
        """The next frame: (opcode, content). None is in fragments."""
        got = super().frame()
        if not got:
            raise Ended
        op, content, whole = got
        assert whole, got[:20]
        return op, content

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

    def test_the_limit_of_a_message(self):
        """That of /api/ws; the rest of framing is in tests/conformance."""
        for n, codes in ((MESSAGE_MAX, [(PONG, b"p"), closed(1000)]), (MESSAGE_MAX + 1, [closed(1009)])):
            for said in (frame(FIN | TEXT, b"a" * n), frame(BIN, bytes(n - 1)) + frame(FIN | CONT, b"a")):
                with self.opened() as c:
                    c.s.sendall(said + frame(FIN | PING, b"p") + goodbye())
                    self.assertEqual(c.until_end(), codes)
        self.no_time_out()

    def test_pushes(self):
        stats = clients.json_of(guest, "/api/stats")
        with self.opened() as a, self.opened() as b:
            for c in (a, b):  # the first comes at once; those from before both were there
                while json.loads(c.frame()[1])["http"]["websockets"] < 2:
                    pass
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
        """Of those that come faster than they can be answered the latest are."""
        with self.opened() as c:
            for block in range(20):
                c.s.sendall(b"".join(frame(FIN | PING, b"%d" % i) for i in range(1000 * block, 1000 * block + 1000)))
                last = -1
                while last < 1000 * block + 999:
                    op, content = c.control()
                    if op == PING:  # this takes long where the machine is slow
                        c.s.sendall(frame(FIN | PONG))
                        continue
                    self.assertEqual(op, PONG)
                    self.assertGreater(int(content), last)
                    last = int(content)
            c.s.sendall(goodbye())
            self.assertEqual(c.until_end(), [closed(1000)])

    def test_no_more_than_there_may_be(self):
        most = setting("WEB_SOCKETS")
        crowd = [self.opened() for _ in range(most)]
        for _ in range(3):
            with Client() as c:
                self.assertEqual(c.status, 503)
                self.assertIsNotNone(c.answer["retry-after"])
        self.assertEqual(self.before.grown("http", "refused_websockets_full"), 3)
        self.assertEqual(guest.http("/icon.svg")[0], 200)
        for c in crowd:
            self.assertEqual(c.frame()[0], TEXT)
        crowd[0].s.sendall(goodbye())
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
            alive.s.sendall(frame(FIN | PONG) + goodbye())
            self.assertEqual(alive.until_end(), [closed(1000)])
            self.assertEqual(self.before.grown("http", "websockets_silent"), 1)
            self.assertEqual(self.before.grown("http", "timeouts"), 1)
            self.assertGreater(self.before.grown("http", "websocket_messages_skipped"), 5)
            with self.assertRaisesRegex(wire.Malformed, "reset"):  # it read nothing: no pushes waited for it
                while True:
                    deaf.frame()


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
