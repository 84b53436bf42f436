/*
 * explore.c - the seeded choices: which hart goes on, when a pending interrupt comes in, how
 * much time passes.
 *
 * A look happens every few points. How few, how much time passes at each, how long an interrupt
 * may stay pending and how often each hart is chosen are the mood, which changes from time to
 * time: so there are stretches in which harts alternate at every step, and others in which one
 * hart is frozen between two steps while another runs through whole operations.
 *
 * Every hart that can run is chosen some time, and every interrupt comes in some time, with
 * probability 1; a spin that does not end is an assertion.
 */
#include "arch/host/host_priv.h"
#include "lib/prng.h"

#define SPIN_MAX 4000000 /* rounds; a hart whose turn comes once in 600 looks has had its turn by then */
#define COMPUTE_STEP_NS 5000
#define OVERDUE_STEP_NS 50

static const struct host_options *options;
static struct prng rng;
static bool even;
static uint64_t granted; /* points, up to the next look */

static struct {
	uint32_t left;   /* looks until it changes */
	uint32_t pace;   /* a look every so many points at most, half of it on average */
	uint32_t step_ns;
	uint32_t laxity; /* a pending interrupt comes in at one look of so many */
	uint32_t weight[CPU_MAX];
} mood;

static uint32_t explore_below(uint32_t n)
{
	return (uint32_t)prng_below(&rng, n);
}

#define one_of(table) ((table)[explore_below(countof(table))])

static void explore_change_mood(void)
{
	static const uint32_t paces[] = {1, 2, 5, 20, 100}, steps[] = {1, 20, 200, 2000},
			      laxities[] = {1, 2, 8}, weights[] = {1, 1, 8, 200};
	mood.left = 20 + explore_below(1000);
	mood.pace = one_of(paces);
	mood.step_ns = one_of(steps);
	mood.laxity = one_of(laxities);
	for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++)
		mood.weight[cpu] = even ? 1 : one_of(weights);
}

void host_even(void)
{
	even = true;
	explore_change_mood();
}

static void explore_grant(uint64_t points)
{
	granted += points - arch_host_countdown;
	arch_host_countdown = points;
}

uint64_t arch_host_points(void)
{
	return granted - arch_host_countdown;
}

static struct arch_hart *explore_hart(uint32_t cpu)
{
	return arch_percpu_base[cpu] ? &cpu_of(arch_hart_template, cpu) : NULL;
}

static ktime explore_next_timer(void)
{
	ktime next = KTIME_NEVER;
	for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++)
		if (explore_hart(cpu))
			next = ktime_min(next, explore_hart(cpu)->timer);
	return next;
}

/*
 * Some time passes: up to `most`, but not beyond the next timer; and hardly any while one is overdue,
 * until that hart has had its turn. So interrupts are late, but not by what other harts do meanwhile.
 */
static void explore_pass(int64_t most)
{
	int64_t to_timer = ktime_diff(explore_next_timer(), arch_host_now);
	most = min(most, to_timer > 0 ? to_timer : OVERDUE_STEP_NS);
	arch_host_now.ns += 1 + explore_below((uint32_t)most);
}

/* A hart that can go on, by weight; `but` is not asked. NULL: there is none. */
static struct arch_hart *explore_pick(const struct arch_hart *but)
{
	struct arch_hart *able[CPU_MAX];
	uint32_t sum = 0, n = 0;
	for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++) {
		struct arch_hart *h = explore_hart(cpu);
		if (h && h != but && hart_can_run(h)) {
			able[n++] = h;
			sum += mood.weight[cpu];
		}
	}
	if (n == 0)
		return NULL;
	uint32_t at = explore_below(sum);
	for (uint32_t i = 0; i < n - 1; i++) {
		if (at < mood.weight[able[i]->cpu])
			return able[i];
		at -= mood.weight[able[i]->cpu];
	}
	return able[n - 1];
}

static void explore_go_on(struct arch_hart *h)
{
	if (h && h != arch_host_hart)
		hart_enter(h);
}

/* The hook reads the machine; what it calls by mistake must not move it. */
static void explore_observe(void)
{
	uint64_t countdown = arch_host_countdown;
	arch_host_countdown = UINT64_MAX;
	options->observe();
	arch_host_countdown = countdown;
}

/* At some point: whatever may happen here. */
static void explore_look(void)
{
	explore_grant(1 + explore_below(mood.pace));
	explore_pass(mood.step_ns);
	if (--mood.left == 0)
		explore_change_mood();
	if (explore_below(8) == 0 && host_is_quiet())
		explore_observe();
	struct arch_hart *h = arch_host_hart;
	if (h->irqs_on && hart_has_interrupt(h) && explore_below(mood.laxity) == 0)
		hart_interrupt();
	else
		explore_go_on(explore_pick(NULL));
}

void explore_start(const struct host_options *o)
{
	options = o;
	rng = prng_of(o->seed);
	arch_host_now = o->start;
	arch_host_countdown = 0;
	explore_change_mood();
	arch_host_look = explore_look;
	explore_grant(1);
}

/* All harts wait: on to the first timer. */
static void explore_leap(void)
{
	if (host_is_quiet())
		explore_observe();
	ktime next = explore_next_timer();
	if (ktime_is_never(next)) {
		arch_host_countdown = UINT64_MAX;
		options->stuck();
		unreachable();
	}
	arch_host_now = ktime_add(ktime_max(arch_host_now, next), explore_below(mood.step_ns));
}

bool explore_leaves_interrupt(void)
{
	return explore_below(16) == 0;
}

void explore_wait(void)
{
	struct arch_hart *h = arch_host_hart;
	if (explore_below(16) == 0)
		return; /* as wfi may */
	h->waiting = true;
	while (!hart_has_interrupt(h)) {
		struct arch_hart *other = explore_pick(h);
		if (other)
			hart_enter(other);
		else
			explore_leap();
	}
	h->waiting = false;
}

void arch_spin_relax(uint32_t n)
{
	assert(n < SPIN_MAX);
	explore_pass(mood.step_ns);
	if (arch_host_hart->irqs_on && hart_has_interrupt(arch_host_hart))
		hart_interrupt();
	explore_go_on(explore_pick(arch_host_hart));
}

void host_compute(int64_t ns)
{
	ktime until = ktime_add(arch_host_now, ns);
	while (ktime_before(arch_host_now, until)) {
		explore_pass(min((int64_t)COMPUTE_STEP_NS, ktime_diff(until, arch_host_now)));
		explore_look();
	}
}
