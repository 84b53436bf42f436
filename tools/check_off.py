#!/usr/bin/python3
"""check_off.py ON OFF: does a feature that is off cost nothing?

ON and OFF are output folders of two builds, OFF with every option off. For each object that an
obj.mk includes by obj-$(CONFIG_X) and that only ON has:
  - none of the symbols that it defines is in OFF's image: no text, no data, no bss;
and for each object that both have:
  - it is not larger in OFF: nobody grew a substitute.
"""
import glob
import os
import re
import subprocess
import sys

OPTIONAL = re.compile(r"^obj-\$\((CONFIG_\w+)\)\s*\+?=\s*(.*)$")


def optional_objects():
    """(option, object) of each obj.mk line with a condition, and the tests that options bring."""
    for makefile in sorted(glob.glob("**/obj.mk", recursive=True)):
        with open(makefile) as f:
            for line in f.read().replace("\\\n", " ").splitlines():
                if match := OPTIONAL.match(line):
                    for name in match.group(2).split():
                        yield match.group(1), os.path.join(os.path.dirname(makefile), name)
    for source in glob.glob("tests/kernel/*.c"):
        yield "CONFIG_SELFTEST", source[:-2] + ".o"


def defined(path):
    text = subprocess.run(["nm", "--defined-only", "-P", path], check=True, capture_output=True,
                          text=True).stdout
    return {(f[0], f[1]) for f in (line.split() for line in text.splitlines())}


def size(path):
    text = subprocess.run(["size", path], check=True, capture_output=True, text=True).stdout
    return sum(int(n) for n in text.splitlines()[1].split()[:3])


def main(on, off):
    image = {name for name, _ in defined(f"{off}/mazu.elf")}
    with open(f"{off}/.config") as f:
        config = f.read().splitlines()
    passed, errors = 0, []
    for option, name in optional_objects():
        source_on = f"{on}/{name}"
        if f"{option}=y" in config or not os.path.exists(source_on):
            continue
        left = sorted(n for n, kind in defined(source_on) if kind in "TDBRC" and n in image)
        if left:
            errors.append(f"{option} is off, and {name} still has {' '.join(left[:5])} in the image")
        else:
            passed += 1
    total = 0
    for folder, _, files in os.walk(on):
        for name in files:
            other = os.path.join(off, os.path.relpath(os.path.join(folder, name), on))
            if not name.endswith(".o") or name in ("ramfs.o", "symtab.o") or not os.path.exists(other):
                continue
            total += 1
            grown = size(other) - size(os.path.join(folder, name))
            if grown > 0:
                errors.append(f"{other} is {grown} bytes larger with everything off")
    print("\n".join(errors))
    print(f"off costs nothing: {passed + (total > 0)} passed, {len(errors)} failed")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
