"""frames.py - a host on the guest's wire, made of raw Ethernet frames: no root, no kernel network.

    with frames.boot() as wire:
        wire.ping()                                   # resolves, echoes, checks; fails otherwise
        wire.send(IP(dst=wire.guest_ip, ...) / ICMP())
        reply = wire.expect(lambda p: ICMP in p and p[ICMP].type == 0)
        wire.silent(lambda p: ARP in p)               # nothing of the kind before the next echo reply

The guest handles frames in order, in one thread: whatever it answers to a frame comes before the
answer to an echo request sent behind it. So that something is *not* answered is seen without
waiting for time to pass.
"""
import contextlib
import itertools
import logging
import os
import sys
import time
import unittest

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.compat import raw                                                         # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP                                               # noqa: E402
from scapy.layers.l2 import ARP, Ether                                               # noqa: E402

sys.path.insert(0, os.path.dirname(__file__))
import mazu                                                                           # noqa: E402

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
BROADCAST = "ff:ff:ff:ff:ff:ff"
READY = r"net: eth0 has "


class Wire:
    """One host with an address, that answers the guest's ARP requests for it."""

    guest_ip = "10.0.2.15"

    def __init__(self, guest, ip="10.0.2.2", mac="02:00:00:00:00:02"):
        self.guest, self.ip, self.mac = guest, ip, mac
        self.guest_mac = guest.mac
        self.answers_arp = True
        self.seen = []      # frames received and not yet asked for
        self.ids = itertools.count(0x4000)  # no test uses these
        self.ports = itertools.count(40000)
        self.sent_with_request = 0  # frames, up to the one with the last request of http()

    # --- sending

    def ether(self, dst=None):
        return Ether(src=self.mac, dst=dst or self.guest_mac)

    def ip_to(self, **fields):
        return IP(**{"src": self.ip, "dst": self.guest_ip, **fields})

    def send(self, packet):
        """An IP packet gets an Ethernet header; a whole frame and bytes go as they are."""
        if isinstance(packet, (IP, ARP)):
            packet = self.ether() / packet
        self.guest.send_frame(raw(packet))

    # --- receiving

    def receive(self, timeout):
        """The next frame, as a packet; None when none came in time. ARP requests are answered."""
        data = self.guest.recv_frame(timeout)
        if data is None:
            return None
        packet = Ether(data)
        if self.answers_arp and ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst == self.ip \
                and packet[ARP].psrc != self.ip:
            self.send(ARP(op=2, hwsrc=self.mac, psrc=self.ip, hwdst=packet[ARP].hwsrc,
                          pdst=packet[ARP].psrc))
        return packet

    def expect(self, wanted, timeout=100):
        """The first frame for which wanted() holds; what came before it is dropped."""
        for i, packet in enumerate(self.seen):
            if wanted(packet):
                del self.seen[:i + 1]
                return packet
        self.seen.clear()
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            packet = self.receive(left)
            if packet is not None and wanted(packet):
                return packet
        raise AssertionError(f"no such frame came\n--- serial:\n{self.guest.serial()[-2000:]}")

    def barrier(self):
        """All frames that the guest sends until it has handled everything sent so far."""
        ident, got = next(self.ids) & 0xffff, []
        end = time.monotonic() + 100
        while time.monotonic() < end:
            # Another request when the rate limit has eaten the last.
            self.send(self.ip_to() / ICMP(id=ident, seq=0xbeef))
            while (packet := self.receive(0.3)) is not None:
                if ICMP in packet and packet[ICMP].type == 0 and packet[ICMP].id == ident:
                    return got
                got.append(packet)
        raise AssertionError(f"the guest does not answer\n--- serial:\n{self.guest.serial()[-2000:]}")

    def silent(self, forbidden):
        """Asserts that no frame for which forbidden() holds comes as an answer to what was sent."""
        for packet in self.seen + self.barrier():
            assert not forbidden(packet), f"unexpected: {packet.summary()}"
        self.seen.clear()

    def ping(self, size=56, **fields):
        """One echo request; checks everything about the reply."""
        ident, data = next(self.ids) & 0xffff, bytes(i * 7 & 255 for i in range(size))
        self.send(self.ip_to(**fields) / ICMP(id=ident, seq=size & 0xffff) / data)
        reply = self.expect(lambda p: ICMP in p and p[ICMP].type == 0 and p[ICMP].id == ident)
        check_ip(reply)
        assert reply[IP].src == self.guest_ip and reply[IP].dst == self.ip
        assert reply[ICMP].seq == size & 0xffff and raw(reply[ICMP].payload)[:size] == data
        assert reply[IP].len == 28 + size, reply[IP].len
        return reply


    # --- a small TCP client

    def http(self, path, timeout=60, syns=1000):
        """One GET on a connection of its own, in order and with every segment acknowledged: (status, headers, body)."""
        port, end = next(self.ports), time.monotonic() + timeout

        def send(flags, seq, ack=0, data=b"", **fields):
            self.send(self.ip_to() / TCP(sport=port, dport=80, flags=flags, seq=seq, ack=ack, window=65535, **fields) /
                      data)

        def receive(wait=1.0):
            """The next segment of this connection as (flags, seq, data)."""
            until = time.monotonic() + wait
            while (left := until - time.monotonic()) > 0:
                packet = self.receive(left)
                if packet is not None and TCP in packet and packet[TCP].dport == port:
                    tcp = packet[TCP]
                    length = packet[IP].len - packet[IP].ihl * 4 - tcp.dataofs * 4
                    return tcp.flags.flagrepr(), tcp.seq, raw(tcp.payload)[:length]
            return None

        reply = None
        while reply is None or reply[0] != "SA":  # a SYN that was dropped is sent again, as by any TCP
            assert syns > 0 and time.monotonic() < end, f"no SYN-ACK\n--- serial:\n{self.serial()[-2000:]}"
            syns -= 1
            send("S", 1000, options=[("MSS", 1460)])
            reply = receive(1.0 if syns else timeout)
        ack = (reply[1] + 1) & 0xffffffff
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        send("A", 1001, ack)
        # Until the answer comes nothing else is sent, so that the answer can be about all that was.
        self.answers_arp = False
        send("PA", 1001, ack, request)
        self.sent_with_request = self.guest.frames_sent
        seq, body, flags = 1001 + len(request), b"", ""
        try:
            while "F" not in flags:
                assert time.monotonic() < end, f"the reply stops\n--- serial:\n{self.serial()[-2000:]}"
                flags, got, data = receive() or ("", None, b"")
                assert "R" not in flags, "reset"
                self.answers_arp = self.answers_arp or bool(data)
                if got == ack:
                    body += data
                    ack = (ack + len(data) + ("F" in flags)) & 0xffffffff
                elif got is not None:
                    flags = ""  # out of order, or again: it comes once more
                if got is not None and (data or "F" in flags):
                    send("A", seq, ack)
        finally:
            self.answers_arp = True
        send("FA", seq, ack)
        receive()
        head, _, body = body.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:]), body

    def serial(self):
        return self.guest.serial()


def check_ip(packet):
    """Asserts that the checksums of an IP packet are right."""
    fresh = IP(raw(packet[IP])[:packet[IP].len])
    layer = fresh.payload
    sums = fresh.chksum, getattr(layer, "chksum", None)
    del fresh.chksum
    if sums[1] is not None:
        del layer.chksum
    fresh = IP(raw(fresh))
    assert (fresh.chksum, getattr(fresh.payload, "chksum", None)) == sums, "wrong checksum"


@contextlib.contextmanager
def boot(**options):
    """A guest whose only network is the wire, and a host on it."""
    with mazu.Mazu(options.pop("elf", ELF), **{"net": "frames", **options}) as guest:
        guest.wait_for(READY)
        yield Wire(guest)


class WireTest(unittest.TestCase):
    """A booted guest for the whole class; each test must leave it answering."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.wire = cls.stack.enter_context(boot(**cls.options))

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def setUp(self):
        self.wire.answers_arp = True
        self.wire.seen = self.wire.barrier() and []

    def tearDown(self):
        self.wire.ping()
