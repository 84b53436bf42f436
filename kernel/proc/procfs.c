/* procfs.c - the files of /proc: the kernel's state as text, one record a line. */
#include "generated/version.h"
#include "kernel/fs/fs.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/proc_priv.h"
#include "kernel/sched/deadline.h"
#include "kernel/time/time.h"
#include "lib/fmt.h"
#include "lib/initcall.h"

static void procfs_version(struct abuf *out)
{
	fmt(out, "Mazu %s\n", MAZU_VERSION);
}

static void procfs_uptime(struct abuf *out)
{
	fmt(out, "uptime_ns %lld\nwall_ns %lld\n", (long long)clock_now().ns, (long long)clock_wall());
}

static void procfs_meminfo(struct abuf *out)
{
	struct mm_stats m;
	struct stack_stats s;
	struct arch_rights r;
	mm_stats(&m);
	stack_stats(&s);
	arch_rights(&r);
	fmt(out, "total_bytes %llu\nfree_bytes %llu\nfree_min_bytes %llu\nkernel_bytes %llu\nfailures %llu\n",
		U(m.total_bytes), U(m.free_bytes), U(m.free_min_bytes), U(m.kernel_bytes), U(m.failures));
	fmt(out, "stacks %llu\nstacks_used %llu\nstacks_peak %llu\nstack_failures %llu\n", U(s.total), U(s.used),
		U(s.peak), U(s.failures));
	fmt(out, "read_only_bytes %llu\nwritable_bytes %llu\nexecutable_bytes %llu\n"
		 "writable_executable_bytes %llu\n", U(r.read_only_bytes), U(r.writable_bytes),
		U(r.executable_bytes), U(r.writable_executable_bytes));
}

static void procfs_pools(struct abuf *out)
{
	struct pool_stats p;
	fmt(out, "name object_bytes capacity used peak allocs failures\n");
	for (size_t i = 0; pool_stats_at(i, &p); i++)
		fmt(out, "%.*s %llu %llu %llu %llu %llu %llu\n", STR_ARG(p.name), U(p.object_bytes),
			U(p.capacity), U(p.used), U(p.peak), U(p.allocs), U(p.failures));
}

static void procfs_cpuinfo(struct abuf *out)
{
	fmt(out, "cpu hart isa\n");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		fmt(out, "%u %u %.*s\n", cpu, machine.hart_id[cpu], STR_ARG(machine.isa));
}

static void procfs_stat(struct abuf *out)
{
	fmt(out, "cpu busy_ns idle_ns switches preemptions migrations_in ready load_permille irq_empty "
		 "irq_unclaimed\n");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct sched_cpu_stats s;
		struct irq_spurious i;
		sched_cpu_stats(cpu, &s);
		irq_spurious_stats(cpu, &i);
		fmt(out, "%u %llu %llu %llu %llu %llu %u %u %llu %llu\n", cpu, U(s.busy_ns), U(s.idle_ns),
			U(s.switches), U(s.preemptions), U(s.migrations_in), s.ready, s.load_permille,
			U(i.empty), U(i.unclaimed));
	}
}

static void procfs_sched_hart(struct abuf *out, uint32_t cpu)
{
	struct sched_cpu_stats s;
	sched_cpu_stats(cpu, &s);
	fmt(out, "%u %u %.*s %.*s %u %u %d %u %llu %llu %llu %u\n", cpu, s.running_tid,
		(int)s.running_name_len, s.running_name, STR_ARG(sched_class_name(s.running_class)),
		s.running_priority, s.published_priority, s.published_waiting, s.ready, U(s.switches),
		U(s.preemptions), U(s.migrations_in), s.load_permille);
}

/* What holds for all harts, then the harts; who kept others from running, and for how long. */
static void procfs_sched(struct abuf *out)
{
	fmt(out, "priorities %d\nclasses", PRIO_COUNT);
	for (enum sched_class c = 0; c < SCHED_CLASS_COUNT; c++)
		fmt(out, " %.*s", STR_ARG(sched_class_name(c)));
	fmt(out, "\nquantum_ns %lld\nbalance_ns %lld\ninvariants %s\ninheritance_refused %llu\n",
		(long long)(CONFIG_SCHED_QUANTUM_US * NS_PER_US),
		(long long)(CONFIG_SCHED_BALANCE_MS * NS_PER_MS), config_on(CONFIG_DEBUG) ? "on" : "off",
		U(pi_chains_refused()));
	fmt(out, "cpu tid name class priority published_priority published_waiting ready switches preemptions "
		 "migrations_in load_permille\n");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		procfs_sched_hart(out, cpu);
	procfs_deadline(out);
	procfs_watchdog(out);
	procfs_latency(out);
}

static void procfs_callouts(struct abuf *out)
{
	fmt(out, "cpu kind started expired refused pending pending_max longest_ns lateness_max_ns");
	procfs_histogram_head(out);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		for (enum callout_kind kind = CALLOUT_HARD; kind <= CALLOUT_SOFT; kind++) {
			struct callout_stats s;
			callout_stats(cpu, kind, &s);
			fmt(out, "%u %s %llu %llu %llu %u %u %lld %lld", cpu,
				kind == CALLOUT_HARD ? "hard" : "soft", U(s.started), U(s.expired),
				U(s.refused), s.pending, s.pending_max, (long long)s.longest_ns,
				(long long)s.lateness.max_ns);
			procfs_histogram(out, &s.lateness);
		}
	}
}

