/*
 * load.h - work for the whole system, made inside of it and repeatable under icount:
 * HTTP requests to the own server and TCP streams over loopback, and threads that
 * sleep, hand each other semaphores, contend for a mutex and allocate.
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include "lib/base.h"

struct load_figures {
	uint64_t requests, failed; /* HTTP: answered with 200; otherwise */
	uint64_t bytes;            /* of the streams, received and as they were sent */
	uint64_t handovers;        /* semaphores, mutexes, sleeps */
	uint64_t pings, files;     /* of the crowd: sent; read to the end */
};

/* Thread context. False: not all of it could be started; load_stop() all the same. */
bool load_start(void);
/* More of it, behind load_start(): a crowd of connections at once, pings, the log, files read. */
bool load_start_crowd(void);
void load_stop(struct load_figures *out);

#endif
