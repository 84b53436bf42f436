#!/usr/bin/python3
"""The shell's commands, as a user types them on the serial console: what each does, its --help, wrong usage, Ctrl-C.

The guest's network is QEMU's own, where 10.0.2.2 is this machine and answers pings; a small HTTP server is run here
for fetch. What needs answers of its own making gets them as frames.
"""
import datetime
import http.server
import itertools
import os
import re
import threading
import time
import unittest

from scapy.layers.inet import ICMP, IP

import frames
import mazu
from frames import raw

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
PROMPT = r"mazu:\S*\$ "
CTRL_C = "\x03"
PATIENCE = int(os.environ.get("PATIENCE", "100"))
COMMANDS = ("ls cp mv rm mkdir grep head wc ps top kill free uptime dmesg net ping fetch date sched bench reboot "
            "help cat echo").split()


class Console:
    """What the guest says, the log and the drawing of rows aside."""

    numbers = itertools.count(1)

    def __init__(self, guest):
        self.guest = guest

    def text(self, since=0):
        rows = re.sub(r"\n?\[ *\d+\.\d+\] .*\n", "\n", self.guest.serial()[since:])
        return re.sub(r"\x1b\[\d*[A-Z]", "", rows)

    def wait(self, pattern, since):
        end = time.monotonic() + PATIENCE
        while not (match := re.search(pattern, self.text(since), re.M | re.S)):
            if time.monotonic() > end or self.guest.closed:
                raise AssertionError(f"no {pattern!r} in {self.text(since)!r}")
            with self.guest.grown:
                self.guest.grown.wait(0.2)
        return match

    def run(self, line):
        """The exit status of a line, and what it said."""
        n, since = next(self.numbers), len(self.guest.serial())
        self.guest.type(f"echo B''EG{n}; {line}; echo E''ND{n}=$?\n")
        match = self.wait(rf"^BEG{n}$\n(.*?)END{n}=(\d+)\n", since)
        return int(match[2]), match[1]

    def begin(self, line, pattern):
        """Starts a line, waits for what it says; from where on that stands."""
        n, since = next(self.numbers), len(self.guest.serial())
        self.guest.type(f"echo B''EG{n}; {line}\n")
        self.wait(rf"^BEG{n}$\n.*?{pattern}", since)
        return since

    def cancelled(self, line, pattern):
        """Starts it, and ends it by Ctrl-C when it has said that: its exit status."""
        since = self.begin(line, pattern)
        at = len(self.guest.serial())
        self.guest.type(CTRL_C)
        self.wait(PROMPT, at)
        self.guest.type("echo E''ND=$?\n")
        return int(self.wait(r"^END=(\d+)\n", since)[1])


