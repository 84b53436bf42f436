#!/usr/bin/python3
"""slowhttptest against the server, over TAP: who is slow is cut off, others are served meanwhile, all comes back.

And clients that end in the middle of what they say, wherever that is: a request or a frame cut at each of its bytes.
What was cut off at a deadline is told by the server's counters, not by clocks.
"""
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
import http_cases  # noqa: E402
import wire  # noqa: E402
import ws_cases  # noqa: E402

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
CROWD = 40  # of each kind: two kinds leave places for others
LIMIT_S = 120  # to end what hangs; slowhttptest ends when all its connections have


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=1100)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def slow(*options, path="/app.js", seconds=LIMIT_S):
    return clients.start(["slowhttptest", "-c", str(CROWD), "-r", "200", "-l", str(seconds), "-p", "60", "-u", guest.url(path),
                          *options])


class Base(unittest.TestCase):
    def setUp(self):
        self.before = clients.Levels(guest)

    def tearDown(self):
        self.before.wait()
        self.assertEqual(guest.http("/icon.svg")[0], 200)
        self.assertEqual(self.before.grown("pools", "failures"), 0)
        self.assertEqual(self.before.grown("http", "refused_connections_full"), 0)


class Slow(Base):
    def meanwhile(self, *processes, cut_off=True):
        """Others get what they ask for, on connections of their own and on one that stays, until the processes end."""
        with guest.connect() as kept:
            kept.settimeout(LIMIT_S)
            served = 0
            while not served or any(process.poll() is None for process in processes):
                self.assertEqual(guest.http("/icon.svg", timeout=LIMIT_S)[0], 200)
                kept.sendall(http_cases.ask(line="HEAD / HTTP/1.1").encode())
                self.assertTrue(kept.recv(4096).startswith(b"HTTP/1.1 200 "))
                served += 1
                time.sleep(0.05)
        for process in processes:
            out = re.sub(r"\x1b\[[\d;]*m", "", clients.finish(process))
            self.assertTrue("No open connections left" in out or not cut_off and "Hit test time limit" in out, out[-1000:])

    def test_slow_heads_and_bodies(self):
        """A field, or a few bytes of content, every other second: 408 for all, though there is always something new."""
        self.meanwhile(slow("-H", "-i", "2"), slow("-B", "-i", "2", "-s", "8192"))
        self.assertEqual(self.before.grown("http", "timeouts"), 2 * CROWD)

    def test_slow_readers(self):
        """Some bytes of a page a second: each has a place and one reply."""
        self.meanwhile(slow("-X", "-w", "64", "-y", "128", "-n", "1", "-z", "8", "-k", "3", seconds=8), cut_off=False)

    def test_many_ranges(self):
        """The Range of "Apache killer": ignored, so that the file comes once."""
        self.meanwhile(slow("-R", "-a", "1", "-b", "2000"))
        self.assertEqual(self.before.grown("http", "timeouts"), 0)


class Vanishing(Base):
    """The client resets, or says that it has said all, behind every byte of what it says."""

    def leave(self, said, hard, heard):
        """Behind `said`: with a reset, or in order, and then hears what comes."""
        with guest.connect() as s:
            s.settimeout(120)
            s.sendall(said)
            if hard:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            s.shutdown(socket.SHUT_WR)
            got = b""
            while part := s.recv(65536):
                got += part
            self.assertTrue(heard(got), f"behind {said[-40:]!r} came {got[:200]!r}")

    def everywhere(self, before, said, heard):
        for cut in range(len(said)):
            for hard in (True, False):
                self.leave(before + said[:cut], hard, heard)
        for name in ("timeouts", "idle_closed", "websockets_silent"):
            self.assertEqual(self.before.grown("http", name), 0, name)

    def test_within_a_request(self):
        request = http_cases.chunked("5\r\n12345\r\n0\r\nA: b\r\n\r\n").encode()
        self.everywhere(b"", request, lambda got: got == b"")

    def test_within_a_second_request(self):
        self.everywhere(http_cases.ask().encode(), http_cases.ask().encode(),
                        lambda got: re.findall(rb"^HTTP/1\.1 (\d+)", got, re.M) == [b"200"])

    def test_within_a_frame(self):
        """And within what an echo holds of a message."""
        said = (ws_cases.frame(ws_cases.BIN, bytes(200)) + ws_cases.frame(ws_cases.FIN | ws_cases.PING, b"x") +
                ws_cases.head(ws_cases.FIN, 70) + b"abcd" + bytes(60))
        self.everywhere(ws_cases.hello().encode(), said, lambda got: got.startswith(b"HTTP/1.1 101 "))
        self.before.wait()
        self.assertEqual(clients.json_of(guest, "/api/stats")["http"]["websockets"], 0)

    def test_within_an_answer(self):
        """An echo of 64 KiB, and a page, that nobody takes to its end."""
        echo = ws_cases.hello().encode() + ws_cases.frame(ws_cases.FIN | ws_cases.BIN, bytes(65536))
        for said in (echo, http_cases.get("/app.js").encode() * 4):
            for taken in (1, 100, 1000, 5000, 20000):
                with wire.Talk((guest.host, guest.port), receive_buffer=2048) as talk:
                    talk.say(said)
                    talk.need(taken)
                    talk.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.before.wait()
        self.assertEqual(self.before.grown("http", "timeouts"), 0)


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
