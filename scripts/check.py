#!/usr/bin/python3
import glob, os, subprocess, sys
O = os.environ.get("O", "build")
assert sys.argv[1:] == ["host"], "only check-host exists yet"
bad = subprocess.call(["make", "-k", "-j2", "host-tests", "purity"]) != 0
passed = failed = 0
for src in sorted(glob.glob("**/*_test.c", recursive=True)):
    r = subprocess.run([f"{O}/host/{src[:-2]}"], capture_output=True, text=True, timeout=120) \
        if os.path.exists(f"{O}/host/{src[:-2]}") else None
    ok = r is not None and r.returncode == 0
    passed += ok
    failed += not ok
    if not ok:
        print(f"FAIL {src}", (r.stdout + r.stderr) if r else "not built")
print(f"{passed} passed, {failed + bad} failed")
sys.exit(failed + bad != 0)
