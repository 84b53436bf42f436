"""mazu.py - one booted Mazu, for tests.

    with mazu.Mazu(elf, smp=4, net="user") as guest:
        status, headers, body = guest.wait_http("/")
        guest.wait_for(r"ready")
        guest.type("ps\\n")

    with mazu.Mazu(elf, net="frames") as guest:      # raw Ethernet, no root needed
        guest.send_frame(b"...")
        frame = guest.recv_frame(timeout=5)

    mazu.own_network()                               # first thing in the program
    with mazu.Mazu(elf, net="tap") as guest:         # a TAP device: Linux's own TCP, ARP, ping
        guest.wait_http("/")                         # at guest.url("/"), 192.168.100.2

    with mazu.Mazu(elf, append="selftest") as guest:
        assert guest.wait() == 0                     # the exit status that semihosting gives

Leaving the block ends QEMU. No guest outlives `limit` seconds. Every wait that fails raises
MazuError with the end of the serial output. Nothing here depends on how fast the machine is:
limits are there to end what hangs.
"""
import http.client
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

FRAME_MAX = 65536


# The kernel ends the child when this process dies, however it dies: no QEMU outlives its test.
DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]


class MazuError(Exception):
    pass


def reserved_port():
    """A socket bound to a port that nobody else is given while it is open; who listens with SO_REUSEADDR may, as QEMU does."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    return s


def free_port():
    """For a network of one's own, where nobody takes it meanwhile."""
    with reserved_port() as s:
        return s.getsockname()[1]


# --- a network of the test program's own

TAP, TAP_HOST, TAP_GUEST = "tap0", "192.168.100.1", "192.168.100.2"
TUN = "/dev/net/tun"
INSIDE = "MAZU_OWN_NETWORK"  # holds the id of the process that is in a namespace of its own


