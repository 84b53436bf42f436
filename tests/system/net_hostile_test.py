#!/usr/bin/python3
"""A stream of hostile frames: afterwards the guest serves, has counted every one, and holds nothing of them.

Frames come from a seeded generator: noise, bit flips, fields changed with the checksums made right again,
cut and padded ones, segments for open, half-open and unknown connections, SYNs from thousands of addresses.
SEED=N takes another stream, SEED=random any, FRAMES=N a longer one.
"""
import os
import random
import struct
import sys
import threading

import clients
import frames
import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
FRAMES = int(os.environ.get("FRAMES", "24000"))
HOST, GUEST = b"\x0a\0\x02\x02", b"\x0a\0\x02\x0f"
ARP, IPV4 = 0x0806, 0x0800
SYN, RST, ACK = 2, 4, 16


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


class Generator:
    def __init__(self, seed, guest_mac, host_mac):
        self.rng = random.Random(seed)
        self.guest_mac = bytes.fromhex(guest_mac.replace(":", ""))
        self.host_mac = bytes.fromhex(host_mac.replace(":", ""))
        self.known = []  # (source address, port, next sequence number) of SYNs that may have opened something
        self.made = 0
        self.kinds = (self.noise, self.flipped, self.flipped, self.cut, self.ip_fields, self.icmp, self.arp,
                      self.segment, self.segment, self.segment, self.syn, self.syn)

    # --- well-formed parts, where asked for with a field that lies

    def ether(self, payload, kind=IPV4, dst=None):
        return (dst or self.guest_mac) + self.host_mac + struct.pack(">H", kind) + payload

    def ip(self, payload, src=HOST, dst=GUEST, proto=6, options=b"", **lies):
        f = {"version": 4, "ihl": 5 + len(options) // 4, "tos": 0, "total": 20 + len(options) + len(payload),
             "ident": 1, "frag": 0, "ttl": 64, **lies}
        head = struct.pack(">BBHHHBBH4s4s", f["version"] << 4 | f["ihl"] & 15, f["tos"], f["total"] & 0xffff, f["ident"],
                           f["frag"], f["ttl"], proto, 0, src, dst) + options
        return head[:10] + struct.pack(">H", lies.get("sum", checksum(head))) + head[12:] + payload

    def tcp(self, sport, flags, seq, ack=0, data=b"", src=HOST, dport=80, options=b"", **lies):
        offset = lies.get("offset", 5 + len(options) // 4)
        body = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, offset << 4 & 0xf0, flags & 255,
                           lies.get("window", 60000), 0, lies.get("urgent", 0)) + options + data
        pseudo = src + GUEST + struct.pack(">BBH", 0, 6, len(body))
        return self.ip(body[:16] + struct.pack(">H", checksum(pseudo + body)) + body[18:], src)

    def address(self):
        """Of a host on the network (not ours, not the guest), or far away."""
        near = bytes((10, 0, 2, self.rng.randrange(20, 250)))
        return near if self.rng.random() < 0.5 else bytes((self.rng.randrange(11, 100), *self.rng.randbytes(2), 7))

    # --- kinds of frames

    def noise(self):
        body = self.rng.randbytes(self.rng.randrange(1, 1500))
        return body if self.rng.random() < 0.3 else self.ether(body, self.rng.choice((ARP, IPV4, 0x86dd, len(body))))

    def good(self):
        r = self.rng
        return r.choice((
            lambda: self.syn(HOST),
            lambda: self.ether(self.ip(b"\x08\0\0\0\0\1\0\2" + r.randbytes(r.randrange(60)), proto=1)),
            lambda: self.ether(self.arp_body(1, self.host_mac, HOST, GUEST), ARP),
            lambda: self.ether(self.ip(struct.pack(">HHHH", 9, 9, 30, 0) + r.randbytes(22), proto=17))))()

    def flipped(self):
        data = bytearray(self.good())
        for _ in range(self.rng.randrange(1, 5)):
            data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        return bytes(data)

    def cut(self):
        data = self.good()
        return data[:self.rng.randrange(1, len(data))] + self.rng.choice((b"", b"\0" * 20, self.rng.randbytes(40)))

    def ip_fields(self):
        r = self.rng
        lie = r.choice(({"version": r.randrange(16)}, {"ihl": r.randrange(16)}, {"total": r.randrange(65536)},
                        {"frag": r.randrange(65536)}, {"ttl": 0}, {"sum": r.randrange(65536)},
                        {"options": r.randbytes(4 * r.randrange(1, 11))}))
        return self.ether(self.ip(r.randbytes(r.randrange(80)), proto=r.choice((1, 6, 17, r.randrange(256))),
                                  src=r.choice((HOST, GUEST, b"\x7f\0\0\1", b"\xff" * 4, b"\0" * 4, r.randbytes(4))),
                                  dst=r.choice((GUEST, GUEST, b"\x0a\0\2\xff", b"\xe0\0\0\1", r.randbytes(4))), **lie),
                          dst=r.choice((None, b"\xff" * 6, b"\1\0\x5e\0\0\1", r.randbytes(6))))

    def icmp(self):
        r = self.rng
        inner = self.ip(struct.pack(">HHI", r.choice((80, r.randrange(65536))), r.randrange(65536), r.getrandbits(32)),
                        src=r.choice((GUEST, HOST)), dst=HOST, proto=r.choice((6, 17)))
        body = struct.pack(">BBHI", r.choice((0, 3, 4, 5, 8, 11, 13, r.randrange(256))), r.randrange(17), 0,
                           r.choice((0, 68, 296, r.getrandbits(32)))) + inner[:r.randrange(len(inner) + 1)]
        body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
        return self.ether(self.ip(body, proto=1, src=r.choice((HOST, self.address()))))

    def arp_body(self, op, mac, sender, target, **lies):
        return struct.pack(">HHBBH", lies.get("hardware", 1), lies.get("protocol", IPV4), lies.get("hlen", 6),
                           lies.get("plen", 4), op) + mac + sender + b"\0" * 6 + target

    def arp(self):
        r = self.rng
        lie = r.choice(({}, {}, {"hardware": r.randrange(65536)}, {"protocol": r.randrange(65536)}, {"hlen": r.randrange(256)},
                        {"plen": r.randrange(256)}))
        mac = r.choice((self.host_mac, self.guest_mac, b"\xff" * 6, r.randbytes(6)))
        return self.ether(self.arp_body(r.choice((1, 2, r.randrange(65536))), mac,
                                        r.choice((GUEST, self.address(), b"\0" * 4)), r.choice((GUEST, self.address())),
                                        **lie), ARP, dst=r.choice((None, b"\xff" * 6)))

    def syn(self, src=None):
        src, port, seq = src or self.address(), self.rng.randrange(1024, 65536), self.rng.getrandbits(32)
        self.known.append((src, port, seq + 1))
        return self.ether(self.tcp(port, SYN, seq, src=src, options=b"\2\4\5\xb4"))

    def segment(self):
        """For a connection that is open, half open, or was never there: near the window or far off, any flags."""
        r = self.rng
        if self.known and r.random() < 0.8:
            src, port, seq = self.known[-r.randrange(1, min(len(self.known), 200) + 1)]
        else:
            src, port, seq = self.address(), r.randrange(1024, 65536), r.getrandbits(32)
        options = r.choice((b"", b"\1\1\1\0", b"\2\4\0\1", b"\3\3\xff\0", b"\x08\x0a" + r.randbytes(8) + b"\1\1",
                            r.randbytes(4 * r.randrange(1, 10))))
        flags = r.choice((ACK, ACK, ACK | 8, ACK | 1, RST, SYN | ACK, r.randrange(256)))
        seq += r.choice((0, 0, 1, -1, 100, 65535, r.getrandbits(32)))
        if flags & (SYN | ACK | RST) == SYN:
            self.known.append((src, port, seq + 1))
        return self.ether(self.tcp(port, flags, seq, r.getrandbits(32),
                                   r.randbytes(r.choice((0, 0, 1, 500, 1400))), src, r.choice((80, 80, 80, 81)), options,
                                   **r.choice(({}, {}, {"offset": r.randrange(16)}, {"window": 0}, {"urgent": 9}))))

    def frame(self):
        self.made += 1
        return self.rng.choice(self.kinds)()

    def resets(self):
        """Ends all that the SYNs may have opened, as their senders' machines do that never asked for it."""
        for src, port, seq in self.known:
            yield self.ether(self.tcp(port, RST, seq, src=src))


