#!/usr/bin/python3
"""check.py PART...: runs Mazu's tests; `make check` is check.py all.

  host      unit tests, simulations, models, tests of the tools, layers, purity
  build     gcc and clang, every defconfig and fragment, what is off costs nothing, clang-tidy
  selftest  the self-tests inside the kernel, at 1, 2 and 4 harts, debug, release and UBSan
  smp       those on more than one hart, and tests/system/smp_*.py
  boot      every defconfig and fragment passes its self-tests and serves its page
  fuzz      a short, counted run of every fuzzer (FUZZ_RUNS=N for a longer one)
  net web boot run  tests/system/PART_*.py
  all       everything

Jobs run two at a time. Each has a time limit, a log in $O/check/, and a count of passed and failed
tests: the sum of the lines "N passed, N failed" that it prints, or 1 for its exit status. The last
line is the total, the exit status 0 only if nothing failed. To add a test, drop its file.
"""
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

O = os.environ.get("O", "build")
LOGS = f"{O}/check"
PYTHON = "/usr/bin/python3"
FUZZ_RUNS = os.environ.get("FUZZ_RUNS", "20000")
FOUND = re.compile(r"FAIL|: failed: |^not ok|panic|Traceback|Sanitizer|runtime error|\b[1-9]\d* failed\b")
FOUND_LINES = 20
TAIL_LINES = 40
sys.path.insert(0, "tests/system")
import mazu  # noqa: E402

COUNT = re.compile(r"\b(\d+) passed, (\d+) failed\b")
UNITTEST = re.compile(r"^Ran (\d+) tests? in|^# pass (\d+)$", re.M)  # of Python; of node --test

# What a person set for a build of his own must not reach the builds of the tests.
ENV = {k: v for k, v in os.environ.items() if k not in (
    "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "LLVM", "RELEASE", "DEBUG", "V", "KCONFIG_CONFIG",
    "APPEND", "GDB", "ICOUNT", "TAP", "IF", "DISK", "INITRD", "SMP", "MEM", "PORT", "GNUMAKEFLAGS")}
ENV["PYTHONDONTWRITEBYTECODE"] = "1"
running = set()  # process groups of the commands under way


def interrupted(number, _frame):
    """Ctrl-C, or an order to end: nothing that was started goes on."""
    for group in list(running):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(128 + number)


class Failure(Exception):
    """A job found what a test must not find; its text says what."""


