#!/usr/bin/python3
"""check_layers.py [ROOT]: the architecture, checked at every include.

The table below is the order of the house: an include goes to a lower place only. It also holds the
rules for headers (one public one a folder, private ones stay inside), for pure cores, and the size
of functions and files. Tests may include anything. Each broken rule is one line of output.
"""
import os
import re
import sys

# Folder -> place. A file may include its own folder and places strictly below; folders with the
# same place do not know each other.
PLACES = {
    "abi": 0.0, "lib": 0.1,
    "arch": 1.0, "kernel/diag": 1.1, "kernel/lock": 1.2,
    "kernel/mm": 2, "kernel/irq": 2, "kernel/time": 2,
    "kernel/sched": 3,
    "kernel/sync": 4,
    "kernel/dev": 5,
    "kernel/fs": 6, "kernel/net": 6, "drivers": 6,
    "kernel/proc": 7,
    "user/shell": 8,
    "user/net": 9, "user/app": 9,
    "kernel/boot": 10,
    # U-mode programs see the ABI and their own library only.
    "user/libc": 0.5, "user/bin": 0.6,
}
# Pairs that the order would allow and the design does not.
FORBIDDEN = {("kernel/proc", "kernel/net")}
NOBODY_INCLUDES = {"drivers", "kernel/boot"}
USER_MODE = {"user/libc", "user/bin"}

# One header per type, because others embed the structs.
HEADER_PER_TYPE = {"abi", "lib", "kernel/sync"}
# Public headers beside the folder's own, each for a reason.
EXTRA_PUBLIC = {
    "kernel/diag/selftest.h": "tests include it, nothing else should",
    "kernel/diag/bench.h": "tests/bench includes it, nothing else should",
    "kernel/diag/trace.h": "who records in the trace includes it, and the rest of diag need not know",
    "kernel/sched/deadline.h": "deadlines, domains and modes: a chapter of its own beside sched.h",
    "user/shell/cmd.h": "what commands share, those that other folders register too",
    "kernel/lock/order.h": "the list of lock classes, read by lockdep and by people",
    "kernel/dev/packet.h": "drivers and net share it without knowing each other",
    "kernel/fs/ramfs_image.h": "the format that tools/mkramfs.py writes",
    "kernel/diag/symtab.h": "the format that tools/mksyms.py writes",
}
FREESTANDING = {"float.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h",
                "stddef.h", "stdint.h", "stdnoreturn.h"}
# What runs on this machine or over a C library.
HOSTED = re.compile(r"^(tests|tools|user/libc|user/bin|arch/host)/|_test\.c$")
SOURCE = re.compile(r"\.[chS]$")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')

FUNCTION_LINES = 80
FILE_LINES = 800
CODE_FOLDERS = ("abi", "lib", "arch", "kernel", "drivers", "user", "tests", "tools")


def folder_of(path):
    """The folder of the table that a file belongs to: the longest prefix."""
    parts = path.split("/")[:-1]
    while parts:
        if "/".join(parts) in PLACES:
            return "/".join(parts)
        parts.pop()
    return None


def is_test(path):
    return path.startswith(("tests/", "tools/")) or path.endswith("_test.c")


def is_public(header):
    """The folder's own header, one of a folder with a header per type, or one of the list."""
    folder, name = os.path.split(header)
    if name.endswith(("_priv.h", "_core.h")) or re.match(r"arch/[^/]+/", header):
        return False  # a machine's headers are arch's own business
    return (name == os.path.basename(folder) + ".h" or header in EXTRA_PUBLIC
            or folder_of(header) in HEADER_PER_TYPE | USER_MODE)


def pure_headers(texts):
    """Headers that include only abi/, lib/ and pure headers of their own folder: the types that
    several cores share. A core may include them; outside the folder they are private."""
    pure = {path for path in texts if path.endswith(".h")}
    while True:
        impure = set()
        for path in pure:
            for line in texts[path]:
                match = INCLUDE.match(line)
                if not match or match.group(1) == "<":
                    continue
                target = match.group(2)
                near = os.path.dirname(target) == os.path.dirname(path) and target in pure
                if not near and folder_of(target) not in ("abi", "lib"):
                    impure.add(path)
        if not impure:
            return pure
        pure -= impure


