#!/usr/bin/python3
"""The namespace from outside: every file that may be read over /api/fs/read gives the bytes that it has, and no other is read.

Where the image has a shell, what `cat` gives is compared with what /api/fs/read gives, and files that it
writes, moves and removes are looked at from here.
"""
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

import mazu

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
PACKED = {
    "plain.txt": b"packed by hand\n",
    "empty": b"",
    "deep/er/binary": bytes(range(256)) * 1500,
    "page/exact": b"x" * 4096,
    "large": bytes(range(251)) * 6000,  # more than a document may be
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
    guest = mazu.Mazu(ELF, smp=2, net="user", limit=600, initrd=image)
    guest.wait_http("/")


def tearDownModule():
    guest.kill()
    folder.cleanup()


def read(path):
    status, _, body = guest.http("/api/fs/read?path=" + urllib.parse.quote(path, safe=""))
    return status, body


def entries(path):
    status, _, body = guest.http("/api/fs?path=" + urllib.parse.quote(path, safe=""))
    if path.startswith("/proc/thread/") and status == 404:
        return []  # it has ended
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


class Shell:
    """A session over the polling API: run() types a line and waits until it is done."""
    MARK = 0

    def __init__(self):
        found = re.search(r"[?]token=([A-Za-z0-9_-]+)", guest.serial())
        self.token = {"Authorization": f"Bearer {found[1]}"} if found else {}
        self.session = self.ask("/api/shell/in")["session"]
        self.at = 0

    def ask(self, path, method="GET", body=None):
        status, _, answer = guest.http(path, method, body, self.token)
        assert status in (200, 202, 204), f"{path}: {status} {answer[:200]}"
        return json.loads(answer) if answer else {}

    def run(self, line):
        """The exit status; what stands before it in a line of its own is not looked at."""
        Shell.MARK += 1
        self.ask(f"/api/shell/in?session={self.session}", "POST", f"{line}\necho done-$?-{Shell.MARK}-".encode())
        seen, deadline = "", time.monotonic() + 120
        while not (done := re.search(rf"^done-(\d+)-{Shell.MARK}-\r?$", seen, re.M)):
            assert time.monotonic() < deadline, f"{line}: no end\n{seen}"
            got = self.ask(f"/api/shell/out?session={self.session}&since={self.at}")
            seen += got["output"]
            self.at = got["next"]
            time.sleep(0 if got["output"] else 0.02)
        return int(done[1])


def has_shell():
    return guest.http("/api/shell/in")[0] != 404


class Namespace(unittest.TestCase):
    def test_cat_gives_the_same_bytes(self):
        if not has_shell():
            self.skipTest("this image has no shell")
        shell, compared = Shell(), 0
        packed = [p for p, e in walk("/") if not p.startswith(("/proc/", "/net/", "/dev/", "/app/control/", "/tmp/"))
                  and e["size_bytes"] <= 1 << 20]  # a copy is no larger
        for path in [*packed, *STATIC]:
            status, body = read(path)
            if status == 200:
                self.assertEqual(shell.run(f"cat {path} > /tmp/copy"), 0, path)
                self.assertEqual(read("/tmp/copy"), (200, body), path)
                compared += 1
            elif "/secret/" in path:
                self.assertNotEqual(shell.run(f"cat {path} > /tmp/copy"), 0, path)
                self.assertNotEqual(shell.run(f"cp {path} /tmp/copied"), 0, path)
                self.assertNotIn(SECRET, read("/tmp/copy")[1] + read("/tmp/copied")[1], path)
        self.assertGreater(compared, len(PACKED) + 3)
        self.assertEqual(shell.run("rm /tmp/copy"), 0)

    def test_what_the_shell_writes_is_there(self):
        if not has_shell():
            self.skipTest("this image has no shell")
        shell = Shell()
        for line in ("mkdir /tmp/d", "echo one > /tmp/d/a", "echo two >> /tmp/d/a", "cp /tmp/d/a /tmp/d/b",
                     "mv /tmp/d/b /tmp/d/c", "echo new > /tmp/d/a"):
            self.assertEqual(shell.run(line), 0, line)
        self.assertEqual(read("/tmp/d/a"), (200, b"new\n"))
        self.assertEqual(read("/tmp/d/c"), (200, b"one\ntwo\n"))
        now = time.time_ns()
        for entry in entries("/tmp/d"):
            self.assertIn(entry["name"], ("a", "c"))
            self.assertTrue(abs(now - entry["mtime_ns"]) < 600e9, entry)
        # A secret that was written here is none of the network's business.
        self.assertEqual(shell.run("mkdir /tmp/d/secret"), 0)
        self.assertEqual(shell.run("cp /tmp/d/a /tmp/d/secret/k"), 0)
        self.assertEqual(read("/tmp/d/secret/k")[0], 403)
        self.assertEqual(shell.run("mv /tmp/d/secret/k /tmp/d/k"), 0)
        self.assertEqual(read("/tmp/d/k")[0], 403)
        for line in ("rm /proc/version", "rm /dev", "mkdir /net/x", "echo x > /proc/x", "mv /tmp /tmp/d"):
            self.assertNotEqual(shell.run(line), 0, line)
        for line in ("rm /tmp/d/k", "rm -r /tmp/d/secret", "rm /tmp/d/a /tmp/d/c", "rm -r /tmp/d"):
            self.assertEqual(shell.run(line), 0, line)
        self.assertEqual(entries("/tmp"), [])

    def test_the_largest_that_can_be_written_is_read(self):
        if not has_shell():
            self.skipTest("this image has no shell")
        shell = Shell()
        for size in (1 << 20, (1 << 20) - 1, (1 << 20) - 24, (1 << 20) - 64):
            self.assertEqual(shell.run(f"head -c {size} /dev/zero > /tmp/largest"), 0)
            status, body = read("/tmp/largest")
            self.assertEqual((status, len(body), body.count(0)), (200, size, size))
        self.assertEqual(shell.run("rm /tmp/largest"), 0)

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