def run(log, command, limit, env=None):
    """Runs a command into the log; its output. A failure or a time-out raises."""
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    start = log.tell()
    process = subprocess.Popen(mazu.DIE_WITH_PARENT + command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                               env={**ENV, **(env or {})}, start_new_session=True)
    running.add(process.pid)
    try:
        status = process.wait(limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise Failure(f"not finished after {limit} s") from None
    finally:
        running.discard(process.pid)
    log.seek(start)
    output = log.read()
    if status != 0 and not any(int(failed) for _, failed in COUNT.findall(output)):
        raise Failure(f"exit status {status}")
    return output


# --- builds: each made once, by whoever needs it first -------------------------------------------

class Build:
    """One image: a defconfig, fragments, and variables of make. Its folder is $O/check/NAME."""
    all = {}

    def __init__(self, name, base="defconfig", fragments=(), **variables):
        self.name, self.base, self.fragments, self.variables = name, base, fragments, variables
        self.dir = f"{LOGS}/{name}"
        self.elf = f"{self.dir}/mazu.elf"
        self.lock = threading.Lock()
        self.done = None
        Build.all[name] = self

    def env(self):
        return {"O": self.dir, "KCONFIG_CONFIG": f"{self.dir}/.config", **self.variables}

    def make(self, log):
        with self.lock:
            if self.done is None:
                try:
                    self.build(log)
                    self.done = ""
                except Failure as failure:
                    self.done = f"build {self.name}: {failure} (see {log.name})"
        if self.done:
            raise Failure(self.done)
        return self.elf

    def build(self, log):
        config = ["make", "defconfig", f"DEFCONFIG={self.base}",
                  f"CONFIG_FRAGMENTS={' '.join(self.fragments)}"]
        if self.base == "alloff":
            config = [PYTHON, "scripts/kconfig.py", "alloff"]
        run(log, config, 60, self.env())
        run(log, ["make", "-j2", f"{self.dir}/mazu.elf"], 600, self.env())


DEBUG = Build("debug")
RELEASE = Build("release", fragments=("selftest",), RELEASE="1")
SHIPPED = Build("shipped", RELEASE="1")
CLANG = Build("clang-debug", LLVM="1")
CLANG_RELEASE = Build("clang-release", RELEASE="1", LLVM="1")
ALLOFF = Build("alloff", base="alloff")
VARIANTS = []  # every other defconfig, and every fragment over defconfig
for _path in sorted(glob.glob("configs/*_defconfig")):
    VARIANTS.append(Build(os.path.basename(_path), base=os.path.basename(_path)))
for _path in sorted(glob.glob("configs/fragments/*.config")):
    _name = os.path.basename(_path).removesuffix(".config")
    VARIANTS.append(Build(f"with-{_name}", fragments=(_name,)))
UBSAN = Build.all["with-ubsan"]
TRACE = Build.all["with-trace"]


class Once:
    """A make goal that several jobs need: run by the first."""

    def __init__(self, *goals):
        self.goals, self.lock, self.ran = goals, threading.Lock(), False

    def __call__(self, log):
        with self.lock:
            if not self.ran:
                self.ran = True
                try:
                    run(log, ["make", "-k", "-j2", *self.goals], 900)
                except Failure:
                    pass  # who misses his program says so


host_programs = Once("host-tests", "sims")
fuzz_programs = Once("fuzzers")

# --- jobs: a function of the log that returns (passed, failed) or raises Failure -------------------


def count(output):
    """The sum of what a program says it passed and failed; 1, 0 if it counts nothing."""
    found = [(int(a), int(b)) for a, b in COUNT.findall(output)]
    found += [(int(a or b), 0) for a, b in UNITTEST.findall(output)]
    return tuple(map(sum, zip(*found))) if found else (1, 0)


def command(*words, limit=120, env=None, before=None):
    def job(log):
        if before:
            before(log)
        if words[0].startswith(O) and not os.path.exists(words[0]):
            raise Failure("it was not built")
        return count(run(log, list(words), limit, env))
    return job


def compiles(build):
    def job(log):
        build.make(log)
        return 1, 0
    return job


def selftest(build, smp, only=""):
    def job(log):
        elf = build.make(log)
        append = f"selftest={only}" if only else "selftest"
        with mazu.Mazu(elf, smp=smp, append=append, limit=600) as guest:
            try:
                status = guest.wait()
            finally:
                log.write(guest.serial())
        passed, failed = count(guest.serial())
        if status != 0 and failed == 0:
            raise Failure(f"exit status {status}")
        return passed, failed
    return job


def boots(build):
    """The image passes the self-tests that it carries, and then serves its page."""
    def job(log):
        elf = build.make(log)
        passed = failed = 0
        with open(f"{build.dir}/generated/auto.conf") as f:
            if "CONFIG_SELFTEST := y\n" in f:
                passed, failed = selftest(build, 2)(log)
        if not os.path.exists("user/net/obj.mk"):
            return passed, failed  # a tree without its server has no page to show
        with mazu.Mazu(elf, smp=2, net="user", limit=600) as guest:
            try:
                status, _, body = guest.wait_http("/")
            finally:
                log.write(guest.serial())
        if status != 200 or not body:
            raise Failure(f"GET / gave {status} with {len(body)} bytes")
        return passed + 1, failed
    return job


def off_costs_nothing(log):
    DEBUG.make(log)
    ALLOFF.make(log)
    return count(run(log, [PYTHON, "tools/check_off.py", DEBUG.dir, ALLOFF.dir], 60))


def reproducible(log):
    """The same commit, built in another folder, gives the same bytes."""
    RELEASE.make(log)
    copy = os.path.abspath(f"{LOGS}/elsewhere")
    run(log, ["sh", "-c", 'rm -rf "$0" && mkdir -p "$0" && git ls-files -z -co --exclude-standard | '
              'tar --null -T - --ignore-failed-read -cf - | tar -x -C "$0" && '
              'ln -s "$PWD/web/node_modules" "$0/web/node_modules"', copy], 60)
    there = Build("elsewhere", fragments=RELEASE.fragments, **RELEASE.variables)
    version = subprocess.run(["git", "describe", "--always", "--dirty", "--tags"], capture_output=True,
                             text=True, check=False).stdout.strip()
    env = {**there.env(), "O": "out", "KCONFIG_CONFIG": ".config", "VERSION": version}
    run(log, ["make", "-C", copy, "defconfig", f"CONFIG_FRAGMENTS={' '.join(there.fragments)}"], 60, env)
    run(log, ["make", "-C", copy, "-j2", "out/mazu.elf"], 600, env)
    for elf in (RELEASE.elf, f"{copy}/out/mazu.elf"):
        run(log, ["riscv64-unknown-elf-objcopy", "-O", "binary", elf, f"{elf}.bin"], 60)
    run(log, ["cmp", f"{RELEASE.elf}.bin", f"{copy}/out/mazu.elf.bin"], 60)
    return 1, 0


def sources_only(log):
    """What .gitignore names is made, by builds or by set-up: none of it is committed."""
    made = run(log, ["git", "ls-files", "-ci", "--exclude-standard"], 60).split()
    if made:
        raise Failure(f"committed, though .gitignore names it: {made[0]} and {len(made) - 1} more")
    return 1, 0


def analyze(log):
    """clang-tidy over every file of the image; a finding is a failure."""
    DEBUG.make(log)
    run(log, ["make", "-k", "analyze"], 600, DEBUG.env())
    return 1, 0


def system_test(path):
    def job(log):
        env = {"MAZU_ELF": DEBUG.make(log), "MAZU_ELF_RELEASE": RELEASE.make(log)}
        return count(run(log, [PYTHON, path], 1200, env))
    return job


def fuzz(source):
    name = os.path.basename(source).removesuffix("_fuzz.c")
    program = f"{O}/fuzz/{source[:-2]}"
    found = f"{O}/fuzz/found/{name}"
    corpus = f"tests/fuzz/corpus/{name}"

    def job(log):
        fuzz_programs(log)
        if not os.path.exists(program):
            raise Failure("it was not built")
        os.makedirs(found, exist_ok=True)
        words = [program, "-seed=1", f"-runs={FUZZ_RUNS}", "-timeout=30", f"-artifact_prefix={found}/",
                 "-print_final_stats=0", found]
        run(log, words + ([corpus] if os.path.isdir(corpus) else []),
            300 if FUZZ_RUNS == "20000" else None)
        return 1, 0
    return job


def jobs():
    """(part, name, function) of everything there is, the long ones first."""
    matrix = [(DEBUG, 4), (DEBUG, 1), (DEBUG, 2), (RELEASE, 4), (RELEASE, 1), (UBSAN, 4)]
    for build, smp in matrix:
        parts = ("selftest", "smp") if smp > 1 else ("selftest",)
        yield parts, f"selftest-{build.name}-{smp}", selftest(build, smp)
    yield ("selftest", "smp"), "trace-4", selftest(TRACE, 4, "trace")
    for path in sorted(glob.glob("tests/system/*_*.py")):
        name = os.path.basename(path)[:-3]
        yield (name.split("_")[0], "system"), f"system-{name}", system_test(path)
    for path in sorted(glob.glob("tests/sim/*_sim.c")):
        yield ("host", "sim"), f"sim-{os.path.basename(path)[:-2]}", \
            command(f"{O}/host/{path[:-2]}", before=host_programs, limit=600)
    for path in sorted(glob.glob("tests/models/*.pml")):
        yield ("host", "models"), f"model-{os.path.basename(path)[:-4]}", \
            command(PYTHON, "tests/models/run.py", path, limit=600)
    for path in sorted(glob.glob("tests/fuzz/*_fuzz.c")):
        yield ("fuzz",), os.path.basename(path)[:-2], fuzz(path)
    for build in [CLANG, CLANG_RELEASE, RELEASE, DEBUG, *VARIANTS]:
        yield ("build",), f"build-{build.name}", compiles(build)
    for build in [SHIPPED, CLANG, CLANG_RELEASE, *VARIANTS]:
        yield ("boot",), f"boot-{build.name}", boots(build)
    yield ("build",), "off-costs-nothing", off_costs_nothing
    yield ("build",), "reproducible", reproducible
    yield ("build", "analyze"), "analyze", analyze
    yield ("host",), "layers", command(PYTHON, "tools/check_layers.py")
    yield ("host",), "sources-only", sources_only
    yield ("host",), "purity", command("make", "purity", limit=300)
    for path in sorted(glob.glob("tools/*_test.py") + glob.glob("scripts/*_test.py")):
        yield ("host",), os.path.basename(path)[:-3], command(PYTHON, path)
    yield ("host", "web"), "page", command("node", "--test", "--test-reporter=tap", *sorted(glob.glob("web/*_test.mjs")))
    tests = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*_test.c"],
                           capture_output=True, text=True, check=False).stdout.split()
    for path in sorted(tests):
        yield ("host",), path[:-2].replace("/", "-"), \
            command(f"{O}/host/{path[:-2]}", before=host_programs)


