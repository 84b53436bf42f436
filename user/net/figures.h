/*
 * figures.h - what the structs of statistics hold, described once for all who show it: the documents of /api, by
 * the names of the members, and /metrics, by names and units as Prometheus wants them.
 *
 *	figures_json(w, &figures_cpu, &stats)		the members of an object
 *	for (i = 0; i < f->n; i++) figure_value(&f->of[i], &stats)
 *
 * What is shown in one of the two only is written there.
 */
#ifndef USER_NET_FIGURES_H
#define USER_NET_FIGURES_H

#include "lib/json_write.h"
#include "user/net/metrics_core.h"

/* How many decimals make the base unit of it. */
enum figure_unit { FIGURE_PLAIN = 0, FIGURE_PERMILLE = 3, FIGURE_PPM = 6, FIGURE_NS = 9 };

struct figure {
	struct str name;         /* in JSON */
	struct str metric, help; /* empty: not in /metrics */
	uint16_t offset;
	uint8_t width;           /* bytes: 1, 2, 4 or 8 */
	bool is_signed, is_bool;
	uint8_t unit;
	uint8_t kind;            /* enum metrics_kind */
};

struct figures {
	const struct figure *of;
	size_t n;
};

/* Of what stands there; less than nothing, of a signed one, is 0. */
uint64_t figure_value(const struct figure *f, const void *stats);
void figures_json(struct json_writer *w, const struct figures *figures, const void *stats);

extern const struct figures figures_cpu;       /* struct sched_cpu_stats */
extern const struct figures figures_task;      /* struct thread_info */
extern const struct figures figures_deadline;  /* struct deadline_info */
extern const struct figures figures_admission; /* struct deadline_hart_info */
extern const struct figures figures_domain;    /* struct domain_hart_info */
extern const struct figures figures_callout;   /* struct callout_stats */
extern const struct figures figures_lock;      /* struct lock_stats */
extern const struct figures figures_irq;       /* struct irq_stats */
extern const struct figures figures_memory;    /* struct mm_stats */
extern const struct figures figures_stacks;    /* struct stack_stats */
extern const struct figures figures_pool;      /* struct pool_stats */
extern const struct figures figures_netdev;    /* struct netdev_stats */
extern const struct figures figures_tcp;       /* struct tcp_stats */

#endif