class Server(http.server.BaseHTTPRequestHandler):
    """/plain /chunked /close /gone /moved /silent /odd /evil: responses of every kind."""

    protocol_version = "HTTP/1.1"
    release = threading.Event()
    BODY = b"0123456789abcde\n" * 1000

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if self.path == "/silent":
            self.release.wait(PATIENCE)
            return
        if self.path in ("/odd", "/evil"):
            self.wfile.write(b"HTTP/1.1 404 " + (b"gr\xfc\x9b2J" if self.path == "/odd" else b"\x1b[31m") + b"\r\n\r\n")
            self.close_connection = True
            return
        if self.path == "/close":
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + self.BODY)
            self.close_connection = True
            return
        self.send_response({"/gone": 410, "/moved": 301}.get(self.path, 200))
        body = f"{self.headers['X-Test']} {self.headers['Host']}\n".encode() if self.path == "/field" else self.BODY
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.path == "/chunked":
            for at in range(0, len(body), 777):
                piece = body[at:at + 777]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            body = b"0\r\n\r\n"
        self.wfile.write(body)

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # who reads only the beginning goes before the end

    def log_message(self, *_):
        pass


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.guest = mazu.Mazu(ELF, smp=2, net="user", limit=1100)
        cls.addClassCleanup(cls.guest.kill)
        cls.guest.wait_for(PROMPT)
        cls.con = Console(cls.guest)
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        cls.server.daemon_threads = True
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        cls.url = f"http://10.0.2.2:{cls.server.server_address[1]}"

    def good(self, line, pattern=""):
        status, text = self.con.run(line)
        self.assertEqual(status, 0, f"{line}: {text}")
        self.assertRegex(text, re.compile(pattern, re.M | re.S))
        return text

    def bad(self, line, pattern, wanted=1):
        status, text = self.con.run(line)
        self.assertEqual(status, wanted, f"{line}: {text}")
        self.assertRegex(text, re.compile(pattern, re.M | re.S))
        return text

    # --- all of them

    def test_help(self):
        text = self.good("help")
        for name in COMMANDS:
            self.assertRegex(text, rf"(?m)^\s*{name}\b", f"help does not name {name}")
            self.good(f"{name} --help", rf"\A{name}\b")

    def test_wrong_usage_is_told_and_changes_nothing(self):
        for name in set(COMMANDS) - {"help", "echo"}:
            self.bad(f"{name} -Z", rf"{name}: unknown option -Z; try {name} --help", 2)
        for line, why in (("kill", "an operand is missing"), ("ping", "an operand is missing"), ("cp x", "an operand"),
                          ("uptime now", "too many operands, from now on"), ("head -n x", "-n takes a number"),
                          ("head -n", "a value is missing"), ("ping -i x 10.0.2.2", "-i takes a duration"),
                          ("ping -s 1473 10.0.2.2", "from 0 to 1472"), ("grep [ /hello.txt", "ends within"),
                          ("dmesg -l loud", "error, warning, info or debug"), ("net all", "is none of"),
                          ("sched stop", "is none of"), ("sched demo start 1ms", "are wanted"),
                          ("sched demo start 1x 2 3", "1x is no duration"), ("sched demo busy 2s", "up to a second"),
                          ("sched load", "to start or to stop"), ("bench light", "is none of"), ("ps -s mood", "takes tid"),
                          ("fetch ftp://x", "only http"), ("fetch https://10.0.2.2/", "https is not spoken"),
                          ("sleep 2x", "2x is no duration up to 1000h"), ("sleep 1001h", "is no duration up to 1000h"),
                          ("sleep 1 2", "too many operands"), ("fetch -H x http://10.0.2.2/", "takes a field")):
            self.bad(line, re.escape(why), 2)

    # --- ctl files

    def test_what_a_file_refuses_is_told_with_its_reason(self):
        tid = re.search(r"(?m)^ *(\d+) control_loop ", self.good("ps"))[1]
        ctl = f"/proc/thread/{tid}/ctl"
        why = rf"{ctl}: refused on hart \d+: \S+ \S+ are due within 1 ms, which give 950 us \(\d+.* of the hart is asked for, 95% is there\)$"
        line = "deadline 990000 1000000 1000000"
        self.bad(f"echo {line} > {ctl}", rf"^echo: {why}")
        self.bad(f"echo {line} | cat > {ctl}", rf"^cat: {why}")
        self.bad(f"echo {line} > /tmp/line; cp /tmp/line {ctl}", rf"^cp: {why}")
        self.bad("echo nonsense > /net/ctl", r"^echo: /net/ctl: refused: expected address, gateway, up or down$")
        self.good("rm /tmp/line", r"\A\Z")

    def test_sleep(self):
        self.good("sleep 10ms; sleep 0.01; sleep 0", r"\A\Z")
        self.assertEqual(self.con.cancelled("sleep 1000h", ""), 130)

    # --- files and text

    def test_ls(self):
        self.good("ls /", r"\bproc/")
        text = self.good("ls -l /", r"^-r\S+ +\d+ +\S+ hello.txt$")
        self.assertRegex(text, r"(?m)^d\S+ .* proc$")
        self.good("ls -l /dev", r"^c\S+ .* console$")
        names = self.good("ls -1 /proc").split()
        self.assertEqual(names, sorted(names))
        self.assertEqual(self.good("ls /proc | cat").split(), names)
        self.good("cd /proc; ls -l version; cd /", r"^-r\S+ .* version$")
        self.bad("ls /nosuch /hello.txt", r"ls: /nosuch: no such file.*^/hello.txt$")

    def test_text(self):
        hello = self.good("cat /hello.txt")
        lines, words, size = (int(n) for n in self.good("wc /hello.txt").split()[:3])
        self.assertEqual((lines, words, size), (hello.count("\n"), len(hello.split()), len(hello)))
        self.assertEqual(self.good("cat /hello.txt | wc -c").split(), [str(size)])
        self.good("wc -l /hello.txt /proc/version", r"^ *\d+ total$")
        self.assertEqual(self.good("head -c 5 /hello.txt"), hello[:5])
        self.assertEqual(self.good("head -2 /proc/meminfo").count("\n"), 2)
        self.good("head -n 1 /proc/version /proc/uptime", r"^==> /proc/version <==$.*^==> /proc/uptime <==$")
        self.good("head -c 70000 /dev/zero | wc -c", r"^ *70000$")
        self.assertEqual(self.good("grep ^free /proc/meminfo").count("\n"), 2)
        self.good("grep -in FREE_B.*[0-9]$ /proc/meminfo", r"\A2:free_bytes \d+\n\Z")
        self.good("cat /proc/meminfo | grep -vc free", r"\A\d+\n\Z")
        self.good("grep -F _min_ /proc/meminfo /proc/uptime", r"\A/proc/meminfo:free_min_bytes \d+\n\Z")
        self.bad("grep nothing /proc/meminfo", r"\A\Z")
        self.bad("grep x /nosuch", "no such file", 2)

    def test_files(self):
        if self.con.run("mkdir /t")[0]:
            self.bad("mkdir /t; cp /hello.txt /x; rm /hello.txt; mv /hello.txt /y", r"(mkdir|cp|rm|mv): .*read-only")
            return
        self.good("mkdir -p /t/a/b/c; mkdir -p /t/a")
        self.bad("mkdir /t", "exists already")
        self.bad("mkdir /t/x/y", "no such file")
        self.good("cp /hello.txt /t/a; cp /t/a/hello.txt /t/h; cat /t/h", "Hello")
        self.bad("cp /t/a /t/n", "is a directory; cp -r")
        self.bad("cp -r /t /t/a", "into itself")
        self.bad("cp /t/h /t/h", "the same file")
        self.bad("cp /hello.txt /t/h /t/none", "is not a directory")
        self.good("cp -r /t/a /t/n; ls /t/n | cat", r"^b/$.*^hello.txt$")
        self.good("mv /t/h /t/n/i; ls /t | cat", r"\Aa/\nn/\n\Z")
        self.good("mv /t/n/i /t/n/hello.txt; wc -l /t/n/hello.txt")
        self.bad("mv /t/a /t/a/b", r"^mv: ")
        self.bad("mv /t/a /t/none/a", r"^mv: /t/none/a: no such file")
        self.bad("mv /t/none /t/a/b", r"^mv: /t/none: no such file")
        self.bad("rm /t/n", "is a directory; rm -r")
        self.bad("rm /t/none", "no such file")
        self.good("rm -f /t/none; rm -r /t; ls / | grep -c ^t/$; true", r"^0$")
        for line in ("rm /proc/version", "mkdir /proc/x", "cp /hello.txt /net/x", "mv /proc/version /x"):
            self.bad(line, rf"^{line.split()[0]}: .*(read-only|not supported|no such)")
        self.bad("rm -r /proc", r"^rm: ")

    # --- threads

    def test_ps_and_top(self):
        text = self.good("ps", r"\A *TID NAME +STATE +CLASS +PRIO HART %CPU +TIME STACK DOMAIN")
        tids = [int(line.split()[0]) for line in text.splitlines()[1:]]
        self.assertEqual(tids, sorted(tids))
        self.assertRegex(text, r"(?m)^ *\d+ control_loop +\w+ +deadline +- ")
        self.assertRegex(text, r"(?m) ps +running ")
        shares = [float(line.split()[6]) for line in self.good("ps -s cpu -d 100ms").splitlines()[1:]]
        self.assertEqual(shares, sorted(shares, reverse=True))
        names = [line.split()[1] for line in self.good("ps -s name").splitlines()[1:]]
        self.assertEqual(names, sorted(names))
        self.good("top -d 50ms | cat", r"\Aup 0:\d\d:\d\d, \d+ threads, memory .*\nhart 0: +\d+\.\d% busy.*\nhart 1.*\n *TID")
        self.assertEqual(self.good("top -d 50ms | grep -c ^up"), "1\n")
        self.assertEqual(self.good("top -d 50ms -n 3 | grep -c ^up"), "3\n")

    def test_top_on_the_terminal(self):
        since = self.con.begin("top -d 50ms", r"threads, memory.*?threads, memory")
        self.guest.type("q")
        self.con.wait(PROMPT + r"\Z", since)
        self.good("true")
        self.assertEqual(self.con.cancelled("top -d 1h", ""), 130)

    def test_kill(self):
        self.bad("kill klog", r"kill: \d+ \(klog\) is a thread of the system, which needs it: it is not killed")
        self.bad("kill 999999", "no thread with that id")
        self.bad("kill nobody", "no thread of that name")
        since = self.con.begin("ping 10.0.2.2 > /dev/null &", PROMPT)
        self.good("ps", r" ping ")
        self.good("kill ping")
        self.con.wait(r"\[1\] +\S+", since)
        for _ in range(PATIENCE):
            if " ping " not in self.good("ps"):
                break
            time.sleep(0.1)
        self.assertNotIn(" ping ", self.good("ps"))

    # --- the system

    def test_system(self):
        self.good("free", r"\Awhat +total +used +free .*^memory +\d+M .*^stacks +\d+ ")
        self.good("free -p", r"\Aname .*^thread ")
        self.good("uptime", r"\Aup 0:\d\d:\d\d, 2 harts, load \d+\.\d% \d+\.\d%$")
        now = datetime.datetime.now(datetime.timezone.utc)
        told = datetime.datetime.fromisoformat(self.good("date").strip().replace("Z", "+00:00"))
        self.assertLess(abs((told - now).total_seconds()), 600)
        self.assertLess(abs(int(self.good("date -n")) / 1e9 - told.timestamp()), 600)

    def test_dmesg(self):
        """The log's own lines look like those of the console, which run() leaves out: so they are counted here."""
        count = int(self.good("dmesg | wc -l"))
        self.assertGreater(count, 5)
        self.assertEqual(self.good("dmesg -n 3 | wc -l").strip(), "3")
        self.assertEqual(self.good("dmesg -2 | wc -l").strip(), "2")
        self.assertLess(int(self.good("dmesg -l warning | wc -l")), count)
        self.good("dmesg | grep -c 'uart: console'", r"^1$")

    def test_bench(self):
        text = self.good("bench", r"^tcp: 4 MiB over loopback, \d+ KiB/s$")
        for what in "yield_switch mutex_lock_unlock semaphore_post_wait semaphore_ping_pong sleep_wakes_late_by".split():
            self.assertRegex(text, rf"(?m)^{what}( +\d[\d.]*[num]?s?){{4}}$")
        self.assertNotIn("mutex", self.good("bench yield"))

    # --- deadlines

    def demo(self):
        """The demonstration loop's row of `sched`: a dict."""
        text = self.good("sched")
        head = next(line for line in text.splitlines() if "RUNTIME" in line).split()
        rows = [line.split() for line in text.splitlines() if " demo_loop " in line]
        return dict(zip(head, rows[0])) if rows else None

    def test_sched(self):
        self.good("sched", r"\AHART MODE THREADS ADMITTED CAPACITY .*^ *\d+ control_loop +0 +200us +1ms +1ms ")
        self.assertEqual(self.good("sched watch -n 2 -d 20ms").count("ADMITTED"), 2)
        self.bad("sched demo stop", "does not run")
        self.bad("sched demo set 1ms 2ms 2ms", "does not run")
        self.good("sched demo", "does not run")
        self.bad("sched demo start 1ms 1ms 1ms", r"sched: refused on hart \d: .*% is there")
        self.bad("sched demo start 2ms 1ms 1ms", r"refused.*the runtime is longer than the deadline")
        self.assertIsNone(self.demo())
        # A budget that a slow host does not use up by being slow.
        self.good("sched demo start 20ms 100ms 100ms", r"\Aadmitted on hart \d: .*% of the hart is asked for")
        self.good("sched demo busy 1ms")
        self.bad("sched demo start", "runs already")
        self.good("sched demo", r"each job computes for 1ms")
        self.bad("sched demo set 100ms 100ms 100ms", "refused")
        self.assertEqual(self.demo()["RUNTIME"], "20ms")
        self.good("sched load start; sched load start; sched demo", r"the load runs already.*load: 2 threads")
        self.good("sched demo busy 60ms")
        for _ in range(PATIENCE):
            if int(self.demo()["OVERRUNS"]) > 2:
                break
            time.sleep(0.2)
        self.assertGreater(int(self.demo()["OVERRUNS"]), 2, "no budget was spent")
        self.good("sched demo set 30ms 200ms 200ms", "admitted")
        self.assertEqual(self.demo()["PERIOD"], "200ms")
        self.good("sched load stop; sched demo stop")
        self.bad("sched load stop", "no load runs")
        self.assertIsNone(self.demo())
        self.good("sched demo start 20ms 100ms 100ms; kill demo_loop; sched demo stop; sched demo", "does not run")

    # --- the network

    def test_net(self):
        self.good("net", r"^eth0 +10\.0\.2\.15/24 +10\.0\.2\.2$.*^name .*^eth0 ")
        self.good("net route", r"^destination +gateway +iface$.*10\.0\.2\.2 +eth0")
        self.good("ping -qc 1 -W 60s 10.0.2.2; net arp", r"^10\.0\.2\.2 +\S+ +eth0 +\w+ +\d")
        self.good("net tcp", r"^ID +STATE .*LISTEN +0\.0\.0\.0:80 ")
        self.good("net stats", r"^ip_rx +\d+$.*^opened_active +\d+$")

    def test_ping(self):
        self.good("ping -c 2 -i 50ms -W 60s 10.0.2.2", r"\A64 bytes from 10\.0\.2\.2: seq=1 ttl=\d+ time=\d+\.\d{3} ms\n.*seq=2 .*\n"
                  r"2 sent, 2 received, 0\.0% lost; least/mean/most \d+\.\d{3}/")
        self.good("ping -c 1 -W 60s -s 1472 localhost", "1480 bytes from 127.0.0.1")
        self.good("ping -qc 1 -W 60s mazu", r"\A1 sent, 1 received")
        self.bad("ping -c 1 -W 50ms 127.0.0.300", "no such name")
        self.bad("ping -c 1 255.255.255.255", "not the address of one host")
        self.bad("ping -c 2 -i 20ms -W 20ms 10.0.2.99", r"^2 sent, 0 received, 100\.0% lost$")

    def test_fetch(self):
        body = Server.BODY.decode()
        for path in ("/plain", "/chunked", "/close"):
            self.good(f"fetch {self.url}{path} | wc -c", rf"\A *{len(body)}$")
            self.assertEqual(self.good(f"fetch {self.url}{path} | head -n 2"), body[:32])
        self.good(f"fetch -I {self.url}/plain", rf"\AHTTP/1.1 200 OK\n.*Content-Length: {len(body)}\n\n\Z")
        self.good(f"fetch -i {self.url}/chunked | head -1", r"\AHTTP/1.1 200 OK\n\Z")
        self.good(f"fetch -H 'X-Test: a b' {self.url}/field", rf"\Aa b {self.url[7:]}\n\Z")
        self.bad(f"fetch {self.url}/gone > /dev/null", "410 Gone")
        self.bad(f"fetch {self.url}/moved > /dev/null", "301 Moved Permanently.*fetch -I shows where to")
        self.bad(f"fetch -m 100 {self.url}/plain > /dev/null", "longer than 100 bytes")
        self.bad(f"fetch {self.url}/odd", r"404 gr\?\?2J$")
        self.assertNotIn("\x1b[31m", self.bad(f"fetch {self.url}/evil", "a character that must not stand in the head"))
        self.bad("fetch http://nosuch/", "no such name")
        self.bad("fetch http://localhost:1/", "connecting: the peer refused")
        self.good("fetch http://localhost/api/arp", r'"entries"')
        if self.con.run(f"fetch -o /got {self.url}/plain")[0] == 0:
            self.good("wc -lc /got", rf"\A *1000 +{len(body)} /got$")
            for where in ("http://localhost:1/", "http://nosuch/", f"{self.url}/evil"):
                self.bad(f"fetch -o /got {where}", "fetch: ")
            self.good("wc -lc /got", rf"\A *1000 +{len(body)} /got$")  # nothing came that would replace it
            self.good(f"fetch -o /got {self.url}/close; wc -lc /got; rm /got", rf"\A *1000 +{len(body)} /got$")
        self.bad(f"fetch -o /proc/x {self.url}/plain", "fetch: ")

    # --- Ctrl-C

    def test_commands_that_wait_are_cancelled(self):
        for line, said in (("ping -i 50ms 10.0.2.2", r"seq=1 .*?seq=2 "), ("dmesg -f", r"uart: console"),
                           ("sched watch -d 50ms", r"ADMITTED.*?ADMITTED"), ("ps -d 1h", ""), ("head", ""), ("wc", ""),
                           ("cat /dev/zero | wc", ""), (f"fetch {self.url}/silent", ""), ("bench", ""),
                           ("reboot", "starts again")):
            with self.subTest(line):
                if "dmesg" in line:  # its lines look like the console's own
                    line = "dmesg -f | grep -F uart | cat | head -c 5; dmesg -f > /dev/null"
                    said = ""
                self.assertEqual(self.con.cancelled(line, said), 130, line)
        Server.release.set()
        self.good("ps", r"\A *TID")
        for name in ("ping", "fetch", "bench", "dmesg"):
            self.assertNotIn(f" {name} ", self.good("ps"))


