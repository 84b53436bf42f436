/* procfs.c - the files of /proc: the kernel's state as text, one record a line. */
#include "generated/version.h"
#include "kernel/fs/fs.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "kernel/time/time.h"
#include "lib/fmt.h"
#include "lib/initcall.h"

#define U(x) ((unsigned long long)(x))

static void procfs_version(struct abuf *out)
{
	fmt(out, "Mazu %s\n", MAZU_VERSION);
}

static void procfs_uptime(struct abuf *out)
{
	fmt(out, "uptime_ns %lld\n", (long long)clock_now().ns);
}

static void procfs_meminfo(struct abuf *out)
{
	struct mm_stats m;
	mm_stats(&m);
	fmt(out, "total_bytes %llu\nfree_bytes %llu\nfree_min_bytes %llu\nkernel_bytes %llu\nfailures %llu\n",
		U(m.total_bytes), U(m.free_bytes), U(m.free_min_bytes), U(m.kernel_bytes), U(m.failures));
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
	fmt(out, "cpu busy_ns idle_ns switches preemptions ready load_permille\n");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct sched_cpu_stats s;
		sched_cpu_stats(cpu, &s);
		fmt(out, "%u %llu %llu %llu %llu %u %u\n", cpu, U(s.busy_ns), U(s.idle_ns), U(s.switches),
			U(s.preemptions), s.ready, s.load_permille);
	}
}

static void procfs_callouts(struct abuf *out)
{
	fmt(out, "cpu kind started expired refused pending lateness_max_ns\n");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		for (enum callout_kind kind = CALLOUT_HARD; kind <= CALLOUT_SOFT; kind++) {
			struct callout_stats s;
			callout_stats(cpu, kind, &s);
			fmt(out, "%u %s %llu %llu %llu %u %lld\n", cpu, kind == CALLOUT_HARD ? "hard" : "soft",
				U(s.started), U(s.expired), U(s.refused), s.pending,
				(long long)s.lateness_max_ns);
		}
	}
}

static void procfs_interrupts(struct abuf *out)
{
	struct irq_stats s;
	fmt(out, "irq name count spurious longest_ns\n");
	for (size_t i = 0; irq_stats_at(i, &s); i++) {
		uint64_t total = 0;
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			total += s.count[cpu];
		fmt(out, "%u %.*s %llu %llu %lld\n", s.irq, STR_ARG(s.name), U(total), U(s.spurious),
			(long long)s.longest_ns);
	}
}

static void procfs_locks(struct abuf *out)
{
	struct lock_stats s;
	fmt(out, "class acquired contended wait_max_ns wait_total_ns hold_max_ns\n");
	for (size_t i = 0; lock_stats_at(i, &s); i++)
		fmt(out, "%.*s %llu %llu %lld %lld %lld\n", STR_ARG(s.name), U(s.acquired), U(s.contended),
			(long long)s.wait_max_ns, (long long)s.wait_total_ns, (long long)s.hold_max_ns);
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
	fmt(out, "tid pid name state class priority cpu cpu_time_ns stack_bytes stack_peak_bytes\n");
	while (thread_info_next(t.tid, &t))
		fmt(out, "%u %u %.*s %.*s %.*s %u %u %llu %llu %llu\n", t.tid, t.pid, (int)t.name_len, t.name,
			STR_ARG(thread_state_name(t.state, t.running)), STR_ARG(sched_class_name(t.class)), t.priority,
			t.cpu, U(t.cpu_time_ns), U(t.stack_bytes), U(t.stack_peak_bytes));
}

static const struct synth_file procfs_files[] = {
	{.path = STR_INIT("callouts"), .render = procfs_callouts},
	{.path = STR_INIT("cpuinfo"), .render = procfs_cpuinfo},
	{.path = STR_INIT("interrupts"), .render = procfs_interrupts},
	{.path = STR_INIT("locks"), .render = procfs_locks},
	{.path = STR_INIT("meminfo"), .render = procfs_meminfo},
	{.path = STR_INIT("mounts"), .render = procfs_mounts},
	{.path = STR_INIT("pools"), .render = procfs_pools},
	{.path = STR_INIT("stat"), .render = procfs_stat},
	{.path = STR_INIT("threads"), .render = procfs_threads},
	{.path = STR_INIT("uptime"), .render = procfs_uptime},
	{.path = STR_INIT("version"), .render = procfs_version},
};
static struct synth_fs procfs = {procfs_files, countof(procfs_files)};

static enum err procfs_init(void)
{
	return vfs_mount(S("/proc"), &synth_ops, &procfs, S("procfs"));
}
INITCALL(procfs, procfs_init, "vfs", "sched");
