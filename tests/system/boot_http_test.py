#!/usr/bin/python3
"""Twenty boots in a row on four harts, each to its first HTTP reply, as `make run` boots.

Every boot gets a seed of its own (QEMU's rng-seed, and with it the kernel's randomness), which is printed.
SEED=N begins there, SEED=random anywhere.
"""
import os
import random
import sys

import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
BOOTS, HARTS = 20, 4


def boot(seed):
    """Why it failed, or None."""
    try:
        with mazu.Mazu(ELF, smp=HARTS, net="user", seed=seed, limit=200) as guest:
            status, _, body = guest.wait_http("/")
            if status != 200 or not body:
                return f"GET / gave {status} with {len(body)} bytes"
    except mazu.MazuError as error:
        return error
    return None


def main():
    first = os.environ.get("SEED", "1")
    first = random.randrange(1, 2**31) if first == "random" else int(first)
    failed = 0
    for seed in range(first, first + BOOTS):
        why = boot(seed)
        print(f"ok   boot with seed {seed}" if why is None else
              f"FAIL boot with seed {seed}: {why}\n  repeat: SEED={seed} {sys.argv[0]}", flush=True)
        failed += why is not None
    print(f"{BOOTS - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
