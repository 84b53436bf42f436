#!/usr/bin/python3
"""boot_test.py: how a boot ends: well on every hart, with one sentence where it cannot go on, and with a
report where the kernel has a bug. Each machine ends by itself; the exit status is part of what is checked.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mazu  # noqa: E402  (the harness beside this file)

ELF = os.environ.get("MAZU_ELF", "build/mazu.elf")
RELEASE = os.environ.get("MAZU_ELF_RELEASE")
REFUSED, PANIC = 2, 125
MAGIC, BEGIN_NODE, END_NODE, PROP, NOP, END = 0xD00DFEED, 1, 2, 3, 4, 9

results = []


def case(name):
    def add(function):
        try:
            function()
            print(f"ok   {name}")
            results.append(True)
        except (AssertionError, mazu.MazuError, subprocess.SubprocessError) as error:
            print(f"FAIL {name}: {error}")
            results.append(False)
        return function
    return add


def boot(append="", elf=ELF, **machine):
    """(exit status, what was printed) of a machine that ends by itself."""
    with mazu.Mazu(elf, append=append, limit=200, **machine) as guest:
        status = guest.wait()
        return status, guest.serial()


def expect(status, pattern, *args, **kw):
    got, text = boot(*args, **kw)
    tail = "\n".join(text.splitlines()[-12:])
    assert got == status, f"exit status {got}, not {status}\n{tail}"
    assert re.search(pattern, text, re.M), f"no {pattern!r} in\n{tail}"
    return text


def refused(pattern, status=REFUSED, **kw):
    text = expect(status, f"^boot refused: {pattern}", **kw)
    assert text.count("boot refused") == 1 and "panic" not in text, text


# --- device trees, made from QEMU's own

def tree_of(machine="virt,aclint=on", smp=1, mem="256M"):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/tree"
        subprocess.run(["qemu-system-riscv64", "-M", f"{machine},dumpdtb={path}", "-smp", str(smp), "-m", mem],
                       check=True, capture_output=True, timeout=200)
        with open(path, "rb") as f:
            return bytearray(f.read())


def structure(tree):
    """Offset and length of the structure block."""
    return struct.unpack(">I", tree[8:12])[0], struct.unpack(">I", tree[36:40])[0]


def refused_with(tree, pattern, **kw):
    with tempfile.NamedTemporaryFile(suffix=".dtb") as f:
        f.write(tree)
        f.flush()
        refused(pattern, extra=("-dtb", f.name), **kw)


def renamed(tree, old, new):
    """The tree with a text changed to one of the same length, everywhere."""
    assert len(old) == len(new) and old in tree
    return tree.replace(old, new)


@case("a tree whose end is damaged is refused")
def _():
    tree = tree_of()
    start, length = structure(tree)
    tree[start + length - 4:start + length] = struct.pack(">I", 0x77)
    refused_with(tree, "the device tree is damaged: ")


@case("a tree with a processor that the kernel was not built for is refused")
def _():
    refused_with(renamed(tree_of(), b"_zba_zbb_zbc_zbs", b"_zbx_zbb_zbc_zbs"), r"hart 0 \(.*\) lacks .*: zba$")


@case("a tree without a paged processor is refused")
def _():
    refused_with(renamed(tree_of(), b"riscv,sv48\0", b"riscv,none\0"), r"hart 0 .* sv39$")


@case("a tree without an interrupt controller is refused")
def _():
    refused_with(renamed(tree_of(), b"riscv,plic0", b"riscv,plicX"), "this board .* is unknown: no PLIC")


@case("an initrd that lies where the kernel is, is refused")
def _():
    tree = tree_of()
    start, length = structure(tree)
    total, strings, size = (struct.unpack(">I", tree[at:at + 4])[0] for at in (4, 12, 32))
    assert strings + size == total
    for old, new, value in ((b"rng-seed", b"linux,initrd-start", struct.pack(">Q", 0x80300000)),
                            (b"stdout-path", b"linux,initrd-end", struct.pack(">Q", 0x80301000))):
        prop = tree.find(struct.pack(">I", tree.index(b"\0" + old + b"\0", strings) + 1 - strings), start, start + length)
        tree[prop:prop + 12] = struct.pack(">I", len(tree) - strings) + value
        tree += new + b"\0"
    tree[4:8], tree[32:36] = struct.pack(">I", len(tree)), struct.pack(">I", len(tree) - strings)
    refused_with(tree, "the initrd lies at 0x80300000, where the kernel needs the memory")


@case("a clock that nanoseconds cannot count is refused")
def _():
    tree = tree_of()
    old = struct.pack(">I", 10_000_000)
    assert tree.count(old) >= 1
    refused_with(tree.replace(old, struct.pack(">I", 32768 * 3)), "a timebase of 98304 Hz")


@case("a tree in which neither the firmware nor the kernel finds a console is refused aloud")
def _():
    tree = renamed(tree_of(), b"ns16550a", b"ns16550X")
    refused_with(renamed(tree, b"riscv,plic0", b"riscv,plicX"), "this board .* is unknown: no PLIC")


@case("a refusal is heard through the firmware where nobody listens by semihosting")
def _():
    with mazu.Mazu(ELF, mem="8M", limit=200, extra=("-semihosting-config", "enable=off")) as guest:
        guest.wait_for("^boot refused: [0-9]+ KiB of memory are not enough")
        assert "lacks an instruction" not in guest.serial(), guest.serial()


@case("another board is refused")
def _():
    command = ["qemu-system-riscv64", "-M", "spike", "-display", "none", "-serial", "stdio", "-monitor", "none",
               "-semihosting-config", "enable=on,target=native", "-kernel", ELF]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL,
                          check=False)
    assert done.returncode == REFUSED, f"exit status {done.returncode}"
    text = done.stdout + done.stderr
    assert re.search(r"^boot refused: this board \(.*spike.*\) is unknown", text, re.M), text


@case("a processor without the bit manipulation is refused")
def _():
    refused("this processor lacks an instruction", extra=("-cpu", "rv64,zbb=false"))


@case("too little memory is refused")
def _():
    # With less QEMU would put the device tree into the image.
    refused("[0-9]+ KiB of memory are not enough: the kernel needs [0-9]+ KiB", mem="8M")


@case("every hart comes up, with the software-interrupt device and without, with Sstc and without")
def _():
    for machine, extra in (("virt,aclint=on", ()), ("virt", ()), ("virt", ("-cpu", "rv64,sstc=false"))):
        expect(0, "^ok   arch_every_hart_is_up", "selftest=arch", smp=4, machine=machine, extra=extra)


@case("harts beyond the configuration stay stopped, and the log says so")
def _():
    expect(0, "4 harts more than CONFIG_CPU_MAX", "selftest=arch_every", smp=12)


@case("twenty boots in a row on four harts")
def _():
    for _ in range(20):
        expect(0, "^ok   arch_every_hart_is_up", "selftest=arch_every", smp=4)


@case("without semihosting the machine powers off")
def _():
    expect(0, "passed", "selftest=arch_percpu", extra=("-semihosting-config", "enable=off"))


# --- bugs on purpose

def panics(name, pattern, *more, elf=ELF, smp=1):
    text = expect(PANIC, f"^panic: {pattern}", f"selftest=crash_{name}", elf=elf, smp=smp)
    for line in more:
        assert re.search(line, text, re.M), f"no {line!r} in\n{text[-3000:]}"


@case("a stack overflow is seen before it does damage, and named")
def _():
    panics("overflow", "kernel stack overflow, sp .*, in crash_recurse.* in thread \\d+ .boot.", r"^ pc [0-9a-f]{16}")


@case("a failed assertion names its place, with a backtrace")
def _():
    panics("assert", r"assertion failed at tests/kernel/crash_selftest.c:\d+: zero == 1",
           r"^  selftest_crash_assert\+0x")


@case("a write through NULL is reported with its address and its callers")
def _():
    panics("null_write", "store page fault at 0x8, in selftest_crash_null_write", r"^  selftest_run\+0x")


@case("the text cannot be written")
def _():
    panics("text_write", "store page fault at 0x[0-9a-f]+, in selftest_crash_text_write")


@case("a smashed stack is seen at the function's return")
def _():
    panics("canary", "stack overwritten: the canary is gone at the return of crash_smashed")


@case("a panic reports every hart")
def _():
    panics("assert", "assertion failed", "^hart 0 in thread .*boot", '^hart 1 in thread \\d+ "',
           "^hart 2", "^hart 3", smp=4)


if RELEASE:
    @case("a release build reports its bugs too")
    def _():
        panics("assert", "assertion failed", r"^  . selftest_crash_assert\+0x", elf=RELEASE)
        panics("overflow", "kernel stack overflow", elf=RELEASE)

print(f"{results.count(True)} passed, {results.count(False)} failed")
sys.exit(not all(results))
