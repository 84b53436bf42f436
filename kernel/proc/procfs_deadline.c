/* procfs_deadline.c - tables of /proc/sched and /proc/domains about what is promised, given, and held back. */
#include "kernel/proc/proc_priv.h"
#include "kernel/sched/deadline.h"
#include "lib/fmt.h"

static void procfs_limits(struct abuf *out)
{
	struct admission_limits l;
	deadline_limits(&l);
	fmt(out,
		"deadline_threads_max %d\ncharge_ns %lld\nreserve_permille %u\nruntime_least_ns %lld\n"
		"period_least_ns %lld\nperiod_greatest_ns %lld\nadmission_points_max %u\nmode_quiet_ns %lld\n",
		CONFIG_SCHED_DEADLINE_MAX, (long long)l.charge_ns, l.reserve_permille,
		(long long)l.runtime_least_ns, (long long)l.period_least_ns, (long long)l.period_greatest_ns,
		l.points_max, (long long)(CONFIG_SCHED_MODE_QUIET_MS * NS_PER_MS));
}

static void procfs_deadline_harts(struct abuf *out)
{
	fmt(out, "admission cpu mode servers leaving utilization_ppm capacity_ppm virtual_permille raised raised_at_ns "
		 "raised_by\n");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct deadline_hart_info h;
		deadline_hart_info(cpu, &h);
		fmt(out, "admission %u %s %u %u %u %u %llu %llu %lld %u\n", cpu, h.high ? "high" : "low", h.servers,
			h.leaving, h.utilization_ppm, h.capacity_ppm, U(h.virtual_scale * 1000 / ADMISSION_X_ONE),
			U(h.raised), (long long)h.raised_at.ns, h.raised_by);
	}
}

static void procfs_deadline_row(struct abuf *out, const struct thread_info *t, const struct deadline_info *d)
{
	fmt(out, "deadline %u %.*s %u %lld %lld %lld %lld", t->tid, (int)t->name_len, t->name, d->cpu,
		(long long)d->params.runtime_ns, (long long)d->params.high_runtime_ns,
		(long long)d->params.deadline_ns, (long long)d->params.period_ns);
	fmt(out, " %lld %llu %llu %llu", (long long)d->remaining_ns, U(d->stats.jobs), U(d->stats.misses),
		U(d->stats.overruns));
	if (d->stats.lateness_max_ns == INT64_MIN)
		fmt(out, " -"); /* no job yet */
	else
		fmt(out, " %lld", (long long)d->stats.lateness_max_ns);
	struct histogram response = deadline_response(d);
	fmt(out, " %lld", (long long)response.max_ns);
	procfs_histogram(out, &response);
}

/* What each deadline thread was promised, what became of it, and how long its jobs took from their release on. */
static void procfs_deadline_threads(struct abuf *out)
{
	struct thread_info t = {0};
	struct deadline_info d;
	fmt(out, "deadline tid name cpu runtime_ns high_runtime_ns deadline_ns period_ns remaining_ns jobs misses overruns "
		 "lateness_max_ns response_max_ns");
	procfs_histogram_head(out);
	while (thread_info_next(t.tid, &t))
		if (t.class == SCHED_DEADLINE && deadline_info_find(t.tid, &d))
			procfs_deadline_row(out, &t, &d);
}

void procfs_deadline(struct abuf *out)
{
	procfs_limits(out);
	procfs_deadline_harts(out);
	procfs_deadline_threads(out);
}

void procfs_domains(struct abuf *out)
{
	struct domain_info d;
	fmt(out, "name cpu budget_ns period_ns low degraded_ns used_ns remaining_ns spent barred\n");
	for (uint8_t id = 0; domain_info(id, &d); id++)
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
			struct domain_hart_info h;
			domain_hart_info(id, cpu, &h);
			fmt(out, "%.*s %u %lld %lld %s %lld %lld %lld %llu %s\n", (int)d.name_len, d.name, cpu,
				(long long)d.attr.budget_ns, (long long)d.attr.period_ns, d.attr.low ? "yes" : "no",
				(long long)d.attr.degraded_ns, (long long)h.used_ns, (long long)h.remaining_ns,
				U(h.spent), h.barred ? "yes" : "no");
		}
}