class Drain:
    """Takes what the guest answers out of the way: nobody else reads while frames are sent."""

    def __init__(self, guest):
        self.guest, self.over = guest, False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over:
            self.guest.recv_frame(0.05)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over = True
        self.thread.join()


def accounted(count, older, sent):
    """Asserts that all frames sent were counted, and each once, layer by layer; TCP's figures from before and after."""
    net, eth0, tcp = count["net"], count["eth0"], count["tcp"]

    def drops(prefix):
        return sum(n for name, n in net.items() if name.startswith(prefix + "_drop_"))
    for what, left, right in (
            ("sent to the device", sent, net["ether_rx_frames"] + eth0["rx_dropped"] + eth0["rx_errors"]),
            ("Ethernet", net["ether_rx_frames"], drops("ether") + net["arp_rx"] + net["ip_rx"]),
            ("ARP", net["arp_rx"], net["arp_taken"] + net["arp_drop_malformed"] + net["arp_drop_not_ours"] +
             net["arp_conflicts"] + net["arp_drop_rate_limited"] + net["arp_table_full"]),
            ("IPv4", net["ip_rx"], sum(net[n] for n in net if n.startswith("ip_drop_")) + net["ip_delivered"]),
            ("ICMP", net["icmp_rx"], net["icmp_drop_malformed"] + net["icmp_drop_checksum"] +
             net["icmp_drop_unknown_type"] + net["icmp_rx_echo"] + net["icmp_rx_echo_reply"] +
             net["icmp_drop_reply_unasked"] + net["icmp_rx_errors"] + net["icmp_drop_error_not_ours"])):
        assert left == right, f"{what}: {left} came, {right} are accounted for\n{net}\n{eth0}\n{tcp}"
    segments = net["ip_delivered"] - net["icmp_rx"]
    assert older["rx_segments"] < segments < tcp["rx_segments"], f"{segments} segments: {older}\n{tcp}"
    assert sum(n for name, n in tcp.items() if name.startswith("rx_drop_")) + tcp["rx_no_connection"] <= tcp["rx_segments"]
    for name in ("ether_drop_bad_source", "ether_drop_unknown_type", "ether_drop_not_ours", "ip_drop_version",
                 "ip_drop_checksum", "ip_drop_fragment", "ip_drop_martian", "ip_drop_not_ours", "icmp_drop_checksum",
                 "icmp_drop_unknown_type", "arp_drop_malformed", "arp_conflicts"):
        assert net[name] > 0, f"the stream holds no frame for {name}"
    for name in ("rx_drop_checksum", "rx_drop_malformed", "rx_drop_bad_ack", "rx_no_connection", "refused_backlog_full"):
        assert tcp[name] > 0, f"the stream holds no segment for {name}"


