/* figures.c - what the structs of statistics hold: names, units, and where. Any context. */
#include "user/net/figures.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp/tcp.h"
#include "kernel/sched/deadline.h"
#include "kernel/time/time.h"
#include "lib/assert.h"

#define FIGURE_TYPE(type, member) __typeof__(((type *)0)->member)
#define FIGURE_AS(type, json, member, a_kind, a_unit, a_metric, a_help)                            \
	{.name = STR_INIT(json), .metric = STR_INIT(a_metric), .help = STR_INIT(a_help),           \
		.offset = offsetof(type, member), .width = sizeof(FIGURE_TYPE(type, member)),      \
		.is_signed = (FIGURE_TYPE(type, member))-1 < (FIGURE_TYPE(type, member))1,         \
		.is_bool = __builtin_types_compatible_p(FIGURE_TYPE(type, member), bool),          \
		.unit = a_unit, .kind = a_kind}
#define GAUGE(type, member, unit, metric, help)                                                    \
	FIGURE_AS(type, #member, member, METRICS_GAUGE, unit, metric, help)
#define COUNTER(type, member, unit, metric, help)                                                  \
	FIGURE_AS(type, #member, member, METRICS_COUNTER, unit, metric "_total", help)
#define JSON_ONLY(type, json, member) FIGURE_AS(type, json, member, METRICS_GAUGE, FIGURE_PLAIN, "", "")
#define FIGURES(name) const struct figures figures_##name = {figure_##name, countof(figure_##name)}

static const struct figure figure_cpu[] = {
#define CPU struct sched_cpu_stats
	GAUGE(CPU, load_permille, FIGURE_PERMILLE, "mazu_cpu_load_ratio",
		"Share of the last second in which the hart ran threads."),
	COUNTER(CPU, busy_ns, FIGURE_NS, "mazu_cpu_busy_seconds", "Time in which the hart ran threads."),
	COUNTER(CPU, idle_ns, FIGURE_NS, "mazu_cpu_idle_seconds",
		"Time in which the hart had nothing to run."),
	GAUGE(CPU, ready, FIGURE_PLAIN, "mazu_cpu_ready_threads", "Threads that run or wait for the hart."),
	COUNTER(CPU, switches, FIGURE_PLAIN, "mazu_context_switches", "Switches to another thread."),
	COUNTER(CPU, preemptions, FIGURE_PLAIN, "mazu_preemptions",
		"Switches from a thread that could have gone on."),
	COUNTER(CPU, migrations_in, FIGURE_PLAIN, "mazu_migrations", "Threads that came from another hart."),
#undef CPU
};
FIGURES(cpu);

static const struct figure figure_task[] = {
#define TASK struct thread_info
	COUNTER(TASK, cpu_time_ns, FIGURE_NS, "mazu_thread_cpu_seconds", "Time that the thread has run."),
	JSON_ONLY(TASK, "stack_bytes", stack_bytes),
	GAUGE(TASK, stack_peak_bytes, FIGURE_PLAIN, "mazu_thread_stack_peak_bytes",
		"Most that the thread used of its stack."),
#undef TASK
};
FIGURES(task);

static const struct figure figure_deadline[] = {
#define DEADLINE struct deadline_info
#define EDF(member, metric, help) \
	FIGURE_AS(DEADLINE, #member, stats.member, METRICS_COUNTER, FIGURE_PLAIN, metric "_total", help)
	JSON_ONLY(DEADLINE, "runtime_ns", params.runtime_ns),
	JSON_ONLY(DEADLINE, "high_runtime_ns", params.high_runtime_ns),
	JSON_ONLY(DEADLINE, "deadline_ns", params.deadline_ns),
	JSON_ONLY(DEADLINE, "period_ns", params.period_ns),
	JSON_ONLY(DEADLINE, "remaining_ns", remaining_ns),
	EDF(jobs, "mazu_deadline_jobs", "Jobs that the deadline thread has ended."),
	EDF(misses, "mazu_deadline_misses", "Deadlines that passed before the job's end."),
	EDF(overruns, "mazu_deadline_overruns", "Budgets that were spent before the job's end."),
#undef EDF
#undef DEADLINE
};
FIGURES(deadline);

static const struct figure figure_admission[] = {
#define ADMISSION struct deadline_hart_info
	GAUGE(ADMISSION, servers, FIGURE_PLAIN, "mazu_deadline_threads", "Deadline threads admitted on the hart."),
	JSON_ONLY(ADMISSION, "leaving", leaving),
	GAUGE(ADMISSION, utilization_ppm, FIGURE_PPM, "mazu_deadline_utilization_ratio",
		"Share of the hart that is promised to deadline threads."),
	GAUGE(ADMISSION, capacity_ppm, FIGURE_PPM, "mazu_deadline_capacity_ratio",
		"Share of the hart that may be promised."),
	COUNTER(ADMISSION, raised, FIGURE_PLAIN, "mazu_mode_raised",
		"How often a critical thread needed its greater runtime."),
	JSON_ONLY(ADMISSION, "raised_by", raised_by),
#undef ADMISSION
};
FIGURES(admission);

static const struct figure figure_domain[] = {
#define DOMAIN struct domain_hart_info
	COUNTER(DOMAIN, used_ns, FIGURE_NS, "mazu_domain_used_seconds",
		"Time that the threads of the domain have run."),
	JSON_ONLY(DOMAIN, "remaining_ns", remaining_ns),
	COUNTER(DOMAIN, spent, FIGURE_PLAIN, "mazu_domain_budget_spent",
		"How often the domain had no budget left."),
	JSON_ONLY(DOMAIN, "barred", barred),
#undef DOMAIN
};
FIGURES(domain);

static const struct figure figure_callout[] = {
#define CALLOUT struct callout_stats
	COUNTER(CALLOUT, started, FIGURE_PLAIN, "mazu_callouts_started", "Callouts that were started."),
	COUNTER(CALLOUT, expired, FIGURE_PLAIN, "mazu_callouts_expired", "Callouts that ran."),
	COUNTER(CALLOUT, refused, FIGURE_PLAIN, "mazu_callouts_refused",
		"Callouts for which the hart had no place."),
	GAUGE(CALLOUT, pending, FIGURE_PLAIN, "mazu_callouts_pending", "Callouts that wait for their time."),
	GAUGE(CALLOUT, pending_max, FIGURE_PLAIN, "mazu_callouts_pending_peak",
		"Most callouts that waited at once."),
	GAUGE(CALLOUT, longest_ns, FIGURE_NS, "mazu_callout_longest_seconds", "Longest run of a callout."),
#undef CALLOUT
};
FIGURES(callout);

static const struct figure figure_lock[] = {
#define LOCK struct lock_stats
	COUNTER(LOCK, contended, FIGURE_PLAIN, "mazu_lock_contended",
		"Acquires of a lock of the class that had to wait."),
	COUNTER(LOCK, wait_total_ns, FIGURE_NS, "mazu_lock_wait_seconds",
		"Time that was waited for locks of the class."),
#undef LOCK
};
FIGURES(lock);

static const struct figure figure_irq[] = {
#define IRQ struct irq_stats
	COUNTER(IRQ, spurious, FIGURE_PLAIN, "mazu_interrupts_spurious",
		"Interrupts of the source while it was disabled."),
	COUNTER(IRQ, storms, FIGURE_PLAIN, "mazu_interrupt_storms",
		"How often the source was masked because it came too often."),
	JSON_ONLY(IRQ, "masked", masked),
	COUNTER(IRQ, masked_ns, FIGURE_NS, "mazu_interrupt_masked_seconds",
		"Time for which the source was masked for that."),
	GAUGE(IRQ, longest_ns, FIGURE_NS, "mazu_interrupt_longest_seconds",
		"Longest run of the source's handler."),
#undef IRQ
};
FIGURES(irq);

static const struct figure figure_memory[] = {
#define MEMORY struct mm_stats
	GAUGE(MEMORY, total_bytes, FIGURE_PLAIN, "mazu_memory_size_bytes",
		"Memory that is handed out in pages."),
	GAUGE(MEMORY, free_bytes, FIGURE_PLAIN, "mazu_memory_free_bytes", "Memory in free pages."),
	GAUGE(MEMORY, free_min_bytes, FIGURE_PLAIN, "mazu_memory_free_lowest_bytes",
		"Least memory in free pages there ever was."),
	GAUGE(MEMORY, kernel_bytes, FIGURE_PLAIN, "mazu_memory_kernel_bytes",
		"Memory of firmware, image and tables."),
	COUNTER(MEMORY, failures, FIGURE_PLAIN, "mazu_memory_failures",
		"Allocations that were refused for lack of pages."),
#undef MEMORY
};
FIGURES(memory);

static const struct figure figure_stacks[] = {
#define STACKS struct stack_stats
	GAUGE(STACKS, total, FIGURE_PLAIN, "mazu_stacks", "Stacks that there are."),
	GAUGE(STACKS, used, FIGURE_PLAIN, "mazu_stacks_used", "Stacks that are in use."),
	GAUGE(STACKS, peak, FIGURE_PLAIN, "mazu_stacks_peak", "Most stacks that were in use."),
	COUNTER(STACKS, failures, FIGURE_PLAIN, "mazu_stack_failures",
		"Threads that were refused for lack of a stack."),
#undef STACKS
};
FIGURES(stacks);

static const struct figure figure_pool[] = {
#define POOL struct pool_stats
	GAUGE(POOL, object_bytes, FIGURE_PLAIN, "mazu_pool_object_bytes", "Size of an object of the pool."),
	GAUGE(POOL, capacity, FIGURE_PLAIN, "mazu_pool_capacity", "Objects that the pool has."),
	GAUGE(POOL, used, FIGURE_PLAIN, "mazu_pool_used", "Objects that are in use."),
	GAUGE(POOL, peak, FIGURE_PLAIN, "mazu_pool_peak", "Most objects that were in use."),
	COUNTER(POOL, allocs, FIGURE_PLAIN, "mazu_pool_allocations", "Objects that were handed out."),
	COUNTER(POOL, failures, FIGURE_PLAIN, "mazu_pool_failures",
		"Objects that were refused: the pool was empty."),
#undef POOL
};
FIGURES(pool);

static const struct figure figure_netdev[] = {
#define NETDEV struct netdev_stats
	COUNTER(NETDEV, rx_packets, FIGURE_PLAIN, "mazu_network_receive_packets",
		"Frames that were received."),
	COUNTER(NETDEV, rx_bytes, FIGURE_PLAIN, "mazu_network_receive_bytes", "Bytes that were received."),
	COUNTER(NETDEV, rx_dropped, FIGURE_PLAIN, "mazu_network_receive_dropped",
		"Received frames for which there was no room."),
	COUNTER(NETDEV, rx_errors, FIGURE_PLAIN, "mazu_network_receive_errors",
		"Frames that the device received wrongly."),
	COUNTER(NETDEV, rx_stalls, FIGURE_PLAIN, "mazu_network_receive_stalls",
		"Times at which the device was found standing with frames, or waiting for room."),
	COUNTER(NETDEV, tx_packets, FIGURE_PLAIN, "mazu_network_transmit_packets", "Frames that were sent."),
	COUNTER(NETDEV, tx_bytes, FIGURE_PLAIN, "mazu_network_transmit_bytes", "Bytes that were sent."),
	COUNTER(NETDEV, tx_dropped, FIGURE_PLAIN, "mazu_network_transmit_dropped",
		"Frames to send for which there was no room."),
	COUNTER(NETDEV, tx_errors, FIGURE_PLAIN, "mazu_network_transmit_errors",
		"Frames that the device did not send."),
	COUNTER(NETDEV, tx_stalls, FIGURE_PLAIN, "mazu_network_transmit_stalls",
		"Times at which the device was told once more that there are frames to send."),
#undef NETDEV
};
FIGURES(netdev);

static const struct figure figure_tcp[] = {
#define TCP struct tcp_stats
	GAUGE(TCP, connections, FIGURE_PLAIN, "mazu_tcp_connections", "TCP connections that there are."),
	GAUGE(TCP, half_open, FIGURE_PLAIN, "mazu_tcp_half_open",
		"Of them those whose handshake is under way."),
	GAUGE(TCP, time_waits, FIGURE_PLAIN, "mazu_tcp_time_waits",
		"Closed connections whose ports are kept."),
	GAUGE(TCP, listeners, FIGURE_PLAIN, "mazu_tcp_listeners", "Ports on which connections are taken."),
#undef TCP
};
FIGURES(tcp);

static int64_t figure_signed(const struct figure *f, const void *at)
{
	debug_assert(f->width == 4 || f->width == 8);
	return f->width == 8 ? *(const int64_t *)at : *(const int32_t *)at;
}

static uint64_t figure_unsigned(const struct figure *f, const void *at)
{
	switch (f->width) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		return *(const uint16_t *)at;
	case 4:
		return *(const uint32_t *)at;
	}
	return *(const uint64_t *)at;
}

uint64_t figure_value(const struct figure *f, const void *stats)
{
	const void *at = (const uint8_t *)stats + f->offset;
	return f->is_signed ? (uint64_t)max(figure_signed(f, at), INT64_C(0)) : figure_unsigned(f, at);
}

void figures_json(struct json_writer *w, const struct figures *figures, const void *stats)
{
	for (size_t i = 0; i < figures->n; i++) {
		const struct figure *f = &figures->of[i];
		const void *at = (const uint8_t *)stats + f->offset;
		json_key(w, f->name);
		if (f->is_bool)
			json_bool(w, figure_unsigned(f, at));
		else if (f->is_signed)
			json_i64(w, figure_signed(f, at));
		else
			json_u64(w, figure_unsigned(f, at));
	}
}
