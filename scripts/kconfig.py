#!/usr/bin/python3
"""Kconfig for the build, over Debian's python3-kconfiglib.

  kconfig.py defconfig BASE [FRAGMENT...]   write the configuration from a defconfig and fragments
  kconfig.py alloff                         every option that can be off is
  kconfig.py menuconfig | oldconfig | savedefconfig
  kconfig.py generate AUTOCONF_H AUTO_CONF [CONFIG_TXT]
                                            what C and make read, and what /proc/config shows

The configuration is the file $KCONFIG_CONFIG (.config). $DEBUG, the debug level of the build, is a
symbol that Kconfig takes from the environment, so one .config serves debug and release builds.
A line in a defconfig, fragment or .config that names no symbol, or asks for what cannot be had, is
an error: a misspelt option must not pass in silence.
"""
import os
import sys

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("KCONFIG_CONFIG", ".config")
os.environ["CONFIG_"] = "CONFIG_"

import kconfiglib  # noqa: E402  (reads the environment above)

CONFIG = os.environ["KCONFIG_CONFIG"]


def fail(text):
    sys.exit(f"kconfig: {text}")


def load_tree():
    tree = kconfiglib.Kconfig("configs/Kconfig", warn_to_stderr=False)
    tree.warn_assign_undef = True
    tree.warn_assign_override = False
    tree.warn_assign_redun = False
    if tree.warnings:
        fail("\n".join(tree.warnings))
    return tree


def find(name, folder, suffix):
    """A file name, or the name of a file of ours without folder and suffix."""
    for path in (name, f"{folder}/{name}", f"{folder}/{name}{suffix}"):
        if os.path.isfile(path):
            return path
    have = sorted(f.removesuffix(suffix) for f in os.listdir(folder))
    fail(f"no {name}; {folder}/ has: {' '.join(have)}")


def load(tree, path, replace=True):
    tree.load_config(path, replace=replace)
    for sym in tree.unique_defined_syms:
        sym.str_value  # ranges are judged when a value is asked for
    wrong = ("undefined symbol", "malformed", "outside the active range", "is not a valid", "is invalid")
    bad = [w for w in tree.warnings if any(words in w for words in wrong)]
    if bad:
        hint = f"\n`make oldconfig` drops what {CONFIG} should not have" if path == CONFIG else ""
        fail("\n".join(bad) + hint)


def check_granted(tree, path):
    """Everything that the file asks for must hold in the result."""
    wanted = {}
    with open(path) as lines:
        for line in lines:
            if m := tree._set_match(line):  # CONFIG_X=value
                wanted[m.group(1)] = m.group(2).strip().strip('"')
            elif m := tree._unset_match(line):
                wanted[m.group(1)] = "n"
    for name, value in wanted.items():
        have = tree.syms[name].str_value
        if have != value:
            fail(f"{path} asks for CONFIG_{name}={value}, dependencies make it {have}")


def write(tree):
    os.makedirs(os.path.dirname(CONFIG) or ".", exist_ok=True)
    tree.write_config(CONFIG, save_old=False)


def cmd_defconfig(base, *fragments):
    tree = load_tree()
    files = [find(base, "configs", "")]
    files += [find(f, "configs/fragments", ".config") for f in fragments]
    for i, path in enumerate(files):
        load(tree, path, replace=i == 0)
    for path in files[1:]:
        check_granted(tree, path)
    write(tree)
    print(f"  CONFIG   {CONFIG} from {' '.join(files)}")


def cmd_alloff():
    """Every option that can be off is: the least image."""
    tree = load_tree()
    for sym in tree.unique_defined_syms:
        if sym.orig_type == kconfiglib.BOOL and any(node.prompt for node in sym.nodes):
            sym.set_value(0)
    write(tree)
    print(f"  CONFIG   {CONFIG} with everything off")


def cmd_menuconfig():
    import menuconfig
    tree = load_tree()
    menuconfig.menuconfig(tree)


def cmd_oldconfig():
    import oldconfig
    sys.argv = ["oldconfig", "configs/Kconfig"]
    oldconfig._main()


def cmd_savedefconfig():
    tree = load_tree()
    load(tree, CONFIG)
    tree.write_min_config("configs/defconfig", header="")
    print("  CONFIG   configs/defconfig from", CONFIG)


def cmd_generate(header, makefile, listing=None):
    tree = load_tree()
    load(tree, CONFIG)
    tree.write_autoconf(header, header="/* Generated from " + CONFIG + " by scripts/kconfig.py. */\n")
    lines = []
    for sym in tree.unique_defined_syms:
        if sym.str_value in ("", "n") and sym.orig_type in (kconfiglib.BOOL, kconfiglib.TRISTATE):
            continue
        if sym.config_string:
            lines.append(f"CONFIG_{sym.name} := {sym.str_value}\n")
    if listing:  # every option a line, those that are off too, with the debug level of this build
        with open(listing, "w") as out:
            out.write("".join(sym.config_string for sym in tree.unique_defined_syms))
    with open(makefile, "w") as out:
        out.write("".join(lines))


COMMANDS = {name[4:]: fn for name, fn in globals().items() if name.startswith("cmd_")}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
