/*
 * threadctl_core.h - a line that is written to /proc/thread/TID/ctl: what it asks for. Pure.
 *
 *	priority N [fifo|rr]                        1 to 63; without a word as before, or fifo
 *	deadline RUNTIME DEADLINE PERIOD [HIGH]     ns; HIGH: its runtime while the mode is raised
 *	affinity MASK                               a bit for each hart, as 5 or 0x5
 *	domain NAME
 *	kill                                        its present or next wait ends with EINTR
 *
 * Words are separated by spaces or tabs. Whether the values can be had is for others to say.
 */
#ifndef KERNEL_PROC_THREADCTL_CORE_H
#define KERNEL_PROC_THREADCTL_CORE_H

#include "lib/base.h"
#include "lib/result.h"
#include "lib/str.h"

enum threadctl_verb {
	THREADCTL_PRIORITY,
	THREADCTL_DEADLINE,
	THREADCTL_AFFINITY,
	THREADCTL_DOMAIN,
	THREADCTL_KILL,
	THREADCTL_VERBS
};
enum threadctl_class { THREADCTL_SAME, THREADCTL_FIFO, THREADCTL_RR };

struct threadctl {
	enum threadctl_verb verb;
	uint64_t priority; /* as written: a number, of any size */
	enum threadctl_class class;
	int64_t runtime_ns, deadline_ns, period_ns, high_runtime_ns; /* high 0: none */
	uint64_t affinity;
	struct str domain; /* in the line */
};

/* ERR_INVAL: not such a line; *usage is then how one should look. */
must_check enum err threadctl_parse(struct str line, struct threadctl *out, struct str *usage);

#endif
