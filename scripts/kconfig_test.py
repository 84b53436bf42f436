#!/usr/bin/python3
"""kconfig.py refuses what would otherwise pass in silence, and one .config serves each DEBUG."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Kconfig(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.config = os.path.join(self.folder.name, ".config")

    def tearDown(self):
        self.folder.cleanup()

    def kconfig(self, *args, debug="1"):
        env = {**os.environ, "KCONFIG_CONFIG": self.config, "DEBUG": debug}
        return subprocess.run([sys.executable, "scripts/kconfig.py", *args], cwd=ROOT, env=env,
                              capture_output=True, text=True, check=False)

    def fragment(self, text):
        path = os.path.join(self.folder.name, "f.config")
        with open(path, "w") as f:
            f.write(text)
        return self.kconfig("defconfig", "defconfig", path)

    def generate(self, debug):
        header = os.path.join(self.folder.name, f"h{debug}")
        run = self.kconfig("generate", header, header + ".mk", debug=debug)
        self.assertEqual(run.returncode, 0, run.stderr)
        with open(header) as f:
            return f.read()

    def test_kernel_preemption_cannot_be_configured(self):
        for line in ("# CONFIG_PREEMPT is not set\n", "CONFIG_PREEMPT=n\n", "CONFIG_PREEMPT_NONE=y\n"):
            run = self.fragment(line)
            self.assertNotEqual(run.returncode, 0, line)
            self.assertIn("undefined symbol", run.stderr)

    def test_a_misspelt_option_is_an_error(self):
        self.assertNotEqual(self.fragment("CONFIG_LOCKDEPP=y\n").returncode, 0)

    def test_a_value_that_an_option_cannot_have_is_an_error(self):
        for line in ("CONFIG_WEB_CONNECTIONS=99999999", "CONFIG_WEB_CONNECTIONS=abc", "CONFIG_WEB_CONNECTIONS=-5",
                     "CONFIG_SMP=maybe", "CONFIG_CPU_MAX=0"):
            self.assertNotEqual(self.fragment(line + "\n").returncode, 0, line)
            with open(self.config, "w") as f:
                f.write(line + "\n")
            run = self.kconfig("generate", self.config + ".h", self.config + ".mk")
            self.assertNotEqual(run.returncode, 0, line)
            self.assertIn(line.split("=")[0].removeprefix("CONFIG_"), run.stderr)

    def test_what_dependencies_forbid_is_an_error(self):
        run = self.fragment("# CONFIG_SMP is not set\nCONFIG_CPU_MAX=4\n")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("dependencies make it", run.stderr)

    def test_one_config_serves_each_debug_level(self):
        self.assertEqual(self.kconfig("defconfig", "defconfig").returncode, 0)
        release, debug, poison = (self.generate(n) for n in "012")
        for name in ("CONFIG_DEBUG ", "CONFIG_LOCKDEP", "CONFIG_SELFTEST"):
            self.assertNotIn(name, release)
            self.assertIn(name, debug)
        self.assertNotIn("CONFIG_DEBUG_POISON", debug)
        self.assertIn("CONFIG_DEBUG_POISON", poison)

    def test_the_listing_has_every_option_once(self):
        self.assertEqual(self.kconfig("defconfig", "defconfig").returncode, 0)
        files = [os.path.join(self.folder.name, name) for name in ("h", "mk", "txt")]
        self.assertEqual(self.kconfig("generate", *files, debug="0").returncode, 0)
        with open(files[2]) as f:
            lines = f.read().splitlines()
        names = [line.removeprefix("# ").split("=")[0].split()[0] for line in lines]
        self.assertEqual(len(names), len(set(names)))
        for line in ("CONFIG_SMP=y", "CONFIG_DEBUG_LEVEL=0", "# CONFIG_UBSAN is not set"):
            self.assertIn(line, lines)

    def test_every_option_that_people_set_is_explained_and_bounded(self):
        os.environ["DEBUG"] = "1"
        import kconfig
        here = os.getcwd()
        os.chdir(ROOT)
        try:
            tree = kconfig.load_tree()
        finally:
            os.chdir(here)
        for sym in tree.unique_defined_syms:
            if not any(node.prompt for node in sym.nodes):
                continue
            self.assertTrue(any(node.help for node in sym.nodes), f"{sym.name} has no help")
            if sym.orig_type == kconfig.kconfiglib.INT:
                self.assertTrue(sym.ranges, f"{sym.name} has no range")

    def test_up_is_one_hart(self):
        self.assertEqual(self.kconfig("defconfig", "defconfig", "up").returncode, 0)
        text = self.generate("1")
        self.assertNotIn("CONFIG_SMP", text)
        self.assertIn("CONFIG_CPU_MAX 1\n", text)

    def test_every_defconfig_and_fragment_loads(self):
        for name in os.listdir(f"{ROOT}/configs"):
            if name.endswith("defconfig"):
                self.assertEqual(self.kconfig("defconfig", name).returncode, 0, name)
        for name in os.listdir(f"{ROOT}/configs/fragments"):
            run = self.kconfig("defconfig", "defconfig", name)
            self.assertEqual(run.returncode, 0, name + run.stderr)


if __name__ == "__main__":
    unittest.main()
