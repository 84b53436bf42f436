# Mazu's build: one entry for people. `make help` lists the goals; docs/build.md explains the rest.
#
# Nothing here recurses into folders: scripts/build.mk collects each folder's obj.mk into one graph.
# Goals that may run on a bare machine (run, check, ...) call scripts/setup.sh first, then make again.

O      ?= build
PORT   ?= 8080
SMP    ?= $(shell n=$$(nproc); echo $$((n > 4 ? 4 : n)))
MEM    ?= 256M
APPEND ?=
# DEBUG: 0 none, 1 assertions, invariants and lockdep, 2 poisoning too, 3 verbose logs too
DEBUG  ?= $(if $(RELEASE),0,1)
# The configuration that is built; scripts/check.py gives each of its builds one of its own.
KCONFIG_CONFIG ?= .config

PYTHON := /usr/bin/python3
MAKEFLAGS += -rR --no-print-directory
export O PORT SMP MEM DEBUG RELEASE GDB ICOUNT TAP IF DISK INITRD APPEND LLVM V KCONFIG_CONFIG

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# Goals that this file serves alone; goals on this machine, which need no .config; all others are
# files or goals of the image.
people-goals := help setup run check check-% fuzz sim bench config menuconfig defconfig savedefconfig \
	oldconfig format clean
host-goals := host-tests sims fast-sims fuzzers purity
goals := $(filter-out $(people-goals),$(or $(MAKECMDGOALS),all))
ifneq ($(goals),)
include scripts/common.mk
include scripts/host.mk
endif
ifneq ($(filter-out $(host-goals),$(goals)),)
include scripts/build.mk
endif

.PHONY: all help setup run check fuzz sim bench config menuconfig defconfig savedefconfig oldconfig \
	format analyze clean

help:
	@sed -n 's/^## //p' scripts/help.txt

setup:
	@scripts/setup.sh run

run:
	@scripts/setup.sh run
	@+$(MAKE) all
	@scripts/run.sh $(O)/mazu.elf

check:
	@scripts/setup.sh check
	@+$(PYTHON) scripts/check.py all

# check-host, check-selftest, check-smp, check-net, check-web, ...: one part of it
check-%:
	@scripts/setup.sh check
	@+$(PYTHON) scripts/check.py $*

fuzz:
	@scripts/setup.sh check
	@+$(PYTHON) scripts/check.py fuzz

# The long simulations; SETS=N, JOBS=N, MORE=N, SEED=N, DEPTH=N as scripts/sim.sh says.
sim:
	@scripts/setup.sh check
	@+$(MAKE) fast-sims $(O)/host/tests/sim/sched_sim
	@scripts/sim.sh $(O)/fast/tests/sim/edf_sim $(O)/host/tests/sim/sched_sim

bench:
	@scripts/setup.sh bench
	@+$(PYTHON) scripts/bench.py

# Configuration. DEFCONFIG=F picks the base, CONFIG_FRAGMENTS="A B" are laid over it in that order;
# both are file names, or names in configs/ and configs/fragments/ without their suffix.
DEFCONFIG ?= defconfig
CONFIG_FRAGMENTS ?=
kconfig = scripts/setup.sh build && $(PYTHON) scripts/kconfig.py

config menuconfig:
	@$(kconfig) menuconfig
oldconfig:
	@$(kconfig) oldconfig
defconfig:
	@$(kconfig) defconfig $(DEFCONFIG) $(CONFIG_FRAGMENTS)
savedefconfig:
	@$(kconfig) savedefconfig

# The project's own C, in the layout of .clang-format
format:
	@git ls-files '*.[ch]' | xargs -r clang-format -i
	@git diff --stat

clean:
	@rm -rf $(O) compile_commands.json
