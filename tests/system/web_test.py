#!/usr/bin/python3
"""The web server under real clients: many short connections, clients that vanish or lie.

Nothing here depends on speed: limits of time are far above what a slow machine needs. What goes up
under load must come down again: the pools are compared before and after.
"""
import json
import os
import re
import socket
import subprocess
import time
import unittest

import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
SHORT_CONNECTIONS = 10000
SETTLE_S = 150  # two minutes of TIME_WAIT and what a slow machine adds


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="user", limit=540)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def get_json(path):
    status, _, body = guest.http(path)
    assert status == 200, f"{path}: {status}"
    return json.loads(body)


def pools():
    """What is in use, of what should come back: one connection is that of the question."""
    return {p["name"]: p["used"] for p in get_json("/api/stats")["memory"]["pools"]}


def exchange(data, timeout=60):
    """Sends bytes, returns all that comes until the server closes or falls silent."""
    with socket.create_connection(("127.0.0.1", guest.port), timeout=timeout) as s:
        s.sendall(data)
        got = b""
        try:
            while part := s.recv(65536):
                got += part
        except (TimeoutError, ConnectionResetError):
            pass
        return got


def status_of(data):
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", exchange(data))
    return int(match[1]) if match else None


class Load(unittest.TestCase):
    def ab(self, *options, path="/icon.svg"):
        out = subprocess.run(["ab", "-q", "-s", "120", *options, f"http://127.0.0.1:{guest.port}{path}"],
                             capture_output=True, text=True, timeout=400, check=True).stdout
        figure = {name: int(n) for name, n in re.findall(r"^([A-Z][\w -]+):\s+(\d+)$", out, re.M)}
        self.assertEqual(figure.get("Failed requests"), 0, out)
        self.assertNotIn("Non-2xx responses", out)
        return figure["Complete requests"]

    def test_short_connections_one_after_another(self):
        self.assertEqual(self.ab("-n", str(SHORT_CONNECTIONS), "-c", "1"), SHORT_CONNECTIONS)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.before = pools()

    def tearDown(self):
        end = time.monotonic() + SETTLE_S
        while (after := pools()) and any(after[n] > self.before[n] + 1 for n in self.before):
            self.assertLess(time.monotonic(), end, f"pools: before {self.before}, after {after}")
            time.sleep(1)
        self.assertEqual(guest.http("/icon.svg")[0], 200)

    def test_64_connections_pulled_away_mid_request(self):
        clients = []
        for _ in range(64):
            s = socket.create_connection(("127.0.0.1", guest.port), timeout=60)
            s.sendall(b"GET /icon.svg HTTP/1.1\r\nHost: loc")
            clients.append(s)
        for s in clients:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.close()

    def test_bad_requests_get_the_right_status(self):
        host = b"Host: localhost\r\n"
        for request, status in (
                (b"GET / HTTP/1.1\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\n" + host + host + b"\r\n", 400),
                (b"GET  / HTTP/1.1\r\n" + host + b"\r\n", 400),
                (b"\0\1\2\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\n" + host + b"A : b\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\n" + host + b"A: b\r\n c\r\n\r\n", 400),
                (b"GET / HTTP/2.0\r\n" + host + b"\r\n", 505),
                (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
                (b"GET / HTTP/1.1\r\n" + host + b"A: " + b"b" * 20000 + b"\r\n\r\n", 431),
                (b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                (b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
                (b"GET /nothing-here HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n", 404),
                (b"GET /../../etc/passwd HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n", 400),
                (b"DELETE /api/stats HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n", 405)):
            with self.subTest(request=request[:60]):
                got = status_of(request)
                if status == 400 and b".." in request:
                    self.assertIn(got, (400, 404))
                else:
                    self.assertEqual(got, status)


class Conversation(unittest.TestCase):
    def test_pipelined_requests_are_answered_in_order(self):
        request = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = b"GET /icon.svg HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        got = exchange(request % b"/icon.svg" + request % b"/none" + last)
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+)", got), [b"200", b"404", b"200"])

    def test_head_has_the_length_and_no_body(self):
        status, headers, body = guest.http("/icon.svg", method="HEAD")
        full = guest.http("/icon.svg")[2]
        self.assertEqual((status, body, int(headers["Content-Length"])), (200, b"", len(full)))

    def test_an_unchanged_file_is_not_sent_again(self):
        etag = guest.http("/icon.svg")[1]["ETag"]
        self.assertEqual(guest.http("/icon.svg", headers={"If-None-Match": etag})[0], 304)

    def test_the_page_and_its_parts_are_there(self):
        page = guest.http("/")[2].decode()
        parts = re.findall(r'(?:src|href)="(/?[\w./-]+)"', page)
        self.assertTrue(parts)
        for part in parts:
            self.assertEqual(guest.http("/" + part.lstrip("/"))[0], 200, part)

    def test_the_api_answers(self):
        stats = get_json("/api/stats")
        for key in "uptime_ns version cpus tasks memory irqs sched callouts net security".split():
            self.assertIn(key, stats)
        self.assertEqual(len(stats["cpus"]), 2)
        self.assertTrue(any(c["state"] == "ESTABLISHED" for c in get_json("/api/tcp")["connections"]))
        self.assertTrue(get_json("/api/arp")["entries"])
        self.assertTrue(get_json("/api/klog")["entries"])


if __name__ == "__main__":
    unittest.main()
