/*
 * control_priv.h - what the example's two files share.
 *
 *	control_loop.c	the loop itself
 *	control_files.c	its state as text and as JSON, and a file to start it again: /app/control
 */
#ifndef USER_APP_CONTROL_PRIV_H
#define USER_APP_CONTROL_PRIV_H

#include "kernel/fs/fs.h"
#include "kernel/sched/deadline.h"

/* Between CONTROL_STARTS and one of the last two it is admitted and runs. */
enum control_phase { CONTROL_STARTS, CONTROL_RUNS, CONTROL_REFUSED, CONTROL_ENDED };

struct control_state {
	enum control_phase phase;
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
/* Starts it, if it does not run: what admission said is in *verdict, if it was asked. ERR_BUSY: it runs. Thread context. */
must_check enum err control_start(struct deadline_verdict *verdict, bool *judged);

/* ---- control_files.c ---- */
must_check enum err control_files_init(void);

#endif
