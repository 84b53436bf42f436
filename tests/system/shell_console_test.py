#!/usr/bin/python3
"""The shell on the serial console: what a person types there, on four harts of a debug build.

Nothing here waits for a time: each step waits for what it must see. The last test types into a boot of
its own, in virtual time, to see the session end that nobody uses.
"""
import os
import re
import sys
import unittest

import mazu

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
PROMPT = r"mazu:\S*\$ "
LEFT, UP, CTRL_C, CTRL_D = "\x1b[D", "\x1b[A", "\x03", "\x04"


class Console:
    """What comes after the last step, the log and the drawing of rows aside."""

    def __init__(self, guest):
        self.guest, self.at = guest, 0

    def text(self):
        rows = re.sub(r"\n?\[ *\d+\.\d+\] .*\n", "\n", self.guest.serial()[self.at:])
        return re.sub(r"\x1b\[\d*[A-Z]", "", rows)

    def mark(self):
        self.at = len(self.guest.serial())

    def wait(self, pattern, timeout=100):
        end = mazu.time.monotonic() + timeout
        while not (match := re.search(pattern, self.text(), re.M)):
            if mazu.time.monotonic() > end or self.guest.closed:
                raise AssertionError(f"no {pattern!r} in {self.text()!r}")
            with self.guest.grown:
                self.guest.grown.wait(0.2)
        return match

    def says(self, keys, pattern):
        """Types, and waits until the answer is there and a prompt behind it."""
        self.mark()
        self.guest.type(keys)
        return self.wait(pattern + r"(?:.|\n)*" + PROMPT)


