#!/usr/bin/python3
"""`make run` as a person types it, in a copy of the tree: it configures, builds, boots and serves.

The copy and a network of its own keep it apart from everything that runs beside it: port 1234 for gdb is
free there, and so is the address of the TAP device.
"""
import atexit
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import gdbstub
import mazu

LIMIT_S = 600
QUIT = b"\x01x"  # Ctrl-A X, as run.sh says
NOT_OURS = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "O", "KCONFIG_CONFIG", "LLVM", "RELEASE", "DEBUG", "V", "APPEND",
            "GDB", "TAP", "IF", "DISK", "INITRD", "SMP", "MEM", "PORT")


def setUpModule():
    global tree
    tree = tempfile.mkdtemp(prefix="mazu-run-")
    atexit.register(shutil.rmtree, tree, True)
    files = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], check=True, capture_output=True).stdout
    for name in filter(os.path.exists, files.decode().split("\0")):
        os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
        shutil.copy2(name, f"{tree}/{name}")
    # The network that this runs in reaches nothing, so what the page is made with is there already.
    os.symlink(os.path.abspath("web/node_modules"), f"{tree}/web/node_modules")


class Run:
    """`make run VARIABLES...` on a pipe instead of a terminal."""

    def __init__(self, *variables):
        env = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*mazu.DIE_WITH_PARENT, "make", "run", *variables], cwd=tree, env=env,
                                        stdin=subprocess.PIPE, stdout=self.out, stderr=subprocess.STDOUT,
                                        start_new_session=True)
        self.end = time.monotonic() + LIMIT_S

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, 9)
        self.process.wait()
        self.process.stdin.close()
        self.out.close()

    def text(self):
        self.out.seek(0)
        return self.out.read().decode(errors="replace")

    def until(self, what):
        """The first true value of what(); fails with what was printed."""
        while not (value := what()):
            assert self.process.poll() is None, f"make run ended by itself:\n{self.text()}"
            assert time.monotonic() < self.end, f"that did not come about:\n{self.text()[-3000:]}"
            time.sleep(0.1)
        return value

    def said(self, pattern):
        return self.until(lambda: re.search(pattern, self.text(), re.M))

    def page(self, url):
        self.said("web: serving")
        done = subprocess.run(["curl", "-fsS", "--noproxy", "*", "--max-time", "120", url], check=False,
                              capture_output=True)
        assert done.returncode == 0, f"curl {url}: {done.stderr.decode()}\n{self.text()[-3000:]}"
        return done.stdout

    def leave(self):
        """As a person does."""
        self.process.stdin.write(QUIT)
        self.process.stdin.flush()
        try:
            return self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"Ctrl-A X does not end it:\n{self.text()[-3000:]}") from None


def index():
    with open("web/index.html", "rb") as f:
        return f.read()


class RunTest(unittest.TestCase):
    def test_1_from_nothing_to_the_page(self):
        port = mazu.free_port()
        self.assertFalse(os.path.exists(f"{tree}/.config"))
        with Run(f"PORT={port}") as run:
            self.assertEqual(run.page(f"http://localhost:{port}/"), index())
            self.assertIn(f"dashboard at http://localhost:{port}/", run.text())
            self.assertEqual(run.leave(), 0)
        self.assertTrue(os.path.exists(f"{tree}/.config"))

    def test_a_port_in_use_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            with Run(f"PORT={port}") as run:
                self.assertNotEqual(run.process.wait(LIMIT_S), 0)
                self.assertIn(f"port {port} of this machine is in use", run.text())

    def test_over_tap(self):
        with Run("TAP=1", "SMP=2") as run:
            self.assertEqual(run.page(f"http://{mazu.TAP_GUEST}/"), index())
            # A busy host makes the example's control loop late, which is no fault of the guest.
            lines = [line for line in run.text().splitlines() if "control_loop" not in line]
            self.assertNotIn("warning", "\n".join(lines))
            self.assertEqual(run.leave(), 0)

    def test_an_initrd_is_served(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/note", "w", encoding="utf-8") as f:
                f.write("packed by hand\n" * 1000)
            subprocess.run([sys.executable, "tools/mkramfs.py", "-o", f"{folder}/extra.img", f"notes/one={folder}/note"],
                           check=True)
            port = mazu.free_port()
            with Run(f"PORT={port}", f"INITRD={folder}/extra.img") as run:
                got = run.page(f"http://localhost:{port}/api/fs/read?path=/initrd/notes/one")
                self.assertEqual(got.decode(), "packed by hand\n" * 1000)

    def test_gdb_is_waited_for(self):
        port = mazu.free_port()
        with Run(f"PORT={port}", "GDB=1") as run:
            run.said("waiting for gdb")

            def attached():
                try:
                    return socket.create_connection(("127.0.0.1", 1234), timeout=60)
                except ConnectionRefusedError:
                    return None
            with run.until(attached) as s:
                stub = gdbstub.Stub(s)
                self.assertRegex(stub.exchange(b"?"), rb"^[TS]05")
                reset_vector = stub.exchange(b"m1000,4")
                self.assertRegex(reset_vector, rb"^[0-9a-f]{8}$")
                self.assertNotIn("OpenSBI", run.text())  # not one instruction until it is told to
                stub.send(b"D")  # detach: the machine runs
                self.assertEqual(run.page(f"http://localhost:{port}/"), index())


if __name__ == "__main__":
    mazu.own_network(tap=False)  # TAP=1 makes its own
    unittest.main()
