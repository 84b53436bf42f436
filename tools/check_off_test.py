#!/usr/bin/python3
"""check_off.py sees what an option that is off leaves behind."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_off  # noqa: E402


class Off(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.before = os.getcwd()
        os.chdir(self.folder.name)
        for name in ("lib", "on/lib", "off/lib"):
            os.makedirs(name)
        with open("lib/obj.mk", "w") as f:
            f.write("obj-y += base.o\nobj-$(CONFIG_X) += x.o\n")
        with open("off/.config", "w") as f:
            f.write("# CONFIG_X is not set\n")
        self.compile("on/lib/x.o", "int x_count; int x_add(void); int x_add(void) { return ++x_count; }")
        self.base = "int base(void); int base(void) { return 1; }"
        self.compile("on/lib/base.o", self.base)

    def tearDown(self):
        os.chdir(self.before)
        self.folder.cleanup()

    def compile(self, path, text):
        subprocess.run(["gcc", "-x", "c", "-c", "-o", path, "-"], input=text, text=True, check=True)

    def check(self, base, *more):
        self.compile("off/lib/base.o", base)
        subprocess.run(["ld", "-r", "-o", "off/mazu.elf", "off/lib/base.o", *more], check=True)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = check_off.main("on", "off")
        return status, out.getvalue()

    def test_gone_is_good(self):
        status, text = self.check(self.base)
        self.assertEqual(status, 0, text)
        self.assertIn("2 passed, 0 failed", text)

    def test_a_symbol_left_in_the_image(self):
        status, text = self.check(self.base, "on/lib/x.o")
        self.assertEqual(status, 1)
        self.assertIn("CONFIG_X is off, and lib/x.o still has x_add x_count", text)

    def test_a_substitute_grown_elsewhere(self):
        status, text = self.check(self.base + " char room[64];")
        self.assertEqual(status, 1)
        self.assertIn("larger with everything off", text)


if __name__ == "__main__":
    unittest.main()