class Reboot(unittest.TestCase):
    def test_the_machine_starts_again(self):
        with mazu.Mazu(ELF, smp=2) as guest:
            guest.wait_for(PROMPT)
            guest.type("reboot\n")
            guest.wait_for(r"^the machine starts again")
            self.assertEqual(guest.wait(), 0)  # QEMU was told to end then


class PingOverTheWire(unittest.TestCase):
    """Replies of our own making."""

    @classmethod
    def setUpClass(cls):
        cls.stack = frames.contextlib.ExitStack()
        cls.wire = cls.stack.enter_context(frames.boot(smp=2))
        cls.addClassCleanup(cls.stack.close)
        cls.wire.guest.wait_for(PROMPT)
        cls.con = Console(cls.wire.guest)

    def request(self):
        """The next echo request of the guest, checked."""
        packet = self.wire.expect(lambda p: ICMP in p and p[ICMP].type == 8)
        frames.check_ip(packet)
        self.assertEqual((packet[IP].src, packet[IP].dst), (self.wire.guest_ip, self.wire.ip))
        return packet

    def reply(self, request, **fields):
        icmp = request[ICMP]
        data = fields.pop("data", raw(icmp.payload)[:request[IP].len - 28])
        src = fields.pop("src", self.wire.ip)
        self.wire.send(self.wire.ip_to(src=src) / ICMP(**{"type": 0, "id": icmp.id, "seq": icmp.seq, **fields}) / data)

    def finish(self, since, pattern):
        return self.con.wait(pattern + r".*?" + PROMPT, since)

    def begin(self, options):
        since = len(self.wire.guest.serial())
        self.wire.guest.type(f"ping {options} {self.wire.ip}\n")
        return since

    def test_a_reply_is_told_once_and_a_second_one_as_such(self):
        since = self.begin("-c 1 -s 100 -W 60s")
        request = self.request()
        self.assertEqual(request[IP].len, 128)
        self.reply(request)
        self.finish(since, r"108 bytes from 10\.0\.2\.2: seq=1 ttl=64 time=\S+ ms\n1 sent, 1 received, 0\.0% lost; ")
        since = self.begin("-c 3 -i 100ms -W 60s")
        request = self.request()
        self.reply(request)
        self.reply(request)
        self.con.wait(r"ms\n64 bytes from .* \(again\)$", since)
        self.request()
        self.wire.guest.type(CTRL_C)
        self.finish(since, r"^[23] sent, 1 received, \d+\.\d% lost, 1 twice; ")

    def test_what_others_say_is_not_believed(self):
        since = self.begin("-c 1 -W 60s")
        request = self.request()
        icmp = request[ICMP]
        self.reply(request, id=icmp.id ^ 1)
        self.reply(request, seq=icmp.seq + 1)
        self.reply(request, src="10.0.2.3")
        self.wire.barrier()
        self.assertNotIn("bytes from", self.con.text(since))
        self.reply(request, data=b"x" * 56)
        self.finish(since, r"\(not what was sent\)$.*1 received, .*1 damaged")

    def test_an_error_is_told(self):
        since = self.begin("-c 1 -W 60s")
        request = self.request()
        quote = raw(request[IP])[:28]
        self.wire.send(self.wire.ip_to() / ICMP(type=3, code=1) / quote)
        self.finish(since, r"from 10\.0\.2\.2: seq=1: the host cannot be reached\n1 sent, 0 received, 100\.0% lost")

    def test_no_more_than_may(self):
        for _ in range(4):
            self.wire.guest.type(f"ping -qi 1h {self.wire.ip} | ping -qi 1h {self.wire.ip} > /dev/null &\n")
            self.request()
            self.request()
        status, text = self.con.run(f"ping -c 1 {self.wire.ip}")
        self.assertEqual(status, 1)
        self.assertIn("others ping already", text)
        self.assertEqual(self.con.run("kill ping")[0], 0)


if __name__ == "__main__":
    unittest.main()