class Report:
    def __init__(self):
        self.lock, self.passed, self.failed = threading.Lock(), 0, 0

    def add(self, name, seconds, passed, failed, text, log):
        with self.lock:
            self.passed += passed
            self.failed += failed
            print(f"{'FAIL' if failed else 'ok  '} {name:40} {passed:5} passed "
                  f"{failed:3} failed {seconds:6.1f} s", flush=True)
            if failed:
                with open(log, errors="replace") as f:
                    lines = f.read().splitlines()
                found = [line for line in lines[:-TAIL_LINES] if FOUND.search(line)][:FOUND_LINES]
                print("\n".join([f"     {text.splitlines()[0]}; {log} says:", *("     > " + line for line in found),
                                 *("     | " + line for line in lines[-TAIL_LINES:])]), flush=True)

    def run(self, name, function):
        path, start = f"{LOGS}/{name}.log", time.monotonic()
        text = "tests failed"
        with open(path, "w+", errors="replace") as log:
            try:
                passed, failed = function(log)
            except Failure as failure:
                passed, failed, text = 0, 1, str(failure)
            except (OSError, ValueError, mazu.MazuError) as error:
                passed, failed, text = 0, 1, f"{type(error).__name__}: {error}"
            if failed:
                log.seek(0, 2)
                log.write(f"\n{text.splitlines()[0]}\n")
        self.add(name, time.monotonic() - start, passed, failed, text, path)


def main(parts):
    chosen = [(name, fn) for belongs, name, fn in jobs() if "all" in parts or set(parts) & set(belongs)]
    if not chosen:
        sys.exit(f"check: nothing belongs to {' '.join(parts) or 'no part'}\n{__doc__}")
    os.makedirs(LOGS, exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    report = Report()
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(report.run, name, fn) for name, fn in chosen]:
            future.result()
    print(f"{len(chosen)} jobs in {time.monotonic() - start:.0f} s, logs in {LOGS}/")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
