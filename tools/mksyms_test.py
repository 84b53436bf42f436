#!/usr/bin/python3
"""mksyms.py writes the format of kernel/diag/symtab.h."""
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import mksyms  # noqa: E402

NM = """\
0000000080200000 T _start
0000000080200010 t local
0000000080200010 T global
0000000080200020 T sched_pick
0000000080200020 t $x
0000000080200100 T __text_end
0000000080300000 D data
                 U undefined
"""


def parse(data):
    magic, count, base, text_len, names_len = struct.unpack_from("<IIQII", data)
    numbers = struct.unpack_from(f"<{2 * count}I", data, 24)
    names = data[24 + 8 * count:]
    assert len(names) == names_len and magic == mksyms.MAGIC
    return base, text_len, [(numbers[i], names[at + 1:at + 1 + names[at]].decode())
                            for i, at in enumerate(numbers[count:])]


class Symbols(unittest.TestCase):
    def test_table(self):
        self.assertEqual(parse(mksyms.build(NM.splitlines())),
                         (0x80200000, 0x100, [(0, "_start"), (0x10, "global"), (0x20, "sched_pick")]))

    def test_empty_image(self):
        self.assertEqual(parse(mksyms.build([])), (0, 0, []))

    def test_long_names_are_cut(self):
        _, _, table = parse(mksyms.build([f"0000000080200000 T {'x' * 300}"]))
        self.assertEqual(table, [(0, "x" * 255)])


if __name__ == "__main__":
    unittest.main()