def check_include(path, quote, target, pure):
    """What is wrong with one include, or None."""
    own, place = folder_of(path), PLACES[folder_of(path)]
    if quote == "<":
        if target in FREESTANDING or HOSTED.search(path):
            return None
        return f"includes <{target}>, which a freestanding compiler does not have"
    if target.startswith("generated/"):
        return None if target != "generated/offsets.h" or own == "arch" else \
            "includes the offsets for assembly, which only arch uses"
    if "/" not in target:
        return f'includes "{target}": includes are relative to the root'
    other = folder_of(target)
    if other is None:
        return f'includes "{target}", which lies outside the layers'
    if path.endswith("_core.c"):
        if other not in ("abi", "lib") and not (
                os.path.dirname(target) == os.path.dirname(path) and target in pure):
            return f'is a pure core and includes "{target}"'
    if other == own:
        return None
    if not is_public(target) and other not in NOBODY_INCLUDES:
        return f'includes "{target}", which is private to {other}'
    if other in NOBODY_INCLUDES:
        return f'includes "{target}"; nobody includes {other}'
    if own in USER_MODE and other not in USER_MODE | {"abi"}:
        return f'includes "{target}"; programs see only abi/ and their library'
    if other in USER_MODE:
        return None if own in USER_MODE and PLACES[other] < place else \
            f'includes "{target}" of user programs'
    if (own, other) in FORBIDDEN:
        return f'includes "{target}"; {own} never knows {other}'
    if PLACES[other] >= place:
        return f'includes "{target}": {own} may not include {other}, which is not below it'
    return None


def check_headers(headers, pure):
    """One public header a folder, at most one *_priv.h beside pure ones; drivers show nothing."""
    errors, private = [], {}
    for path in sorted(headers):
        folder, name = os.path.split(path)
        owner = folder_of(path)
        if owner is None or is_test(path):
            continue
        if name.endswith("_priv.h"):
            private.setdefault(folder, []).append(name)
            continue
        if owner == "drivers" and path not in pure:
            errors.append(f"{path}: drivers have no public headers")
        elif owner != "drivers" and not is_public(path) and path not in pure and not path.startswith("arch/"):
            errors.append(f"{path}: the public header of {folder}/ is {os.path.basename(folder)}.h; "
                          "another one is *_priv.h, or pure")
    for folder, names in private.items():
        if len(names) > 1:
            errors.append(f"{folder}: more than one private header: {' '.join(names)}")
    return errors


def function_lengths(lines):
    """(line, length) of each function body; the longest flat switch does not count."""
    start = None
    switch = None
    flat = 0
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start, flat = number, 0
        elif start and re.match(r"\tswitch \(", line):
            switch = number
        elif start and switch and line.startswith("\t}"):
            flat, switch = max(flat, number - switch), None
        elif line.startswith("}") and start:
            yield start, number - start - 1 - flat
            start = switch = None


def check_sizes(path, lines):
    errors = []
    if len(lines) > FILE_LINES:
        errors.append(f"{path}: {len(lines)} lines; {FILE_LINES} is the end, split it by concept")
    if path.endswith(".c"):
        for line, length in function_lengths(lines):
            if length > FUNCTION_LINES:
                errors.append(f"{path}:{line}: a function of {length} lines; {FUNCTION_LINES} is the end")
    return errors


def check_file(path, lines, pure):
    errors = check_sizes(path, lines)
    owner = folder_of(path)
    if is_test(path):
        return errors
    if owner is None:
        return errors + [f"{path}: lies in no layer; add its folder to tools/check_layers.py"]
    for number, line in enumerate(lines, 1):
        if match := INCLUDE.match(line):
            if wrong := check_include(path, *match.groups(), pure):
                errors.append(f"{path}:{number}: {wrong}")
    return errors


def sources(root):
    for top in CODE_FOLDERS:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(files):
                if SOURCE.search(name):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check(root):
    texts = {}
    for path in sources(root):
        with open(os.path.join(root, path), errors="replace") as f:
            texts[path] = f.read().splitlines()
    pure = pure_headers(texts)
    errors = [e for path, lines in texts.items() for e in check_file(path, lines, pure)]
    return errors + check_headers([p for p in texts if p.endswith(".h")], pure), len(texts)


def main():
    errors, count = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(errors + [f"layers: {count} files, {len(errors)} broken rules"]))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
