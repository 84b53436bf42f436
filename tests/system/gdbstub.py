"""gdbstub.py - QEMU's gdb stub: the machine stands while one is attached.

    with mazu.Mazu(elf, extra=gdbstub.options(path)) as guest:
        with gdbstub.attach(path) as stub:
            print(stub.monitor("info registers"))
            stub.write16(address, stub.read16(address) + 1)  # physical; devices write there too
"""
import contextlib
import re
import socket
import time

LIMIT_S = 60


def options(path):
    """For QEMU's command line: a stub at that UNIX socket."""
    return ["-gdb", f"unix:{path},server=on,wait=off"]


class Stub:
    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(LIMIT_S)
        self.data = b""

    def send(self, command):
        self.connection.sendall(b"$%s#%02x" % (command, sum(command) & 255))

    def packet(self):
        while not (match := re.search(rb"\$([^#]*)#..", self.data)):
            part = self.connection.recv(4096)
            assert part, self.data
            self.data += part
        self.data = self.data[match.end():]
        self.connection.sendall(b"+")
        return match[1]

    def exchange(self, command):
        self.send(command)
        return self.packet()

    def settle(self):
        """Passes over what the stub says unasked about the stop."""
        self.send(b"qAttached")
        while self.packet() != b"1":
            pass

    def monitor(self, command):
        """A command of QEMU's monitor: its text."""
        self.send(b"qRcmd," + command.encode().hex().encode())
        text = b""
        while (part := self.packet()) != b"OK":
            assert part.startswith(b"O"), part
            text += bytes.fromhex(part[1:].decode())
        return text.decode()

    def read16(self, address):
        return int.from_bytes(bytes.fromhex(self.exchange(b"m%x,2" % address).decode()), "little")

    def write16(self, address, value):
        data = (value & 0xffff).to_bytes(2, "little").hex().encode()
        assert self.exchange(b"M%x,2:%s" % (address, data)) == b"OK"


@contextlib.contextmanager
def attach(path):
    """Physical addresses; the machine runs again behind the block."""
    with socket.socket(socket.AF_UNIX) as connection:
        end = time.monotonic() + LIMIT_S
        while True:
            try:
                connection.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < end, "no gdb stub"
                time.sleep(0.05)
        stub = Stub(connection)
        stub.settle()
        assert stub.exchange(b"Qqemu.PhyMemMode:1") == b"OK"
        yield stub
        assert stub.exchange(b"D") == b"OK"
