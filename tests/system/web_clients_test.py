#!/usr/bin/python3
"""curl, ab and wrk against the web server, over TAP: Linux's TCP talks to Mazu's, nothing in between."""
import gzip
import os
import re
import unittest

import clients
import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
DOCUMENTS = {"/api/stats": "tasks", "/api/tcp": "connections", "/api/arp": "entries", "/api/klog": "entries",
             "/api/fs?path=/web": "entries"}


def setUpModule():
    global guest
    guest = mazu.Mazu(ELF, smp=2, net="tap", limit=1100)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()


def packed(name):
    """A file of the page as it was bundled beside the image."""
    with open(f"{os.path.dirname(ELF)}/web/{name}", "rb") as f:
        return f.read()


def received(said):
    """The status lines and fields that `curl -v` shows: [(status, {name: value})], a redirect or reuse each its own."""
    replies = []
    for line in re.findall(r"^< (.*?)\r?$", said, re.M):
        if match := re.fullmatch(r"HTTP/1\.1 (\d+)(?: .*)?", line):
            replies.append((int(match[1]), {}))
        elif line:
            name, value = line.split(": ", 1)
            replies[-1][1][name.lower()] = value
    return replies


class Curl(unittest.TestCase):
    def test_a_file_comes_whole_with_its_fields(self):
        said, body = clients.curl(guest)
        (status, fields), = received(said)
        self.assertEqual((status, body), (200, packed("icon.svg")))
        self.assertEqual(fields["content-type"], "image/svg+xml")
        self.assertEqual(int(fields["content-length"]), len(body))
        self.assertEqual(fields["accept-ranges"], "bytes")
        self.assertRegex(fields["etag"], r'^"[0-9a-f]+"$')
        self.assertIn("accept-encoding", fields["vary"].lower())
        self.assertEqual(fields["x-content-type-options"], "nosniff")

    def test_head_has_the_fields_of_get_and_no_body(self):
        (_, get), = received(clients.curl(guest)[0])
        said, _ = clients.curl(guest, "-I")
        (status, head), = received(said)
        self.assertTrue(get.pop("date") and head.pop("date"))  # of two moments
        self.assertEqual((status, head), (200, get))

    def test_ranges(self):
        whole = packed("app.js")
        for asked, part in (("0-99", whole[:100]), ("100-", whole[100:]), ("-50", whole[-50:]),
                            ("0-999999", whole)):
            said, body = clients.curl(guest, "-r", asked, paths=("/app.js",))
            (status, fields), = received(said)
            self.assertEqual((status, body), (206, part), asked)
            self.assertRegex(fields["content-range"], rf"^bytes \d+-\d+/{len(whole)}$")
        (status, fields), = received(clients.curl(guest, "-r", "999999-", paths=("/app.js",))[0])
        self.assertEqual((status, fields["content-range"]), (416, f"bytes */{len(whole)}"))

    def test_gzip_for_those_who_take_it(self):
        whole = packed("app.js")
        said, body = clients.curl(guest, "--compressed", paths=("/app.js",))
        self.assertEqual((received(said)[0][1]["content-encoding"], body), ("gzip", whole))
        _, body = clients.curl(guest, "-H", "Accept-Encoding: gzip", paths=("/app.js",))
        self.assertLess(len(body), len(whole))
        self.assertEqual(gzip.decompress(body), whole)
        said, body = clients.curl(guest, paths=("/app.js",))
        self.assertNotIn("content-encoding", received(said)[0][1])
        self.assertEqual(body, whole)

    def test_an_unchanged_file_is_not_sent_again(self):
        etag = received(clients.curl(guest)[0])[0][1]["etag"]
        said, body = clients.curl(guest, "-H", f"If-None-Match: {etag}")
        self.assertEqual((received(said)[0][0], body), (304, b""))

    def test_one_connection_serves_many_requests(self):
        paths = ("/", "/app.js", "/api/stats", "/style.css", "/nothing-here", "/icon.svg")
        said, body = clients.curl(guest, "-w", r"\n%{http_code} %{num_connects}\n", paths=paths)
        codes = re.findall(rb"^(\d+) (\d+)$", body, re.M)
        self.assertEqual(codes, [(b"200", b"1")] + [(b"200", b"0")] * 3 + [(b"404", b"0"), (b"200", b"0")])
        self.assertEqual(said.count("Re-using existing connection"), len(paths) - 1)


class Load(unittest.TestCase):
    """Not one failed request, and nothing stays in use."""

    def setUp(self):
        self.before = clients.Levels(guest)

    def tearDown(self):
        self.before.wait()
        self.assertEqual(self.before.grown("http", "timeouts"), 0)
        self.assertEqual(self.before.grown("http", "refused"), 0)

    def read_documents_during(self, process):
        while True:
            for path, member in DOCUMENTS.items():
                self.assertTrue(clients.json_of(guest, path)[member], path)
            if process.poll() is not None:
                return

    def test_10000_connections_one_after_another(self):
        clients.ab(guest, n=10000, c=1)
        self.assertGreaterEqual(self.before.grown("http", "accepted"), 10000)

    def test_ab_keeps_64_connections(self):
        process = clients.start(clients.ab_command(guest, "-k", n=10000, c=64))
        self.read_documents_during(process)
        clients.ab_check(clients.finish(process), 10000)

    def test_ab_64_connections_at_a_time_a_request_each(self):
        process = clients.start(clients.ab_command(guest, n=5000, c=64))
        self.read_documents_during(process)
        clients.ab_check(clients.finish(process), 5000)

    def test_wrk_keeps_64_connections(self):
        process = clients.start(clients.wrk_command(guest, c=64, seconds=2))
        self.read_documents_during(process)
        clients.wrk_check(clients.finish(process))

    def test_wrk_asks_for_files_and_documents_in_turn(self):
        clients.wrk(guest, c=64, seconds=1, path="/app.js")
        clients.wrk(guest, c=8, seconds=1, path="/api/stats")


if __name__ == "__main__":
    mazu.own_network()
    unittest.main()
