/*
 * control_priv.h - what the example's two files share.
 *
 *	control_loop.c	the loop itself
 *	control_files.c	its state as text and as JSON: /app/control
 */
#ifndef USER_APP_CONTROL_PRIV_H
#define USER_APP_CONTROL_PRIV_H

#include "kernel/fs/fs.h"
#include "kernel/sched/deadline.h"

struct control_state {
	/* the loop's, as its last step left them */
	int64_t set_point, speed; /* 1/1000 turns a second */
	int64_t drive;            /* 1/1000 of full */
	uint64_t steps;
	/* the kernel's */
	uint64_t overrun_events, miss_events; /* as the loop was notified */
	uint32_t tid;
	bool has_deadline;
	struct deadline_info deadline;
};

/* ---- control_loop.c ---- */
void control_read(struct control_state *out); /* thread context */

/* ---- control_files.c ---- */
must_check enum err control_files_init(void);

#endif
