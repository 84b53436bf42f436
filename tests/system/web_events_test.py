#!/usr/bin/python3
"""Server-sent events over the wire: chunks, ids, coming again, heartbeats, limits, clients that are slow or gone.

The client is a few lines of its own here, which take chunks and events apart by the letter.
"""
import json
import os
import re
import socket
import struct
import subprocess
import time
import unittest

import clients
import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=800)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def setting(name):
    """CONFIG_... of the image."""
    with open(f"{os.path.dirname(ELF)}/generated/auto.conf", encoding="ascii") as f:
        return int(re.search(rf"^CONFIG_{name} := (\d+)$", f.read(), re.M)[1])


class Ended(Exception):
    """The server closed in order."""


class Stream:
    """One request, and the events of its reply: (id or None, event, data) as a browser would have them."""

    def __init__(self, path, *fields, version=1, method="GET", rcvbuf=None, more=b"", host="localhost"):
        self.s = socket.socket()
        if rcvbuf:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.s.settimeout(60)
        self.s.connect((guest.host, guest.port))
        lines = [f"{method} {path} HTTP/1.{version}", f"Host: {host}", *fields, "", ""]
        self.s.sendall("\r\n".join(lines).encode() + more)
        self.raw, self.text = b"", b""
        while b"\r\n\r\n" not in self.raw:
            self.receive()
        head, _, self.raw = self.raw.partition(b"\r\n\r\n")
        self.head = head.decode("ascii")
        self.status = int(self.head.split()[1])
        self.chunked = "\r\nTransfer-Encoding: chunked" in self.head
        self.last_id, self.beats, self.retry, self.over = "", 0, None, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def receive(self):
        part = self.s.recv(65536)
        if not part:
            raise Ended
        self.raw += part

    def field(self, name):
        match = re.search(rf"(?im)^{name}: (.*?)\r?$", self.head)
        return match and match[1]

    def chunk(self):
        """Puts the content of the next chunk behind the text."""
        if not self.chunked:
            if not self.raw:
                self.receive()
            self.text, self.raw = self.text + self.raw, b""
            return
        while b"\r\n" not in self.raw:
            self.receive()
        size, _, self.raw = self.raw.partition(b"\r\n")
        assert re.fullmatch(rb"[0-9a-f]+", size), size
        size = int(size, 16)
        while len(self.raw) < size + 2:
            self.receive()
        content, end, self.raw = self.raw[:size], self.raw[size:size + 2], self.raw[size + 2:]
        assert end == b"\r\n", end
        self.text += content
        if size == 0:
            self.over = True
            raise Ended
        # Whole events in each chunk, so that none waits for another to come.
        assert self.text.endswith(b"\n\n"), self.text[-40:]

    def block(self):
        """The next lines up to an empty one."""
        while b"\n\n" not in self.text:
            self.chunk()
        block, _, self.text = self.text.partition(b"\n\n")
        return block.decode().split("\n")

    def event(self):
        while True:
            data, kind, has_id = [], "message", None
            for line in self.block():
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "":
                    self.beats += 1
                elif name == "id":
                    self.last_id = has_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data.append(value)
                elif name == "retry":
                    self.retry = int(value)
                else:
                    raise AssertionError(f"a line that no client knows: {line!r}")
            if data:
                return has_id, kind, "\n".join(data)

    def until_end(self):
        got = []
        try:
            while True:
                got.append(self.event())
        except Ended:
            assert not self.text, self.text
            return got


def numbers(first, last):
    return [(str(n), "message", str(n)) for n in range(first, last + 1)]


def klog():
    return clients.json_of(guest, "/api/klog")["entries"]


