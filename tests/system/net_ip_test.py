#!/usr/bin/python3
"""IPv4 and ICMP over the wire: echo of all sizes, errors, and everything that must be dropped."""
import random
import unittest

from scapy.layers.inet import IPOption_LSRR, IPOption_NOP, IPOption_RR, IPOption_SSRR, UDP
from scapy.packet import Raw

import frames
from frames import BROADCAST, Ether, ICMP, IP, raw


def is_echo_reply(packet):
    return ICMP in packet and packet[ICMP].type == 0 and packet[ICMP].seq != 0xbeef


def is_error(packet):
    return ICMP in packet and packet[ICMP].type in (3, 11, 12)


class EchoTest(frames.WireTest):
    def test_odd_and_even_sizes(self):
        for size in (0, 1, 2, 17, 18, 19, 55, 56, 57, 63, 64, 65, 99, 100, 101, 1000, 1471, 1472):
            self.wire.ping(size)

    def test_well_formed_options_are_ignored(self):
        self.wire.ping(options=[IPOption_RR(routers=["1.2.3.4", "5.6.7.8"]), IPOption_NOP()])

    def test_padding_is_not_part_of_the_datagram(self):
        self.wire.send(Ether(raw(self.wire.ether() / self.wire.ip_to() / ICMP(id=9, seq=1) / b"ab") +
                             b"\xee" * 40))
        self.assertEqual(self.wire.expect(is_echo_reply)[IP].len, 30)

    def test_echo_to_a_group_is_not_answered(self):
        for dst in ("10.0.2.255", "255.255.255.255", "224.0.0.1"):
            self.wire.send(self.wire.ether(BROADCAST) / self.wire.ip_to(dst=dst) / ICMP(id=3))
        self.wire.silent(is_echo_reply)

    def test_unicast_in_a_broadcast_frame_is_not_answered(self):
        self.wire.send(self.wire.ether(BROADCAST) / self.wire.ip_to() / ICMP(id=4))
        self.wire.silent(is_echo_reply)

    def test_flood_is_bounded_and_survived(self):
        frame = raw(self.wire.ether() / self.wire.ip_to() / ICMP(id=5, seq=1) / (b"f" * 1000))
        for _ in range(20000):
            self.wire.guest.send_frame(frame)
        replies = sum(is_echo_reply(p) for p in self.wire.barrier())
        self.assertLess(replies, 20000)
        self.assertGreater(replies, 0)
        self.wire.ping(1472)


