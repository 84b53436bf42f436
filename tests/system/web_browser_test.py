#!/usr/bin/python3
"""The dashboard in Chromium: before a booted machine (tests/web/board_browser.mjs), and, for what a machine does not do
on demand, before a mock (tests/web/mock_browser.mjs).

Instead of testing:
    SHOTS=DIR      makes the pictures of the README
    OPENINGS=N     says how long N openings of the page take
Both are of a machine with one hart. That of the pictures has a clock that counts its instructions, so that a browser on
the same host makes nothing late: what the pictures show is the machine's doing.
"""
import json
import os
import subprocess
import sys

import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
SHOTS, OPENINGS = os.environ.get("SHOTS"), os.environ.get("OPENINGS")
LIMIT_S = 800
# An instruction takes 4 ns of the machine's time, which is about the host's then.
COUNTED = {"extra": ("-icount", "shift=2"), "append": "idle=busy", "limit": 1500}


def browse(script, *words, before=(), limit=LIMIT_S, **env):
    """The exit status of a file of tests; what it prints goes where ours does."""
    sys.stdout.flush()
    command = [*mazu.DIE_WITH_PARENT, *before, "node", "--test-reporter=tap", *words, script]
    return subprocess.run(command, env={**os.environ, **env}, timeout=limit, check=False).returncode


def board(guest):
    """What the tests must know of this build: is there a shell, and what opens it."""
    status, _, body = guest.http("/api/access")
    access = json.loads(body) if status == 200 else {}
    token = guest.token() if access.get("token_required") else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    shell = status == 200 and guest.http("/api/shell/in", headers=headers)[0] == 200
    return {"host": guest.host, "port": guest.port, "token": token, "shell": shell}


def show(name, before=(), **how):
    """One of the tests, before a machine of which figures are taken."""
    with mazu.Mazu(ELF, net="user", **how) as guest:
        guest.wait_http("/")
        return browse("tests/web/board_browser.mjs", f"--test-name-pattern={name}", before=before, limit=how["limit"],
                      BOARD=json.dumps(board(guest)))


def main():
    if SHOTS:
        return show("pictures", before=("nice", "-n", "19"), **COUNTED)
    if OPENINGS:
        return show("usable", limit=LIMIT_S)
    with mazu.Mazu(ELF, smp=2, net="user", limit=LIMIT_S) as guest:
        guest.wait_http("/")
        failed = browse("tests/web/board_browser.mjs", BOARD=json.dumps(board(guest)))
    failed |= browse("tests/web/mock_browser.mjs", BUNDLE=f"{os.path.dirname(os.path.abspath(ELF))}/web")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
