#!/usr/bin/python3
"""check_purity.py finds what a core may not have."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import check_purity  # noqa: E402

LIB = {"lib/str.o": [("str_eq", "T"), ("str_local", "t"), ("printk", "U")]}


def errors(table, path="net/a_core.o", more=()):
    objects = {**LIB, path: table, **dict(more)}
    cores = [p for p in objects if p.endswith("_core.o")]
    return check_purity.check(["lib/str.o"], cores, read=objects.__getitem__)


class Purity(unittest.TestCase):
    def test_lib_and_compiler_calls_are_allowed(self):
        self.assertEqual(errors([("a", "T"), ("str_eq", "U"), ("memcpy", "U"), ("assert_fail", "U"),
                                 ("table", "r")]), [])

    def test_a_call_out_of_lib_is_not(self):
        self.assertIn("uses clock_now", errors([("clock_now", "U")])[0])
        self.assertIn("uses printk", errors([("printk", "U")])[0])
        self.assertIn("uses str_local", errors([("str_local", "U")])[0])

    def test_writable_data_is_not(self):
        for kind in "bBdDC":
            self.assertIn("writable data: count", errors([("count", kind)])[0])

    def test_cores_of_one_folder_may_call_each_other(self):
        other = [("net/b_core.o", [("b_input", "T")])]
        self.assertEqual(errors([("b_input", "U")], more=other), [])
        other = [("mm/b_core.o", [("b_input", "T")])]
        self.assertEqual(len(errors([("b_input", "U")], more=other)), 1)


if __name__ == "__main__":
    unittest.main()
