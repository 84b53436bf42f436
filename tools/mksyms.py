#!/usr/bin/python3
"""mksyms.py [--verify] TABLE < `nm` output: the kernel's table of function names.

The format is that of kernel/diag/symtab.h. With --verify, TABLE exists already and must be what the
symbols of the finished image give.
"""
import pathlib
import struct
import sys

MAGIC = 0x4D5A5359


def functions(lines):
    """(address, name) of each function, one name an address, and the end of the text."""
    best, end = {}, None
    for line in lines:
        fields = line.split()
        if len(fields) != 3:
            continue
        address, kind, name = int(fields[0], 16), fields[1], fields[2]
        if name in ("__text_end", "_etext", "etext"):
            end = address
        if kind not in "tTwW" or name.startswith((".L", "$")) or name in ("__text_start", "__text_end"):
            continue
        # Of several names for one address the global one reads best; then the alphabet decides.
        rank = (kind in "tw", name)
        if address not in best or rank < best[address]:
            best[address] = rank
    table = sorted((address, rank[1]) for address, rank in best.items())
    if end is not None:
        table = [(address, name) for address, name in table if address < end]
    elif table:
        end = table[-1][0] + 4096
    return table, end or 0


def build(lines):
    table, end = functions(lines)
    base = table[0][0] if table else 0
    names, offsets, starts = b"", [], []
    for address, name in table:
        text = name.encode()[:255]
        offsets.append(address - base)
        starts.append(len(names))
        names += bytes([len(text)]) + text
    count = len(table)
    return struct.pack(f"<IIQII{2 * count}I", MAGIC, count, base, end - base, len(names),
                       *offsets, *starts) + names


def main(argv):
    verify = argv[:1] == ["--verify"]
    path = argv[-1]
    data = build(sys.stdin)
    if not verify:
        with open(path, "wb") as f:
            f.write(data)
    elif pathlib.Path(path).read_bytes() != data:
        sys.exit(f"mksyms: {path} does not describe this image: the table moved the text")


if __name__ == "__main__":
    main(sys.argv[1:])
