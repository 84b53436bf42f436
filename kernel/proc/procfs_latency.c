/* procfs_latency.c - the tables of /proc/sched about who kept others waiting, and for how long. */
#include "kernel/diag/diag.h"
#include "kernel/proc/proc_priv.h"
#include "kernel/sched/sched.h"

/* Columns: how many lasted less than that, and not less than the one before; the last one: all beyond. */
void procfs_histogram_head(struct abuf *out)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++)
		fmt(out, " lt_%lld_ns", (long long)histogram_le_ns(i) + 1);
	fmt(out, " later\n");
}

void procfs_histogram(struct abuf *out, const struct histogram *h)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		fmt(out, " %llu", U(h->count[i]));
	fmt(out, "\n");
}

void procfs_who(struct abuf *out, uint32_t tid, const char *name, size_t len, uintptr_t at)
{
	fmt(out, " %u %.*s ", tid, (int)(len ? len : 1), len ? name : "-");
	if (at)
		symbol_describe_return(at, out);
	else
		fmt(out, "-");
}

void procfs_watchdog(struct abuf *out)
{
	struct watchdog_limits l;
	watchdog_get_limits(&l);
	fmt(out,
		"watchdog_thread_ns %lld\nwatchdog_beat_ns %lld\nwatchdog_hart_beats %u\n"
		"watchdog_irqs_off_ns %lld\nwatchdog_preempt_off_ns %lld\nwatchdog_panics %s\n",
		(long long)l.thread_ns, (long long)l.beat_ns, l.hart_beats,
		(long long)l.irqs_off_ns, (long long)l.preempt_off_ns, l.panics ? "yes" : "no");
	fmt(out, "watchdog count logged last_at_ns last_ns last_cpu last_tid last_name "
		 "last_where\n");
	for (enum watchdog_kind kind = 0; kind < WATCHDOG_KINDS; kind++) {
		struct watchdog_stats s;
		watchdog_stats(kind, &s);
		fmt(out, "%.*s %llu %llu %lld %lld %u", STR_ARG(watchdog_name(kind)), U(s.count),
			U(s.written), (long long)s.last_at.ns, (long long)s.last_ns, s.last_cpu);
		procfs_who(out, s.last_tid, s.last_name, s.last_name_len, s.last_pc);
		fmt(out, "\n");
	}
}

static void procfs_sections(struct abuf *out)
{
	static const char *const kinds[SECTION_KINDS] = {"irqs_off", "preempt_off", "preempt_held", "firmware"};
	struct arch_section s;
	fmt(out, "section cpu longest_instructions count from to\n");
	for (unsigned kind = 0; kind < SECTION_KINDS; kind++)
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			for (size_t i = 0; arch_section_at(cpu, kind, i, &s); i++) {
				fmt(out, "%s %u %llu %llu ", kinds[kind], cpu, U(s.longest),
					U(s.count));
				symbol_describe_return(s.from, out);
				fmt(out, " ");
				symbol_describe_return(s.to, out);
				fmt(out, "\n");
			}
}

void procfs_latency(struct abuf *out)
{
	fmt(out, "latency cpu total max_ns max_at_ns tid name where");
	procfs_histogram_head(out);
	for (enum latency_kind kind = 0; kind < LATENCY_KINDS; kind++)
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
			struct latency_stats s;
			latency_stats(cpu, kind, &s);
			fmt(out, "%.*s %u %llu %lld %lld", STR_ARG(latency_name(kind)), cpu,
				U(histogram_total(&s.ns)), (long long)s.ns.max_ns,
				(long long)s.longest.when.ns);
			procfs_who(out, s.longest.tid, s.longest.name, s.longest.name_len, s.longest.at);
			procfs_histogram(out, &s.ns);
		}
	if (config_on(CONFIG_LATENCY_TRACE))
		procfs_sections(out);
}
