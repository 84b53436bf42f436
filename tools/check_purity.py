#!/usr/bin/python3
"""check_purity.py --lib OBJECT... --core OBJECT...: are the pure cores pure?

A core (*_core.c) may call only lib, the functions that the compiler calls by itself, the assertion
hook and the other cores of its own folder; and it may not have writable data, which would be state
that its arguments do not show. The objects are host objects, compiled without sanitizers.
"""
import os
import subprocess
import sys

COMPILER = {"memcpy", "memmove", "memset", "memcmp", "assert_fail", "_GLOBAL_OFFSET_TABLE_"}


def symbols(path):
    """(name, type letter) of each symbol of an object."""
    text = subprocess.run(["nm", "-P", path], check=True, capture_output=True, text=True).stdout
    return [(f[0], f[1]) for f in (line.split() for line in text.splitlines())]


def check(libs, cores, read=symbols):
    """Lines that say what is wrong; none if the cores are pure."""
    defined = {}  # folder -> names that its cores define
    tables = {path: read(path) for path in cores}
    for path, table in tables.items():
        names = defined.setdefault(os.path.dirname(path), set())
        names.update(n for n, kind in table if kind.isupper() and kind != "U")
    allowed = COMPILER | {n for path in libs for n, kind in read(path) if kind in "TRDBVW"}
    errors = []
    for path, table in tables.items():
        for name, kind in table:
            if kind in "Uwv" and name not in allowed | defined[os.path.dirname(path)]:
                errors.append(f"{path}: a pure core uses {name}, which is not in lib")
            if kind in "DdBbC" and not name.startswith("__PRETTY"):
                errors.append(f"{path}: a pure core has writable data: {name}")
    return errors


def main(argv):
    libs, cores = [], []
    target = None
    for arg in argv:
        if arg in ("--lib", "--core"):
            target = libs if arg == "--lib" else cores
        else:
            target.append(arg)
    errors = check(libs, cores)
    print("\n".join(errors) if errors else f"purity: {len(cores)} cores are pure")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