def claim_our_address():
    """What the guest logs at once, at most once in ten seconds: that somebody has its address."""
    mac = b"\x02\x00\x00\x00\x00\x07"
    address = socket.inet_aton(guest.host)
    frame = b"\xff" * 6 + mac + struct.pack(">HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac + address + bytes(6) + address
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((mazu.TAP, 0))
        s.send(frame)


class Events(unittest.TestCase):
    def setUp(self):
        self.before = clients.Levels(guest)

    def tearDown(self):
        self.before.wait()
        self.assertEqual(clients.json_of(guest, "/api/stats")["http"]["streams"], 0)
        self.assertEqual(self.before.grown("pools", "failures"), 0)

    def opened(self, *words, **more):
        stream = Stream(*words, **more)
        self.assertEqual((stream.status, stream.field("Content-Type")), (200, "text/event-stream"))
        self.assertEqual(stream.field("Cache-Control"), "no-store")
        self.assertIsNone(stream.field("Content-Length"))
        return stream

    def test_numbers_come_one_a_second(self):
        began = time.monotonic()
        with self.opened("/api/sse/test") as s:
            self.assertEqual([s.event() for _ in range(4)], numbers(1, 4))
            self.assertEqual(s.retry, 1000)
            self.assertGreater(time.monotonic() - began, 1.5)
            self.assertTrue(s.chunked)

    def test_numbers_with_an_end(self):
        with self.opened("/api/sse/test?count=5000", "Connection: close") as s:
            self.assertEqual(s.until_end(), numbers(1, 5000))
            self.assertTrue(s.over)
        with self.opened("/api/sse/test?count=5000", "Connection: close", version=0) as s:
            self.assertFalse(s.chunked)
            self.assertEqual(s.until_end(), numbers(1, 5000))
        behind = b"GET /api/sse/test?count=2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with self.opened("/api/sse/test?count=3", more=behind) as s:
            self.assertEqual(s.until_end(), numbers(1, 3))
            self.assertIn(b"HTTP/1.1 200 OK\r\n", s.raw + s.s.recv(65536))

    def test_coming_again_goes_on_behind_the_last(self):
        with self.opened("/api/sse/test") as s:
            s.event(), s.event()
            last = s.last_id
        for path, fields, first in (("/api/sse/test?count=9", [f"Last-Event-ID: {last}"], 3),
                                    ("/api/sse/test?count=9&last=4", [], 5),
                                    ("/api/sse/test?count=9&last=4", ["last-event-id: 6"], 7)):
            with self.opened(path, *fields, "Connection: close") as s:
                self.assertEqual(s.until_end(), numbers(first, 9))
        with Stream("/api/sse/test?count=9", "Last-Event-ID: 9") as s:
            self.assertEqual(s.status, 204)  # do not come again

    def test_what_is_refused(self):
        for status, words, more in (
                (400, ("/api/sse/test?count=x",), {}), (400, ("/api/sse/test?last=-1",), {}),
                (400, ("/api/sse/test", "Last-Event-ID: seven"), {}), (400, ("/api/events?only=nothing",), {}),
                (400, ("/api/events?level=loud",), {}), (405, ("/api/events",), {"method": "DELETE"}),
                (403, ("/api/events", "Origin: http://evil.example"), {}),
                (403, ("/api/events",), {"host": "evil.example"}), (404, ("/api/events/",), {}),
                (204, ("/api/events",), {"method": "OPTIONS"})):
            with self.subTest(words=words, **more), Stream(*words, **more) as s:
                self.assertEqual(s.status, status)
        head = b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with self.opened("/api/events", method="HEAD", more=head) as s:
            while b"\r\n\r\n" not in s.raw:
                s.receive()
            self.assertTrue(s.raw.startswith(b"HTTP/1.1 200 OK\r\n"), s.raw[:100])

    def test_statistics_are_pushed(self):
        stats = clients.json_of(guest, "/api/stats")
        with self.opened("/api/events?only=stats") as a, self.opened("/api/events?only=stats", version=0) as b:
            uptime = []
            for s in (a, b):  # those from before both were there, and the first that was not
                while json.loads(s.event()[2])["http"]["streams"] < 2:
                    pass
            for _ in range(4):
                for s in (a, b):
                    event_id, kind, data = s.event()
                    self.assertEqual((event_id, kind), (None, "stats"))
                    pushed = json.loads(data)
                    self.assertEqual(pushed.keys(), stats.keys())
                    self.assertEqual(pushed["http"]["streams"], 2)
                uptime.append(pushed["uptime_ns"])
            for earlier, later in zip(uptime, uptime[1:]):
                self.assertGreater(later - earlier, 5 * 10**8)
            self.assertEqual(a.last_id, "")
            self.assertEqual(self.before.grown("http", "streams_opened"), 2)
            self.assertGreaterEqual(self.before.grown("http", "stream_pushes"), 8)

    def test_log_is_followed_without_loss(self):
        """Cut after every few records and resumed, each comes once, as /api/klog has it."""
        entries = klog()
        got, last = [], entries[0]["seq"] - 1
        while last < entries[-1]["seq"]:
            with self.opened("/api/events?last=0&only=log", f"Last-Event-ID: {last}") as s:
                for _ in range(min(3, entries[-1]["seq"] - last)):
                    event_id, kind, data = s.event()
                    self.assertEqual(kind, "log")
                    got.append(json.loads(data))
                    self.assertEqual(int(event_id), got[-1]["seq"])
                last = int(s.last_id)
        self.assertEqual(got, entries[:len(got)])
        with self.opened("/api/events?last=0&only=log&level=warning") as s:
            loud = [e for e in entries if e["level"] in ("error", "warning")]
            self.assertEqual([json.loads(s.event()[2]) for _ in loud], loud)

    def test_records_are_pushed_as_they_come(self):
        newest = klog()[-1]["seq"]
        with self.opened("/api/events") as s:
            while s.event()[1] != "stats":
                pass
            self.assertGreaterEqual(int(s.last_id), newest)  # known before the first record
            mark = int(s.last_id)
            # One that comes while nobody listens is told to who comes again with that id.
            claim_our_address()
        with self.opened("/api/events", f"Last-Event-ID: {mark}") as s:
            while True:
                event_id, kind, data = s.event()
                self.assertIn(kind, ("stats", "log"))
                if kind == "log":
                    mark += 1
                    record = json.loads(data)
                    self.assertEqual((int(event_id), record["seq"]), (mark, mark))
                    if guest.host in record["text"]:
                        break

    def test_no_more_than_there_may_be(self):
        most = setting("WEB_STREAMS")
        crowd = [self.opened("/api/events?only=stats") for _ in range(most)]
        for _ in range(3):
            with Stream("/api/events") as s:
                self.assertEqual(s.status, 503)
                self.assertIsNotNone(s.field("Retry-After"))
        self.assertEqual(self.before.grown("http", "refused_streams_full"), 3)
        self.assertEqual(guest.http("/icon.svg")[0], 200)
        for s in crowd:
            self.assertEqual(s.event()[1], "stats")
        for i, s in enumerate(crowd):  # by FIN and by RST
            if i % 2:
                s.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.s.close()
        self.before.wait()
        with self.opened("/api/sse/test") as s:
            self.assertEqual(s.event(), ("1", "message", "1"))

    def test_quiet_slow_and_deaf(self):
        """Twenty-odd seconds: who hears nothing else hears heartbeats, who is slow gets fewer, who takes nothing is reset."""
        with self.opened("/api/events?only=log&level=error") as quiet, \
                self.opened("/api/events?only=stats", rcvbuf=2048) as slow, \
                self.opened("/api/events?only=stats", rcvbuf=2048) as deaf, \
                self.opened("/api/events?only=stats") as quick:
            for _ in range(2):
                self.assertEqual(slow.event()[1], "stats")
            end = time.monotonic() + 14
            while time.monotonic() < end:  # some 500 bytes a second
                slow.raw += slow.s.recv(100)
                time.sleep(0.2)
            while self.before.grown("http", "timeouts") < 1:
                self.assertLess(time.monotonic(), end + 60)
                slow.raw += slow.s.recv(100)
                quick.event()
            with self.assertRaises(ConnectionResetError):
                while True:
                    deaf.event()
            self.assertGreater(self.before.grown("http", "stream_pushes_skipped"), 10)
            for _ in range(3):  # what it has missed did not wait for it
                self.assertEqual(slow.event()[1], "stats")
            now = json.loads(quick.event()[2])["uptime_ns"]
            while json.loads(slow.event()[2])["uptime_ns"] < now:
                pass
            while quiet.beats < 2:
                block = quiet.block()
                self.assertTrue(block == [":"] or block[0].startswith("retry: "), block)
                quiet.beats += block == [":"]
        self.assertEqual(self.before.grown("http", "timeouts"), 1)

    def test_curl_hears_the_same(self):
        done = subprocess.run(["curl", "-sN", "--noproxy", "*", "--max-time", "60", guest.url("/api/sse/test?count=3")],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "retry: 1000\n\nid: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\n")


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
