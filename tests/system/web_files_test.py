#!/usr/bin/python3
"""The namespace from outside: every file that may be read over /api/fs/read gives the bytes that it has, and no other is read."""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

import mazu

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
PACKED = {
    "plain.txt": b"packed by hand\n",
    "empty": b"",
    "deep/er/binary": bytes(range(256)) * 1500,
    "page/exact": b"x" * 4096,
}
SECRET = b"nobody's business"
STATIC = ("/proc/version", "/proc/cpuinfo", "/proc/mounts", "/proc/config", "/dev/sysname", "/net/route")


def setUpModule():
    global guest, folder
    folder = tempfile.TemporaryDirectory()
    for name, content in {**PACKED, "notes/secret/key": SECRET}.items():
        path = f"{folder.name}/tree/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content)
    image = f"{folder.name}/extra.img"
    subprocess.run([sys.executable, "tools/mkramfs.py", "-o", image, f"{folder.name}/tree"], check=True)
    guest = mazu.Mazu(ELF, smp=2, net="user", limit=240, initrd=image)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()
    folder.cleanup()


def read(path):
    status, _, body = guest.http("/api/fs/read?path=" + urllib.parse.quote(path, safe=""))
    return status, body


def entries(path):
    status, _, body = guest.http("/api/fs?path=" + urllib.parse.quote(path, safe=""))
    assert status == 200, f"{path}: {status}"
    return json.loads(body)["entries"]


def walk(top):
    """Path and entry of everything below a directory that is none."""
    for entry in entries(top):
        path = top.rstrip("/") + "/" + entry["name"]
        if entry["type"] == "dir":
            yield from walk(path)
        else:
            yield path, entry


class Namespace(unittest.TestCase):
    def test_every_packed_file_is_what_was_packed(self):
        found = 0
        for path, entry in walk("/"):
            if path.startswith(("/proc/", "/net/", "/dev/", "/app/control/")) or "/secret/" in path:
                continue
            status, body = read(path)
            self.assertEqual((status, entry["type"]), (200, "file"), path)
            self.assertEqual(len(body), entry["size_bytes"], path)
            here = "rootfs" + path
            if path.endswith(".gz"):
                self.assertEqual(gzip.decompress(body), read(path[:-3])[1], path)
            elif path.startswith("/initrd/"):
                self.assertEqual(body, PACKED[path[len("/initrd/"):]], path)
                found += 1
            elif os.path.exists(here):
                with open(here, "rb") as f:
                    self.assertEqual(body, f.read(), path)
                found += 1
        self.assertGreater(found, len(PACKED))

    def test_files_that_stay_say_the_same_each_time(self):
        for path in STATIC:
            status, body = read(path)
            if status == 404 and path == "/proc/config":
                continue  # not in every configuration
            self.assertEqual(status, 200, path)
            self.assertGreater(len(body), 0, path)
            self.assertEqual(body, read(path)[1], path)

    def test_generated_files_are_lines_and_devices_are_refused(self):
        seen = set()
        for top in ("/dev", "/proc", "/net"):
            for path, entry in walk(top):
                status, body = read(path)
                if path.startswith("/proc/thread/") and status == 404:
                    continue  # it has ended
                self.assertEqual(status, 200 if entry["type"] == "file" else 403, path)
                if status == 200:
                    self.assertTrue(body.endswith(b"\n"), path)
                seen.add((path, status))
        for path in ("null", "zero", "random", "console", "klogctl"):
            self.assertIn((f"/dev/{path}", 403), seen)
        self.assertIn(("/net/ctl", 403), seen)
        self.assertIn(("/net/tcp/connections", 200), seen)

    def test_secrets_are_refused(self):
        self.assertIn("key", [e["name"] for e in entries("/initrd/notes/secret")])
        status, body = read("/initrd/notes/secret/key")
        self.assertEqual(status, 403)
        self.assertNotIn(SECRET, body)
        for path in ("/initrd/notes/../notes/secret/key", "/initrd//notes/./secret/key"):
            self.assertEqual(read(path)[0], 403)

    def test_nothing_is_read_that_is_not_there(self):
        for path, status in (("/none", 404), ("/tmp/none", 404), ("/hello.txt/x", 404), ("relative", 400),
                             ("/tmp", 403), ("/" + "x" * 300, 400)):
            self.assertEqual(read(path)[0], status, path[:20])

    def test_connections_are_shown_twice_and_alike(self):
        rows = read("/net/tcp/connections")[1].decode().splitlines()
        columns = rows[0].split(" ")
        document = json.loads(guest.http("/api/tcp")[2])["connections"]
        self.assertEqual(set(columns), set(document[0]))
        listening = [c for c in document if c["state"].lower() == "listen"]
        self.assertGreater(len(listening), 0)
        for c in listening:
            row = [str(c[name]) if name != "sack" else ("yes" if c["sack"] else "no") for name in columns]
            self.assertIn(" ".join(row), rows)


if __name__ == "__main__":
    unittest.main()