class Shell(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.guest = mazu.Mazu(ELF, smp=4, net="frames", limit=800)
        cls.addClassCleanup(cls.guest.process.stdout.close)
        cls.addClassCleanup(cls.guest.kill)
        cls.guest.wait_for(PROMPT)
        cls.con = Console(cls.guest)

    def setUp(self):
        self.con.says("cd /; echo at''ease\n", r"^atease$")

    def test_the_script_at_boot_has_run(self):
        self.guest.wait_for(r"\] \d init: the script /init has run$")

    def test_a_line_is_edited(self):
        self.con.says(f"ecXho onf{LEFT}{LEFT}{LEFT}{LEFT}{LEFT}{LEFT}\x7f\x05\x7fe\n", r"^one$")
        self.con.says("two\x01echo \x05 three\n", r"^two three$")
        self.con.says("gone\x15echo k\xc3\xa4se\n".encode("latin1").decode(), r"^käse$")
        self.con.says("echo a b c\x17\x17d \x19\n", r"^a d b$")

    def test_history(self):
        self.con.says("echo first\n", r"^first$")
        self.con.says("echo second\n", r"^second$")
        self.con.says(f"{UP}{UP}\n", r"^first$")
        self.con.says("\x12sec\n", r"^second$")
        self.con.says("history\n", r"^\d+  echo first\n\d+  echo second$")

    def test_completion(self):
        self.con.says("hel\t ech\t\x15ec\t /hel\t\n", r"^/hello.txt$")
        self.con.mark()
        self.guest.type("cat /proc/c\t\t")
        self.con.wait(r"^callouts  config  cpuinfo *$(?:.|\n)*cat /proc/c$")
        self.con.says("pu\t\n", r"^harts |cpu")

    def test_pipes_redirection_variables(self):
        self.con.says("cat /hello.txt | cat | cat\n", r"^Hello from Mazu\.")
        self.con.says("cat < /hello.txt > /dev/null; echo \"[$?]\"\n", r"^\[0\]$")
        self.con.says("cat /none 2> /dev/null; echo \"[$?]\"\n", r"^\[1\]$")
        self.con.says("NAME='a  b'; echo \"<$NAME>\" ${NAME}c\n", r"^<a  b> a  bc$")
        self.con.says("echo one > /a; echo two >> /a; cat /a; echo three > /a; cat < /a\n", r"^one\ntwo\nthree$")
        self.con.says("echo x > /proc/uptime\n", r"/proc/uptime: access denied")
        self.con.says("cat /none > /b 2>&1; cat /b | cat\n", r"^cat: /none: no such file")
        self.con.says("cd /proc; cat uptime | cat; pwd\n", r"^/proc$")
        self.con.says("cat /proc/ver; true && false || echo or\n", r"no such file(?:.|\n)*^or$")
        self.con.says("echo 'open\n", r"a quote is not closed")
        self.con.says("cat --help\n", r"^cat \[FILE\]")

    def test_cat_gives_the_bytes_of_a_file(self):
        with open("rootfs/hello.txt", encoding="utf-8") as f:
            said = self.con.says("cat /hello.txt; echo en''d\n", r"hello.txt; echo en''d\n((?:.|\n)*)^end$")
        with open("rootfs/hello.txt", encoding="utf-8") as f:
            self.assertEqual(said.group(1).replace("\n\n", "\n").strip(), f.read().strip())

    def test_jobs_in_the_background(self):
        self.con.says("sleep 1000 &\n", r"^\[1\] sleep 1000$")
        self.con.says("jobs\n", r"^\[1\] runs: sleep 1000$")
        self.con.says("kill %1; wait %1; echo \"[$?]\"\n", r"^\[130\]$")
        self.con.says("sleep 1 & wait; echo \"[$?]\"\n", r"^\[0\]$")

    def interrupt(self, line, running):
        self.con.mark()
        self.guest.type(line)
        if running:
            self.con.wait(running)
        self.guest.type(CTRL_C)
        self.con.wait(r"\^C\n(?:.|\n)*" + PROMPT)

    def test_ctrl_c(self):
        for line in ("sleep 1000\n", "cat /dev/zero > /dev/null\n", "cat /dev/zero | cat > /dev/null\n", "cat\n"):
            self.interrupt(line, re.escape(line.strip()) + r"\n")
            self.con.says("echo \"[$?]\"\n", r"^\[130\]$")
        self.interrupt("echo not this", r"not this$")
        self.con.says("echo but this\n", r"^but this$")

    def test_the_log_does_not_tear_a_row(self):
        """A record that comes while a line is being typed stands in a row of its own, and the line again behind it."""
        self.con.mark()
        self.guest.type("echo half")
        self.con.wait(r"echo half$")
        claim = bytes.fromhex("ffffffffffff 020000000099 0806 0001 0800 06 04 0002 020000000099 0a00020f ffffffffffff 0a00020f")
        self.guest.send_frame(claim)  # which the guest logs
        self.guest.wait_for(r"^\[ *\d+\.\d+\] \d warning: arp: our address is claimed.*\n(?:\[.*\n)*mazu:/\$ echo half")
        self.guest.type(" a line\n")
        self.con.wait(r"^half a line$")
        text = self.guest.serial()
        records = len(re.findall(r"\[ *\d+\.\d{6}\] ", text))
        self.assertEqual(records, len(re.findall(r"^\[ *\d+\.\d{6}\] ", text, re.M)), "a record in the middle of a row")

    def test_exit_and_a_new_session(self):
        self.con.says("A=1; echo \"<$A>\"\n", r"^<1>$")
        for leave in ("exit\n", CTRL_D):
            self.con.mark()
            self.guest.type(leave)
            self.con.wait(r"^The session is over; press Enter for a new one\.$")
            self.con.says("\n", r"^Mazu: help lists the commands")
            self.con.says("echo \"<$A>\"\n", r"^<>$")


class Idle(unittest.TestCase):
    def test_a_session_that_nobody_uses_ends(self):
        """In virtual time, which leaps from one event to the next."""
        with mazu.Mazu(ELF, smp=1, icount=True, append="loglevel=error", limit=600) as guest:
            guest.wait_for(PROMPT)
            guest.type("cat /proc/threads\n")
            loop = guest.wait_for(r"^(\d+) 0 control_loop ").group(1)  # whose milliseconds would have to be simulated
            guest.type(f"echo kill > /proc/thread/{loop}/ctl\n")
            guest.wait_for(r"^The session is over; press Enter for a new one\.$")


def main():
    result = unittest.main(exit=False, argv=[sys.argv[0], *sys.argv[1:]]).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
