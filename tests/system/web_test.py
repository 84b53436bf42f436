#!/usr/bin/python3
"""The web server as `make run` shows it, behind QEMU's user networking: what it answers, and 10,000 connections.

That network ends TCP itself, and its listener takes one connection at a time: load and hostile clients
are in web_clients_test.py and web_hostile_test.py, over TAP.
"""
import os
import re
import unittest

import clients
import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
SHORT_CONNECTIONS = 10000


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="user", limit=540)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def exchange(data, timeout=60):
    """Sends bytes, returns all that comes until the server closes or falls silent."""
    with guest.connect(timeout) as s:
        s.sendall(data)
        got = b""
        try:
            while part := s.recv(65536):
                got += part
        except (TimeoutError, ConnectionResetError):
            pass
        return got


def status_of(data):
    with guest.connect() as s:
        s.sendall(data)
        got = b""
        while b"\r\n" not in got and (part := s.recv(65536)):
            got += part
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", got)
    return int(match[1]) if match else None


class Load(unittest.TestCase):
    def test_short_connections_one_after_another(self):
        clients.ab(guest, n=SHORT_CONNECTIONS, c=1)


class Refusals(unittest.TestCase):
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
        stats = clients.json_of(guest, "/api/stats")
        for key in "uptime_ns version cpus tasks memory irqs sched callouts net security".split():
            self.assertIn(key, stats)
        self.assertEqual(len(stats["cpus"]), 2)
        self.assertTrue(any(c["state"] == "ESTABLISHED" for c in clients.json_of(guest, "/api/tcp")["connections"]))
        self.assertTrue(clients.json_of(guest, "/api/arp")["entries"])
        self.assertTrue(clients.json_of(guest, "/api/klog")["entries"])


if __name__ == "__main__":
    unittest.main()