class DropTest(frames.WireTest):
    def dropped(self, *packets):
        for packet in packets:
            self.wire.send(packet)
        self.wire.silent(lambda p: is_echo_reply(p) or is_error(p))

    def test_short_frames(self):
        frame = raw(self.wire.ether() / self.wire.ip_to() / ICMP(id=1))
        self.dropped(*(frame[:n] for n in range(1, 42)))

    def test_bad_headers(self):
        ip, echo = self.wire.ip_to, ICMP(id=2)
        self.dropped(ip(version=6) / echo, ip(version=0) / echo, ip(ihl=4) / echo, ip(ihl=15) / echo,
                     ip(len=19) / echo, ip(len=2000) / echo, ip(len=0) / echo, ip(chksum=0x1234) / echo)

    def test_bad_options(self):
        def options(data):
            return self.wire.ip_to(ihl=5 + len(data) // 4, len=28 + len(data), proto=1) / Raw(
                data + raw(ICMP(id=6)))
        self.dropped(options(b"\x07\x00\x00\x00"), options(b"\x07\x05\x04\x00"), options(b"\x07\x01\x00\x00"),
                     options(b"\x01\x01\x01\x07"),
                     self.wire.ip_to(options=[IPOption_LSRR(routers=["10.0.2.15"])]) / ICMP(id=7),
                     self.wire.ip_to(options=[IPOption_SSRR(routers=["10.0.2.15"])]) / ICMP(id=8))

    def test_fragments(self):
        self.dropped(self.wire.ip_to(flags="MF") / ICMP(id=9) / (b"x" * 64),
                     self.wire.ip_to(frag=8, proto=1) / Raw(b"y" * 64),
                     self.wire.ip_to(frag=8189, flags="MF", proto=1) / Raw(b"z" * 64))

    def test_martians(self):
        self.dropped(*(self.wire.ip_to(src=src) / ICMP(id=10) for src in (
            "127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.5", "255.255.255.255", "10.0.2.255", "240.1.1.1",
            self.wire.guest_ip)))
        self.dropped(self.wire.ip_to(dst="127.0.0.1") / ICMP(id=11))

    def test_not_for_us(self):
        self.dropped(self.wire.ip_to(dst="10.0.2.16") / ICMP(id=12),
                     Ether(src=self.wire.mac, dst="02:00:00:00:00:77") / self.wire.ip_to() / ICMP(id=13),
                     Ether(src="03:00:00:00:00:01", dst=self.wire.guest_mac) / self.wire.ip_to() /
                     ICMP(id=14))

    def test_unknown_ethernet_types(self):
        for kind in (0, 46, 0x5ff, 0x8100, 0x86dd, 0xffff):
            self.dropped(Ether(src=self.wire.mac, dst=self.wire.guest_mac, type=kind) / Raw(b"\0" * 60))

    def test_bad_icmp(self):
        self.dropped(self.wire.ip_to() / ICMP(id=15, chksum=0xdead), self.wire.ip_to(proto=1) / Raw(b"\x08"),
                     self.wire.ip_to(proto=1) / Raw(b"\x08\0\xf7\xff\0\0\0"),
                     self.wire.ip_to() / ICMP(type=13), self.wire.ip_to() / ICMP(type=200),
                     self.wire.ip_to() / ICMP(type=5, gw="10.0.2.9") / IP(dst="1.1.1.1") / UDP())

    def test_noise(self):
        """Seeded noise, and good datagrams with bytes changed."""
        rng = random.Random(1)
        good = raw(self.wire.ether() / self.wire.ip_to() / ICMP(id=16, seq=2) / (b"n" * 40))
        for _ in range(3000):
            if rng.random() < 0.5:
                body = bytearray(good[:12] + rng.randbytes(rng.randrange(2, 200)))
            else:
                body = bytearray(good)
                for _ in range(rng.randrange(1, 4)):
                    body[rng.randrange(12, len(body))] ^= 1 << rng.randrange(8)
            self.wire.send(bytes(body))
        self.wire.barrier()


class ErrorTest(frames.WireTest):
    def test_unknown_protocol_is_reported(self):
        sent = self.wire.ip_to(proto=253) / Raw(b"12345678rest")
        self.wire.send(sent)
        error = self.wire.expect(is_error)
        frames.check_ip(error)
        self.assertEqual((error[ICMP].type, error[ICMP].code), (3, 2))
        self.assertEqual(raw(error[ICMP])[8:], raw(sent)[:28])

    def test_errors_are_bounded(self):
        frame = raw(self.wire.ether() / self.wire.ip_to(proto=253) / Raw(b"12345678"))  # made once: the rate is limited
        for _ in range(2000):
            self.wire.guest.send_frame(frame)
        errors = sum(is_error(p) for p in self.wire.barrier())
        self.assertGreater(errors, 0)
        self.assertLess(errors, 1000)

    def test_no_error_about_an_error_or_a_group(self):
        self.wire.send(self.wire.ether(BROADCAST) / self.wire.ip_to(dst="10.0.2.255", proto=253) /
                       Raw(b"12345678"))
        self.wire.send(self.wire.ip_to() / ICMP(type=3, code=2) / self.wire.ip_to(proto=253) / Raw(b"12345678"))
        self.wire.silent(is_error)

    def test_foreign_and_malformed_errors_are_harmless(self):
        inner = IP(src="10.0.2.15", dst="1.2.3.4") / UDP(sport=1, dport=2)
        for kind in range(256):
            self.wire.send(self.wire.ip_to() / ICMP(type=kind, code=kind & 15) / inner)
        for n in range(28):
            self.wire.send(self.wire.ip_to() / ICMP(type=3, code=4) / Raw(raw(inner)[:n]))
        self.wire.send(self.wire.ip_to() / ICMP(type=3, code=4) / IP(src="9.9.9.9", dst="1.2.3.4") / UDP())
        self.wire.silent(is_error)


if __name__ == "__main__":
    unittest.main()
