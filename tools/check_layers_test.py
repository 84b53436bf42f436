#!/usr/bin/python3
"""Each rule of check_layers.py has a tree that breaks it."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import check_layers  # noqa: E402


def errors_of_tree(tree):
    with tempfile.TemporaryDirectory() as root:
        for path, text in tree.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w") as f:
                f.write(text)
        return check_layers.check(root)[0]


def include(path, target):
    line = f"#include {target}\n" if target.startswith("<") else f'#include "{target}"\n'
    return errors_of_tree({path: line})


class Layers(unittest.TestCase):
    def allowed(self, path, target):
        self.assertEqual(include(path, target), [])

    def refused(self, path, target, reason):
        errors = include(path, target)
        self.assertEqual(len(errors), 1, errors)
        self.assertIn(reason, errors[0])
        self.assertTrue(errors[0].startswith(path + ":1:"), errors[0])

    def test_a_lower_place_is_allowed(self):
        for path, target in [
                ("lib/str.c", "abi/err.h"), ("arch/riscv64/trap.c", "lib/str.h"),
                ("kernel/lock/lock.c", "kernel/diag/diag.h"), ("kernel/sched/core.c", "kernel/mm/mm.h"),
                ("drivers/plic.c", "kernel/dev/dev.h"), ("kernel/proc/elf.c", "kernel/fs/fs.h"),
                ("user/shell/shell.c", "kernel/net/net.h"), ("user/net/web.c", "user/shell/shell.h"),
                ("kernel/boot/main.c", "user/net/net.h"), ("kernel/net/tcp/tcp.c", "kernel/net/net.h"),
                ("user/bin/hello.c", "abi/err.h"), ("kernel/fs/vfs.c", "generated/version.h")]:
            self.allowed(path, target)

    def test_a_higher_place_is_refused(self):
        for path, target in [
                ("abi/err.h", "lib/str.h"), ("arch/riscv64/trap.c", "kernel/diag/diag.h"),
                ("kernel/diag/log.c", "kernel/lock/lock.h"), ("kernel/lock/lock.c", "kernel/mm/mm.h"),
                ("kernel/sched/core.c", "kernel/sync/mutex.h"), ("kernel/fs/vfs.c", "kernel/proc/proc.h"),
                ("user/shell/shell.c", "user/net/net.h")]:
            self.refused(path, target, "not below it")

    def test_peers_do_not_know_each_other(self):
        for path, target in [
                ("kernel/mm/buddy.c", "kernel/irq/irq.h"), ("kernel/time/clock.c", "kernel/mm/mm.h"),
                ("kernel/fs/vfs.c", "kernel/net/net.h"), ("drivers/uart.c", "kernel/fs/fs.h"),
                ("user/app/loop.c", "user/net/net.h")]:
            self.refused(path, target, "not below it")

    def test_proc_never_includes_net(self):
        self.refused("kernel/proc/spawn.c", "kernel/net/net.h", "never knows")

    def test_nobody_includes_boot_or_drivers(self):
        self.refused("kernel/boot/main.c", "drivers/uart.h", "nobody includes drivers")
        self.refused("user/net/web.c", "kernel/boot/boot.h", "nobody includes kernel/boot")

    def test_private_headers_stay_inside(self):
        self.allowed("kernel/net/arp.c", "kernel/net/net_priv.h")
        self.refused("user/net/web.c", "kernel/net/net_priv.h", "private")
        self.refused("kernel/net/arp.c", "kernel/mm/buddy_core.h", "private")
        self.refused("kernel/mm/paging.c", "arch/riscv64/csr.h", "private")

    def test_cores_are_pure(self):
        self.assertEqual(errors_of_tree({"kernel/mm/buddy_core.c": '#include "kernel/mm/buddy_core.h"',
                                         "kernel/mm/buddy_core.h": '#include "kernel/mm/types.h"',
                                         "kernel/mm/types.h": '#include "lib/list.h"'}), [])
        self.assertIn("pure core", errors_of_tree({
            "kernel/mm/buddy_core.c": '#include "kernel/mm/types.h"',
            "kernel/mm/types.h": '#include "kernel/mm/more.h"',
            "kernel/mm/more.h": '#include "arch/arch.h"'})[0])
        self.allowed("kernel/mm/buddy_core.c", "lib/list.h")
        self.refused("kernel/mm/buddy_core.c", "kernel/mm/mm.h", "pure core")
        self.refused("kernel/net/tcp/tcp_core.c", "arch/arch.h", "pure core")
        self.refused("kernel/net/tcp/tcp_core.c", "kernel/time/time.h", "pure core")

    def test_includes_start_at_the_root(self):
        self.refused("kernel/mm/buddy.c", "mm.h", "relative to the root")

    def test_only_freestanding_headers(self):
        self.allowed("kernel/mm/buddy.c", "<stdint.h>")
        self.allowed("lib/str_test.c", "<stdio.h>")
        self.allowed("arch/host/switch.c", "<ucontext.h>")
        self.refused("kernel/mm/buddy.c", "<stdio.h>", "freestanding")

    def test_offsets_are_for_arch(self):
        self.allowed("arch/riscv64/entry.S", "generated/offsets.h")
        self.refused("kernel/mm/buddy.c", "generated/offsets.h", "only arch")

    def test_programs_see_the_abi_only(self):
        self.refused("user/bin/hello.c", "kernel/mm/mm.h", "programs see only")
        self.refused("user/bin/hello.c", "lib/str.h", "programs see only")
        self.refused("user/net/web.c", "user/libc/unistd.h", "of user programs")

    def test_unknown_folders(self):
        self.refused("kernel/mm/buddy.c", "web/x.h", "outside the layers")
        self.assertIn("lies in no layer", errors_of_tree({"kernel/gpu/gpu.c": ""})[0])

    def test_tests_may_include_anything(self):
        self.allowed("tests/kernel/x_selftest.c", "kernel/net/net_priv.h")
        self.allowed("kernel/mm/buddy_core_test.c", "tests/host/test.h")


class Headers(unittest.TestCase):
    def test_one_public_header_a_folder(self):
        self.assertEqual(errors_of_tree({"kernel/mm/mm.h": "", "kernel/mm/mm_priv.h": "",
                                         "kernel/mm/buddy_core.h": "", "lib/a.h": "", "lib/b.h": "",
                                         "kernel/sync/mutex.h": "", "kernel/net/tcp/tcp.h": ""}), [])
        self.assertIn("public header of kernel/mm/ is mm.h",
                      errors_of_tree({"kernel/mm/pool.h": '#include "arch/arch.h"'})[0])

    def test_one_private_header_a_folder(self):
        errors = errors_of_tree({"kernel/mm/a_priv.h": "", "kernel/mm/b_priv.h": ""})
        self.assertIn("more than one private header", errors[0])

    def test_drivers_have_no_public_headers(self):
        self.assertEqual(errors_of_tree({"drivers/virtio/virtio_priv.h": "",
                                         "drivers/virtio/virtq.h": '#include "lib/base.h"'}), [])
        self.assertIn("no public headers",
                      errors_of_tree({"drivers/uart/uart.h": '#include "arch/arch.h"'})[0])


class Sizes(unittest.TestCase):
    def test_long_function(self):
        body = "\tx++;\n" * 80
        self.assertEqual(errors_of_tree({"lib/a.c": "int f(void)\n{\n" + body + "}\n"}), [])
        errors = errors_of_tree({"lib/a.c": "int f(void)\n{\n\tx++;\n" + body + "}\n"})
        self.assertIn("a function of 81 lines", errors[0])

    def test_flat_switch_may_be_longer(self):
        body = "\tswitch (x) {\n" + "\tcase 1:\n\t\tbreak;\n" * 60 + "\t}\n"
        self.assertEqual(errors_of_tree({"lib/a.c": "int f(void)\n{\n" + body + "}\n"}), [])

    def test_long_file(self):
        self.assertEqual(errors_of_tree({"lib/a.c": "\n" * 800}), [])
        self.assertIn("801 lines", errors_of_tree({"lib/a.c": "\n" * 801})[0])


if __name__ == "__main__":
    unittest.main()
