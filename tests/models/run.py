#!/usr/bin/python3
"""run.py [MODEL.pml...]: has spin search every state of the models, and find every break seeded in them.

A model says in its opening comment what to do with it:

  @run NAME DEFINES...    all assertions hold and there is no invalid end state
  @always NAME DEFINES... its LTL formula (under LTL) holds for every schedule
  @ltl NAME DEFINES...    the same for every weakly fair schedule
  @break NAME BREAK_X     with BREAK_X defined as well (and what else stands there), the run of that name must fail

A search counts only when it is complete. One line for each, the last is "N passed, N failed". A
counterexample is kept: read it by the command that its line says.
"""
import glob
import os
import re
import resource
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
O = os.environ.get("O", "build")
WORK = os.path.abspath(f"{O}/models")
MEMORY_MB = 1000
LIMIT_S = 60
DEPTH = 100000
DIRECTIVE = re.compile(r"^ \* @(run|always|ltl|break) (\w+)(.*)$", re.M)


def limited():
    size = (MEMORY_MB + 500) << 20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def execute(folder, *words):
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False,
                              preexec_fn=limited, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"not finished after {LIMIT_S} s", 1
    return done.stdout + done.stderr, done.returncode


def search(folder, model, defines, kind):
    """(verdict, what pan says of it): "holds", "fails", or "cannot say" when the search is not complete."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    defines = [f"-D{d}" for d in {d.split("=")[0]: d for d in defines}.values()] + (["-DLTL"] if kind != "run" else [])
    output, status = execute(folder, "spin", *defines, "-a", model)
    if status or "rror" in output:
        return "cannot say", f"spin: {output.strip()[:300]}"
    flags = {"run": ["-DSAFETY"], "always": [], "ltl": ["-DNFAIR=3"]}[kind]
    # Optimizing pan would take longer than the search.
    output, status = execute(folder, "gcc", "-w", "-O0", *flags, f"-DMEMLIM={MEMORY_MB}", "-o", "pan", "pan.c")
    if status:
        return "cannot say", output.strip()[:300]
    output, status = execute(folder, "./pan", "-n", "-w22", f"-m{DEPTH}", *{"run": [], "always": ["-a"], "ltl": ["-a", "-f"]}[kind])
    os.remove(f"{folder}/pan")
    found = re.search(r"^pan:\d+: (.*)$", output, re.M)
    errors = re.search(r"errors: (\d+)", output)
    if found and errors and int(errors[1]) > 0:
        where = os.path.relpath(folder)
        return "fails", f"{found[1]}; cd {where} && spin -t -p -g {' '.join(defines)} {os.path.basename(model)}"
    states = re.search(r"^\s*([\d.e+]+) states, stored", output, re.M)
    if not errors or status or "Search not completed" in output or "max search depth too small" in output:
        return "cannot say", "the search is not complete: " + " ".join(output.split())[:300]
    return "holds", f"{int(float(states[1]))} states"


def check(model):
    """(passed, failed) of one model."""
    with open(model) as f:
        directives = DIRECTIVE.findall(f.read())
    runs = {name: (kind, rest.split()) for kind, name, rest in directives if kind != "break"}
    jobs = [(name, kind, defines, "holds") for name, (kind, defines) in runs.items()]
    for kind, name, rest in directives:
        if kind == "break":
            searched, defines = runs[name]
            jobs.append((f"{name} {rest.strip()}", searched, defines + rest.split(), "fails"))
    passed = 0
    for name, kind, defines, wanted in jobs:
        start = time.monotonic()
        folder = f"{WORK}/{name.replace(' ', '-')}"
        verdict, text = search(folder, model, defines, kind)
        shutil.copy(model, folder)  # for who replays the trail
        good = verdict == wanted
        passed += good
        print(f"{'ok  ' if good else 'FAIL'} {name}: {verdict}, {text}, {time.monotonic() - start:.1f} s", flush=True)
        if good:
            shutil.rmtree(folder)
    return passed, len(jobs) - passed


def main(models):
    totals = [check(os.path.abspath(m)) for m in models or sorted(glob.glob(f"{HERE}/*.pml"))]
    passed, failed = map(sum, zip(*totals))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
