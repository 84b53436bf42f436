/*
 * options_core.h - the command line (`-append`): words separated by spaces, each
 * "name" or "name=value". The one that picks the mode ends the list for run=, whose
 * arguments are the program's.
 */
#ifndef KERNEL_BOOT_OPTIONS_CORE_H
#define KERNEL_BOOT_OPTIONS_CORE_H

#include "lib/str.h"

enum boot_mode { MODE_NORMAL, MODE_SELFTEST, MODE_BENCH, MODE_RUN };

struct boot_options {
	enum boot_mode mode;
	struct str what;     /* selftest=WHAT, bench=WHAT, run=WHAT */
	struct str args;     /* what follows run=PATH */
	struct str loglevel; /* empty: not given */
	bool idle_busy;      /* idle=busy: a hart with nothing to do goes on executing */
	uint64_t fail_alloc; /* every so many-th allocation fails; 0: none. Debug builds */
	struct str unknown;  /* the first word that means nothing; empty: none */
};

struct boot_options options_parse(struct str cmdline);

#endif
