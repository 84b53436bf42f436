#!/usr/bin/python3
"""harm_test.py: what harms no admitted deadline thread (tests/kernel/harm_selftest.c), on one hart whose time is
instructions: there the tests count misses, and repeat exactly.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mazu  # noqa: E402  (the harness beside this file)

ELF = os.environ.get("MAZU_ELF_RELEASE", "build/mazu.elf")

with mazu.Mazu(ELF, smp=1, append="selftest=exact", icount=True, limit=120) as guest:
    try:
        STATUS = guest.wait()
    finally:
        print(guest.serial())
sys.exit(STATUS)