def hostile(seed):
    with frames.boot(elf=ELF, smp=2, limit=1100) as wire:
        wire.guest.wait_for("web: serving")
        before = clients.Levels(wire)
        stream = Generator(seed, wire.guest_mac, wire.mac)
        # All before the first is sent: what is full for a second is full only if they come fast.
        frames_made = [stream.frame() for _ in range(FRAMES)]
        with Drain(wire.guest):
            for frame in frames_made:
                wire.guest.send_frame(frame)
        with Drain(wire.guest):
            for frame in stream.resets():
                wire.guest.send_frame(frame)
        wire.barrier()
        older = clients.json_of(wire, "/api/tcp")["stats"]
        stats = clients.json_of(wire, "/api/stats")
        sent = wire.sent_with_request
        younger = clients.json_of(wire, "/api/tcp")
        accounted(clients.counters(stats, younger), older, sent)
        before.wait(200)
        wire.ping()
        status, _, body = wire.http("/")
        assert status == 200 and body
        return stream.made


def main():
    seed = os.environ.get("SEED", "1")
    seed = random.randrange(1, 2**31) if seed == "random" else int(seed)
    repeat = f"SEED={seed} FRAMES={FRAMES} {sys.argv[0]}"
    try:
        made = hostile(seed)
    except (AssertionError, mazu.MazuError) as error:
        print(f"FAIL a stream of hostile frames: {error}\n  repeat: {repeat}\n0 passed, 1 failed")
        return 1
    print(f"ok   {made} hostile frames are counted and survived, seed {seed}\n  repeat: {repeat}\n1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
