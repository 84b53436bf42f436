/* restart_sim.c - the stages before the machine starts again: their order, and that they end whoever does not answer. */
#include <setjmp.h>
#include "tests/host/test.h"
#include "kernel/dev/dev.h"
#include "kernel/time/time.h"

#define clock_now() sim_now

static ktime sim_now;
static jmp_buf sim_rebooted;
static int64_t sim_answers_ns; /* each row is over so long after it began */
static bool sim_cancelled;     /* waits end at once, as those of a thread that somebody has hung up on */
static unsigned sim_waits;

/* In the order of their begin(), with the time of it. */
static struct {
	char name;
	int64_t at_ns;
} sim_begun[8];
static size_t sim_begun_n;

static void sim_begin(char name)
{
	sim_begun[sim_begun_n].name = name;
	sim_begun[sim_begun_n++].at_ns = sim_now.ns;
}

static void sim_begin_a(void)
{
	sim_begin('a');
}

static void sim_begin_b(void)
{
	sim_begin('b');
}

static void sim_begin_cut(void)
{
	sim_begin('c');
}

static bool sim_over(void)
{
	return sim_now.ns - sim_begun[sim_begun_n - 1].at_ns >= sim_answers_ns;
}

enum err sleep_until(ktime when)
{
	sim_waits++;
	sim_now = sim_cancelled ? ktime_add(sim_now, NS_PER_US) : ktime_max(sim_now, when);
	return sim_cancelled ? ERR_INTR : OK;
}

/* Who comes second. */
enum err sleep_ns(unused int64_t ns)
{
	longjmp(sim_rebooted, 2);
}

void arch_reboot(void)
{
	longjmp(sim_rebooted, 1);
}

extern const struct restart_row restart_start[];
const struct restart_row restart_start[4] = {
	{RESTART_CUT, sim_begin_cut, NULL},
	{RESTART_FLUSH, NULL, sim_over},
	{RESTART_LEAVE, sim_begin_a, sim_over},
	{RESTART_LEAVE, sim_begin_b, sim_over},
};
/* Where the table ends the linker script says in the kernel. */
static_assert(sizeof(restart_start) == 96, "as below");
__asm__(".globl restart_end\nrestart_end = restart_start + 96");
#include "kernel/dev/restart.c"

/* How it ended: 1 by the firmware, 2 waiting for who came first. */
static int restart(int64_t answers_ns, bool cancelled)
{
	sim_now = (ktime){7};
	sim_begun_n = sim_waits = 0;
	sim_answers_ns = answers_ns;
	sim_cancelled = cancelled;
	int how = setjmp(sim_rebooted);
	if (!how)
		machine_restart();
	return how;
}

static void restart_check(int64_t answers_ns, bool cancelled)
{
	restart_begun = 0;
	CHECK_EQ(restart(answers_ns, cancelled), 1);
	CHECK_EQ(sim_begun_n, 3);
	CHECK(sim_begun[0].name == 'a' && sim_begun[1].name == 'b' && sim_begun[2].name == 'c');
	CHECK_EQ(sim_begun[1].at_ns, 7);
	int64_t cut = sim_begun[2].at_ns - 7;
	CHECK(cut >= min(answers_ns, 2 * NS_PER_S) && cut <= answers_ns + 2 * RESTART_LOOK_NS);
	CHECK(sim_now.ns - sim_begun[2].at_ns >= 10 * NS_PER_MS); /* for the frames */
	CHECK(sim_now.ns <= 7 + 2100 * NS_PER_MS);
	CHECK(cancelled || sim_waits <= 2100 * NS_PER_MS / RESTART_LOOK_NS);
}

TEST(restart_is_bounded_whoever_answers)
{
	for (int cancelled = 0; cancelled < 2; cancelled++) {
		restart_check(0, cancelled);
		restart_check(5 * NS_PER_MS, cancelled);
		restart_check(1000 * NS_PER_S, cancelled);
	}
}

TEST(restart_happens_once)
{
	restart_begun = 1;
	CHECK_EQ(restart(0, false), 2);
	CHECK_EQ(sim_begun_n, 0);
}
