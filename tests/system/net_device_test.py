#!/usr/bin/python3
"""The network device in its variants: without each feature, legacy, absent, set by ip=, and left without a notification."""
import json
import re
import tempfile
import time
import unittest

import frames
import gdbstub
import mazu
from frames import ICMP


def without(*features):
    return [word for f in features for word in ("-global", f"virtio-net-device.{f}=off")]


class DeviceTest(unittest.TestCase):
    def works(self, **options):
        with frames.boot(**options) as wire:
            for size in 0, 57, 1472:
                wire.ping(size)
            frame = frames.raw(wire.ether() / wire.ip_to() / ICMP(id=1) / (b"d" * 500))
            for _ in range(1000):  # several times round both rings
                wire.guest.send_frame(frame)
            wire.barrier()
            wire.ping(1001)

    def test_without_each_feature(self):
        for features in (("event_idx",), ("indirect_desc",), ("csum", "guest_csum"),
                         ("event_idx", "indirect_desc", "csum", "guest_csum")):
            with self.subTest(off=features):
                self.works(extra=without(*features))

    def test_on_several_harts(self):
        self.works(smp=4)

    def test_legacy_device_is_refused_with_a_reason(self):
        with mazu.Mazu(frames.ELF, net="frames",
                       extra=["-global", "virtio-mmio.force-legacy=true"]) as guest:
            guest.wait_for(r"virtio: virtio_mmio@\w+ is a legacy device \(version 1\)")
            guest.wait_for(r"net: no network device, only loopback")

    def test_no_device(self):
        with mazu.Mazu(frames.ELF) as guest:
            guest.wait_for(r"net: no network device, only loopback")

    def test_address_on_the_command_line(self):
        with mazu.Mazu(frames.ELF, net="frames", append="ip=10.9.9.9/24 ip=192.168.100.2/24,192.168.100.1") as guest:  # the last one counts
            guest.wait_for(r"net: eth0 has 192\.168\.100\.2/24")
            wire = frames.Wire(guest, ip="192.168.100.1")
            wire.guest_ip = "192.168.100.2"
            wire.ping()

    def test_wrong_address_is_refused_with_a_reason(self):
        for bad in "10.0.2.300", "10.0.2.255/24", "10.0.2.15/24,10.0.9.1", "x":
            with mazu.Mazu(frames.ELF, net="frames", append=f"ip={bad}") as guest:
                guest.wait_for(r'net: "' + bad.replace(".", r"\.") + '" is no address for eth0')


class Ring:
    """The words of one queue with which driver and device tell each other when to speak."""

    def __init__(self, stub, queue):
        path = re.search(r"^(\S+) \[virtio-net\]", stub.monitor("info virtio"), re.M)[1]
        status = stub.monitor(f"info virtio-queue-status {path} {queue}")
        num, avail, used = (int(re.search(rf"^ *{name}: +(\w+)", status, re.M)[1], 0) for name in ("num", "avail", "used"))
        self.avail_idx, self.used_flags, self.used_idx = avail + 2, used, used + 2
        self.avail_event = used + 4 + 8 * num  # the device's: notify me of this one


class LostTest(unittest.TestCase):
    """QEMU 7.2 drops the fences of a machine with one CPU, so a notification is decided against, now and then,
    though the device waits for it. Here the state that this leaves is made by hand."""

    def when(self, path, ready):
        """Stops the machine in a state for which ready(stub) holds; what it returned."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with gdbstub.attach(path) as stub:
                if (got := ready(stub)) is not None:
                    return got
            time.sleep(0.05)
        raise AssertionError("the rings never came into the state that the test needs")

    def transmission(self, event_idx):
        with tempfile.TemporaryDirectory() as folder, \
                frames.boot(extra=gdbstub.options(path := f"{folder}/gdb") + ([] if event_idx else without("event_idx"))) as wire:
            wire.ping()

            def ask(stub, ring, asked):
                """The device asks for the chain `asked`; None: for none."""
                if event_idx:
                    stub.write16(ring.avail_event, ring.next - 1 if asked is None else asked)
                else:
                    stub.write16(ring.used_flags, asked is None)

            def idle(stub):
                ring = Ring(stub, 1)
                ring.next = stub.read16(ring.avail_idx)
                waits = stub.read16(ring.avail_event) == ring.next if event_idx else stub.read16(ring.used_flags) == 0
                if stub.read16(ring.used_idx) != ring.next or not waits:
                    return None
                ask(stub, ring, None)
                return ring
            ring = self.when(path, idle)
            wire.send(wire.ip_to() / ICMP(id=7) / b"lost")

            def added(stub):
                if stub.read16(ring.avail_idx) == ring.next:
                    return None
                self.assertEqual(stub.read16(ring.used_idx), ring.next, "the device was notified")
                ask(stub, ring, ring.next)
                return True
            self.when(path, added)
            wire.expect(lambda p: ICMP in p and p[ICMP].type == 0 and p[ICMP].id == 7)
            wire.ping()
            stats = json.loads(wire.http("/api/stats")[2])
            stalls = {i["name"]: i["tx_stalls"] for i in stats["net"]["interfaces"]}
            self.assertEqual(stalls["lo"], 0)
            self.assertGreaterEqual(stalls["eth0"], 1)

    def test_transmission_goes_on(self):
        self.transmission(event_idx=True)

    def test_transmission_goes_on_without_the_event_index(self):
        self.transmission(event_idx=False)


if __name__ == "__main__":
    unittest.main()