def own_network(tap=True):
    """Puts this program into a network namespace of its own, with a TAP device for a guest.

    To be called before anything else: the program starts again inside. Nothing is left behind, the
    namespace ends with its last process. Needs no privileges where users may make namespaces. Where
    it cannot be had the program ends with one sentence that says what is missing.
    """
    if os.environ.get(INSIDE) == str(os.getpid()):
        _furnish_network(tap)
        return
    _need_tun()
    why = "unshare is not there (util-linux)"
    for options in (["-n"], ["-Urn"]):
        try:
            probe = subprocess.run(["unshare", *options, "true"], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            break
        if probe.returncode == 0:
            os.environ[INSIDE] = str(os.getpid())  # unshare and setpriv go on in this process
            os.execvp("unshare", ["unshare", *options, *DIE_WITH_PARENT, sys.executable, *sys.orig_argv[1:]])
        why = probe.stderr.strip()
    sys.exit(f"no TAP network: a network namespace cannot be made here: {why}")


def _need_tun():
    if not os.path.exists(TUN):
        try:
            os.makedirs(os.path.dirname(TUN), exist_ok=True)
            os.mknod(TUN, stat.S_IFCHR | 0o666, os.makedev(10, 200))
        except OSError as error:
            sys.exit(f"no TAP network: there is no {TUN}, and it cannot be made ({error.strerror}): "
                     "load the module tun, or run as root")
    try:
        os.close(os.open(TUN, os.O_RDWR))
    except OSError as error:
        sys.exit(f"no TAP network: {TUN} cannot be opened: {error.strerror}")


def _furnish_network(tap):
    for name, value in (("ipv6/conf/all/disable_ipv6", "1"),  # no frames that nobody asked for
                        # A client that closes first keeps its port for a minute: many short connections need many.
                        ("ipv4/ip_local_port_range", "1024 65535"), ("ipv4/tcp_tw_reuse", "1")):
        try:
            with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as f:
                f.write(value)
        except OSError:
            pass
    device = (f"tuntap add dev {TAP} mode tap", f"addr add {TAP_HOST}/24 dev {TAP}", f"link set {TAP} up")
    for words in ("link set lo up", *(device if tap else ())):
        try:
            done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            sys.exit("no TAP network: the command ip is not there (iproute2)")
        if done.returncode != 0:
            sys.exit(f"no TAP network: ip {words}: {done.stderr.strip()}")


class Mazu:
    def __init__(self, elf, *, smp=1, mem="256M", append="", net=None, icount=False, limit=120,
                 initrd=None, disk=None, seed=None, machine="virt,aclint=on", extra=()):
        self.host, self.port, self.frames, self.reserved = "127.0.0.1", None, None, None
        self.frames_sent = 0
        self.mac = "52:54:00:12:34:56"
        fds = ()
        args = ["qemu-system-riscv64", "-M", machine, "-smp", str(smp), "-m", mem,
                "-kernel", elf, "-display", "none", "-serial", "stdio", "-monitor", "none",
                "-no-reboot", "-global", "virtio-mmio.force-legacy=false",
                "-semihosting-config", "enable=on,target=native"]
        if icount:  # True: nothing comes from outside; "network": virtual time does not leap while something might
            args += ["-icount", "shift=0" if icount == "network" else "shift=0,sleep=off", "-seed", "1", "-rtc", "clock=vm"]
        if not icount or icount == "network":
            args += ["-device", "virtio-rng-device"]
            args += ["-seed", str(seed)] if seed is not None and not icount else []
        if net == "tap":
            append = f"ip={TAP_GUEST}/24,{TAP_HOST} {append}".rstrip()
        args += ["-append", append] if append else []
        args += ["-initrd", initrd] if initrd else []
        if disk:
            args += ["-drive", f"file={disk},format=raw,if=none,id=d0",
                     "-device", "virtio-blk-device,drive=d0"]
        if net == "user":
            self.reserved = reserved_port()
            self.port = self.reserved.getsockname()[1]
            args += ["-netdev", f"user,id=n0,hostfwd=tcp:127.0.0.1:{self.port}-:80"]
        elif net == "frames":
            self.frames, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            for s in (self.frames, theirs):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            fds = (theirs.fileno(),)
            args += ["-netdev", f"dgram,id=n0,local.type=fd,local.str={fds[0]}"]
        elif net == "tap":
            assert os.environ.get(INSIDE) == str(os.getpid()), "own_network() comes first"
            self.host, self.port = TAP_GUEST, 80
            args += ["-netdev", f"tap,id=n0,ifname={TAP},script=no,downscript=no"]
        elif net is not None:
            raise ValueError(f"net is None, 'user', 'tap' or 'frames', not {net!r}")
        if net:
            args += ["-device", f"virtio-net-device,netdev=n0,mac={self.mac}"]
        self.command = args + list(extra)
        self.deadline = time.monotonic() + limit
        self.output = bytearray()
        self.grown = threading.Condition()
        self.closed = False
        self.process = subprocess.Popen(DIE_WITH_PARENT + self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, pass_fds=fds, start_new_session=True)
        if fds:
            theirs.close()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _read(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            with self.grown:
                self.output += data
                self.grown.notify_all()
        with self.grown:
            self.closed = True
            self.grown.notify_all()

    def _left(self, timeout=None):
        left = self.deadline - time.monotonic()
        return max(0.0, left if timeout is None else min(left, timeout))

    def _fail(self, text):
        tail = "\n".join(self.serial().splitlines()[-30:])
        raise MazuError(f"{text}\n--- serial output ends with:\n{tail}")

    def kill(self):
        """Ends QEMU, whatever it is doing."""
        if self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        self.reader.join(5)
        self.process.stdin.close()
        for s in (self.frames, self.reserved):
            if s:
                s.close()

    def wait(self, timeout=None):
        """The exit status, once the guest has ended itself."""
        try:
            status = self.process.wait(self._left(timeout))
        except subprocess.TimeoutExpired:
            self._fail("the guest did not end in time")
        self.reader.join(5)
        return status

    # --- serial console

    def serial(self):
        with self.grown:
            return self.output.decode(errors="replace").replace("\r\n", "\n")

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait_for(self, pattern, timeout=None):
        """Waits until the serial output matches the regular expression; the match."""
        end = time.monotonic() + self._left(timeout)
        while True:
            if match := re.search(pattern, self.serial(), re.M):
                return match
            with self.grown:
                if self.closed:
                    break
                self.grown.wait(min(0.5, max(0.01, end - time.monotonic())))
            if time.monotonic() > end:
                break
        if match := re.search(pattern, self.serial(), re.M):
            return match
        return self._fail(f"no {pattern!r} on the serial console")

    def token(self):
        """The access token, as the console shows it at boot."""
        return self.wait_for(r"^Open https?://\S*/\?token=([\w-]+)\n")[1]  # all of it: it comes in pieces

    # --- HTTP over user networking or TAP

    def url(self, path="/"):
        return f"http://{self.host}:{self.port}{path}"

    def connect(self, timeout=120):
        return socket.create_connection((self.host, self.port), timeout=timeout)

    def http(self, path, method="GET", body=None, headers=None, timeout=120):
        """One request on a connection of its own: (status, headers, body)."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Connection": "close", **(headers or {})})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def wait_http(self, path="/", timeout=None):
        """Asks until there is an answer: the guest boots while we wait.

        Not before the log says that the server is there, if it says so at all: QEMU's user networking
        takes a connection at once, and tries the guest again only seconds later.
        """
        end = time.monotonic() + self._left(timeout)
        try:
            self.wait_for(r"web: serving", timeout=min(10, self._left(timeout)))
        except MazuError:
            pass
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return self.http(path, timeout=10)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
        return self._fail(f"no answer to GET {path}")

    # --- raw Ethernet frames

    def send_frame(self, frame):
        """Waits for as long as the guest takes nothing: its reception has a budget."""
        end = time.monotonic() + self._left(None)
        while True:
            try:
                self.frames.send(frame)
                break
            except TimeoutError:  # that of the last reception
                if time.monotonic() > end or self.process.poll() is not None:
                    self._fail("the guest takes no frame")
        self.frames_sent += 1

    def recv_frame(self, timeout=5):
        """The next frame from the guest, or None."""
        self.frames.settimeout(max(0.001, self._left(timeout)))
        try:
            return self.frames.recv(FRAME_MAX)
        except TimeoutError:
            return None