static void procfs_interrupts(struct abuf *out)
{
	struct irq_stats s;
	fmt(out, "irq name count spurious storms masked masked_ns longest_ns");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		fmt(out, " cpu%u", cpu);
	fmt(out, "\n");
	for (size_t i = 0; irq_stats_at(i, &s); i++) {
		uint64_t total = 0;
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			total += s.count[cpu];
		fmt(out, "%u %.*s %llu %llu %llu %s %lld %lld", s.irq, STR_ARG(s.name), U(total), U(s.spurious),
			U(s.storms), s.masked ? "yes" : "no", (long long)s.masked_ns, (long long)s.longest_ns);
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			fmt(out, " %llu", U(s.count[cpu]));
		fmt(out, "\n");
	}
}

/* "-": not measured in this build. */
static void procfs_locks(struct abuf *out)
{
	struct lock_stats s;
	fmt(out, "class contended wait_total_ns wait_max_ns wait_max_tid wait_max_name wait_max_where acquired "
		 "hold_max_ns hold_max_tid hold_max_name hold_max_where\n");
	for (size_t i = 0; lock_stats_at(i, &s); i++) {
		fmt(out, "%.*s %llu %lld %lld", STR_ARG(s.name), U(s.contended), (long long)s.wait_total_ns,
			(long long)s.wait.ns);
		procfs_who(out, s.wait.tid, s.wait.name, s.wait.name_len, s.wait.at);
		if (s.holds) {
			fmt(out, " %llu %lld", U(s.acquired), (long long)s.hold.ns);
			procfs_who(out, s.hold.tid, s.hold.name, s.hold.name_len, s.hold.at);
			fmt(out, "\n");
		} else {
			fmt(out, " - - - - -\n");
		}
	}
}

static void procfs_mounts(struct abuf *out)
{
	struct vfs_mount_info m;
	fmt(out, "path type\n");
	for (size_t i = 0; vfs_mount_at(i, &m); i++)
		fmt(out, "%.*s %.*s\n", STR_ARG(m.path), STR_ARG(m.type));
}

static void procfs_threads(struct abuf *out)
{
	struct thread_info t = {0};
	struct domain_info d = {0};
	fmt(out, "tid pid name state class priority cpu cpu_time_ns stack_bytes stack_peak_bytes domain\n");
	while (thread_info_next(t.tid, &t)) {
		(void)domain_info(t.domain, &d);
		fmt(out, "%u %u %.*s %.*s %.*s %u %u %llu %llu %llu %.*s\n", t.tid, t.pid, (int)t.name_len, t.name,
			STR_ARG(thread_state_name(&t)), STR_ARG(sched_class_name(t.class)), t.priority,
			t.cpu, U(t.cpu_time_ns), U(t.stack_bytes), U(t.stack_peak_bytes), (int)d.name_len, d.name);
	}
}

#ifdef CONFIG_RAMFS_WRITE
static void procfs_ramfs(struct abuf *out)
{
	struct ramfs_stats s;
	ramfs_stats(&s);
	fmt(out, "files %u\nfiles_max %u\nbytes %llu\nbytes_max %llu\n", s.files, s.files_max, U(s.bytes), U(s.bytes_max));
	fmt(out, "refused_files %llu\nrefused_bytes %llu\nrefused_memory %llu\n", U(s.refused_files), U(s.refused_bytes),
		U(s.refused_memory));
}
#endif

static const struct synth_file procfs_files[] = {
	{.path = STR_INIT("callouts"), .render = procfs_callouts},
#ifdef CONFIG_PROC_CONFIG
	{.path = STR_INIT("config"), .render = procfs_config},
#endif
	{.path = STR_INIT("cpuinfo"), .render = procfs_cpuinfo},
	{.path = STR_INIT("domains"), .render = procfs_domains},
	{.path = STR_INIT("interrupts"), .render = procfs_interrupts},
	{.path = STR_INIT("locks"), .render = procfs_locks},
	{.path = STR_INIT("meminfo"), .render = procfs_meminfo},
	{.path = STR_INIT("mounts"), .render = procfs_mounts},
	{.path = STR_INIT("pools"), .render = procfs_pools},
#ifdef CONFIG_RAMFS_WRITE
	{.path = STR_INIT("ramfs"), .render = procfs_ramfs},
#endif
	{.path = STR_INIT("sched"), .render = procfs_sched},
	{.path = STR_INIT("stat"), .render = procfs_stat},
	{.path = STR_INIT("threads"), .render = procfs_threads},
#ifdef CONFIG_TRACE
	{.path = STR_INIT("trace"), .render = procfs_trace},
#endif
	{.path = STR_INIT("uptime"), .render = procfs_uptime},
	{.path = STR_INIT("version"), .render = procfs_version},
};
static struct synth_fs procfs = {procfs_files, countof(procfs_files)};

static enum err procfs_init(void)
{
	return vfs_mount(S("/proc"), &synth_ops, &procfs, S("procfs"));
}
INITCALL(procfs, procfs_init, "vfs", "sched");
