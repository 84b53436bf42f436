#!/usr/bin/python3
"""The dashboard in Chromium: before a booted machine (tests/web/board_browser.mjs), and, for what a machine does not do
on demand, before a mock (tests/web/mock_browser.mjs). SHOTS=DIR makes the pictures of the README instead of testing, with
SHOTS_SMP=4 harts."""
import json
import os
import subprocess
import sys

import mazu

ELF = os.environ.get("MAZU_ELF_RELEASE") or os.environ.get("MAZU_ELF", "build/mazu.elf")
SHOTS = os.environ.get("SHOTS")
LIMIT_S = 400


def browse(script, *words, **env):
    """The exit status of a file of tests; what it prints goes where ours does."""
    sys.stdout.flush()
    command = [*mazu.DIE_WITH_PARENT, "node", "--test-reporter=tap", *words, script]
    return subprocess.run(command, env={**os.environ, **env}, timeout=LIMIT_S, check=False).returncode


def board(guest):
    """What the tests must know of this build: is there a shell, and what opens it."""
    status, _, body = guest.http("/api/access")
    access = json.loads(body) if status == 200 else {}
    token = guest.wait_for(r"Open http://\S+/\?token=([\w-]+)")[1] if access.get("token_required") else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    shell = status == 200 and guest.http("/api/shell/in", headers=headers)[0] == 200
    return {"host": guest.host, "port": guest.port, "token": token, "shell": shell}


def main():
    failed = 0
    with mazu.Mazu(ELF, smp=int(os.environ.get("SHOTS_SMP", "4")) if SHOTS else 2, net="user", limit=LIMIT_S) as guest:
        guest.wait_http("/")
        words = ["--test-name-pattern=pictures"] if SHOTS else []
        failed |= browse("tests/web/board_browser.mjs", *words, BOARD=json.dumps(board(guest)))
    if not SHOTS:
        failed |= browse("tests/web/mock_browser.mjs", BUNDLE=f"{os.path.dirname(os.path.abspath(ELF))}/web")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
