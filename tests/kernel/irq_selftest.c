/*
 * irq_selftest.c - the path of an interrupt, with a controller made of variables in
 * place of the machine's: each source is pending or not, enabled or not. The test calls
 * upcall_irq() itself, interrupts off. Other harts find nothing to claim meanwhile.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "kernel/dev/dev.h"
#include "kernel/fs/fs.h"
#include "kernel/irq/irq.h"
#include "kernel/sync/waitq.h"

enum { FIRST = IRQ_MAX - 5, SOURCES = 5, THREADED = SOURCES - 2 };

static struct fake {
	bool pending, enabled, in_service, sticky;
} fake[SOURCES];
static uint32_t fake_cpu, fake_wrong, handled[SOURCES];
static bool handler_disables;

static struct fake *fake_of(uint32_t irq)
{
	return &fake[irq - FIRST];
}

static const struct irqchip_ops *fake_behind; /* the machine's, for what is not fake; NULL: it is not asked */
static bool fake_beyond; /* a source that the kernel has no descriptor for is pending */
static uint32_t fake_beyond_masked;

static bool fake_is_not(uint32_t irq)
{
	return fake_behind && irq < FIRST;
}

static void fake_enable(uint32_t irq, uint32_t cpu)
{
	if (fake_is_not(irq))
		fake_behind->enable(irq, cpu);
	else
		fake_of(irq)->enabled = true;
}

/* Between claim and completion it would be lost. */
static void fake_disable(uint32_t irq)
{
	if (fake_is_not(irq)) {
		fake_behind->disable(irq);
		return;
	}
	if (irq >= IRQ_MAX) {
		fake_beyond_masked++;
		return;
	}
	if (fake_of(irq)->in_service)
		fake_wrong++;
	fake_of(irq)->enabled = false;
}

/* What this hart would be given of the fake sources, or NULL. */
static struct fake *fake_next(void)
{
	for (struct fake *f = fake; arch_cpu() == fake_cpu && f < fake + SOURCES; f++) {
		if (f->pending && f->enabled && !f->in_service)
			return f;
	}
	return NULL;
}

static uint32_t fake_claim(void)
{
	if (fake_beyond && arch_cpu() == fake_cpu) {
		fake_beyond = false;
		return IRQ_MAX + 5;
	}
	struct fake *f = fake_next();
	if (!f)
		return fake_behind ? fake_behind->claim() : 0;
	f->pending = f->sticky;
	f->in_service = true;
	return FIRST + (uint32_t)(f - fake);
}

static bool fake_waiting(void)
{
	return fake_next() || (fake_behind && fake_behind->waiting());
}

static void fake_complete(uint32_t irq)
{
	if (fake_is_not(irq)) {
		fake_behind->complete(irq);
		return;
	}
	if (irq >= IRQ_MAX)
		return;
	struct fake *f = fake_of(irq);
	if (!f->in_service || !f->enabled)
		fake_wrong++;
	f->in_service = false;
}

static void fake_cpu_init(void)
{
}

static const struct irqchip_ops fake_ops = {
	.enable = fake_enable,
	.disable = fake_disable,
	.claim = fake_claim,
	.waiting = fake_waiting,
	.complete = fake_complete,
	.cpu_init = fake_cpu_init,
};

static void fake_handler(void *arg)
{
	uint32_t i = (uint32_t)(uintptr_t)arg;
	handled[i]++;
	if (handler_disables)
		irq_disable(FIRST + i);
}

#define PATIENCE_NS (60 * NS_PER_S) /* ends what hangs */

static const struct irqchip_ops *irq_test_begin(irqflags *flags)
{
	*flags = arch_irq_save();
	memset(fake, 0, sizeof(fake));
	memset(handled, 0, sizeof(handled));
	fake_cpu = arch_cpu();
	fake_wrong = 0;
	handler_disables = false;
	return irqchip_swap(&fake_ops);
}

static void irq_test_end(const struct irqchip_ops *machine_ops, irqflags flags)
{
	for (uint32_t i = 0; i < SOURCES; i++)
		irq_disable(FIRST + i);
	while (!ktime_is_never(irq_pace_expired(KTIME_NEVER)))
		;
	ST_CHECK(fake_wrong == 0);
	irqchip_swap(machine_ops);
	arch_irq_restore(flags);
}

static void irq_test_rest(void)
{
	ktime until = ktime_add(clock_now(), CONFIG_IRQ_BURST * NS_PER_S / CONFIG_IRQ_STORM_MAX);
	while (ktime_before(clock_now(), until))
		;
}

/* The last source stays without a handler, the one before gets a threaded one. */
static void irq_test_request(void)
{
	static bool requested;
	for (uint32_t i = 0; !requested && i < THREADED; i++)
		ST_CHECK(irq_request(FIRST + i, S("test"), fake_handler, (void *)(uintptr_t)i) == OK);
	requested = true;
}

static bool irq_test_stats(uint32_t irq, struct irq_stats *out)
{
	for (size_t i = 0; irq_stats_at(i, out); i++)
		if (out->irq == irq)
			return true;
	return false;
}

SELFTEST(irq_request_refuses)
{
	irq_test_request();
	ST_CHECK(irq_request(0, S("test"), fake_handler, NULL) == ERR_RANGE);
	ST_CHECK(irq_request(IRQ_MAX, S("test"), fake_handler, NULL) == ERR_RANGE);
	ST_CHECK(irq_request(FIRST, S("test"), fake_handler, NULL) == ERR_BUSY);
}

SELFTEST(irq_reaches_its_handler)
{
	irqflags flags;
	struct irq_stats before, after;
	irq_test_request();
	ST_REQUIRE(irq_test_stats(FIRST, &before));
	const struct irqchip_ops *machine_ops = irq_test_begin(&flags);
	fake[0].pending = fake[1].pending = true;
	upcall_irq();
	ST_CHECK(handled[0] == 0 && handled[1] == 0);
	irq_enable(FIRST);
	irq_enable(FIRST + 1);
	for (unsigned served = 0; served < 2; served += CONFIG_IRQ_BATCH)
		upcall_irq();
	ST_CHECK(handled[0] == 1 && handled[1] == 1);
	upcall_irq();
	ST_CHECK(handled[0] == 1 && handled[1] == 1);
	/* A trap serves a bounded number, also of one that never rests; so many in a row may come after a rest. */
	irq_test_rest();
	fake[0].pending = fake[0].sticky = true;
	upcall_irq();
	uint32_t all = 1 + min(CONFIG_IRQ_BATCH, CONFIG_IRQ_BURST);
	ST_CHECK(handled[0] == all);
	ST_CHECK(irq_test_stats(FIRST, &after));
	ST_CHECK(after.count[arch_cpu()] == before.count[arch_cpu()] + all);
	irq_test_end(machine_ops, flags);
}

SELFTEST(irq_disabled_by_its_handler)
{
	irqflags flags;
	irq_test_request();
	const struct irqchip_ops *machine_ops = irq_test_begin(&flags);
	handler_disables = true;
	irq_enable(FIRST);
	for (uint32_t round = 1; round <= 3; round++) {
		fake[0].pending = true;
		upcall_irq();
		ST_CHECK(handled[0] == round && !fake[0].enabled && !fake[0].in_service);
		fake[0].pending = true;
		upcall_irq();
		ST_CHECK(handled[0] == round);
		irq_enable(FIRST);
	}
	irq_test_end(machine_ops, flags);
}

/* Claimed, then found disabled: completed all the same, and there when it is enabled again. */
SELFTEST(irq_disabled_while_claimed)
{
	irqflags flags;
	irq_test_request();
	const struct irqchip_ops *machine_ops = irq_test_begin(&flags);
	irq_enable(FIRST);
	irq_disable(FIRST);
	fake[0].enabled = fake[0].pending = true; /* as if the claim had come first */
	upcall_irq();
	ST_CHECK(handled[0] == 0 && !fake[0].in_service && !fake[0].enabled);
	irq_enable(FIRST);
	fake[0].pending = true;
	upcall_irq();
	ST_CHECK(handled[0] == 1);
	irq_test_end(machine_ops, flags);
}

/* On a slow host as many may pass without being too many; so many do not. */
static void irq_test_serve_until_masked(void)
{
	for (uint32_t n = 0; n < 20 * CONFIG_IRQ_STORM_MAX && fake[0].enabled; n++)
		upcall_irq();
	ST_CHECK(!fake[0].enabled && !fake[0].in_service);
}

SELFTEST(irq_burst_is_paced)
{
	irqflags flags;
	struct irq_stats before, after;
	irq_test_request();
	ST_REQUIRE(irq_test_stats(FIRST, &before));
	const struct irqchip_ops *machine_ops = irq_test_begin(&flags);
	irq_enable(FIRST);
	fake[0].pending = fake[0].sticky = true;
	irq_test_serve_until_masked();
	ST_CHECK(handled[0] > 0);
	ST_CHECK(irq_test_stats(FIRST, &after) && after.masked && after.storms == before.storms);
	uint32_t so_far = handled[0];
	irq_unmask(FIRST);
	ST_CHECK(!fake[0].enabled);
	ST_CHECK(ktime_is_never(irq_pace_expired(KTIME_NEVER)));
	ST_CHECK(fake[0].enabled);
	upcall_irq();
	ST_CHECK(handled[0] > so_far);
	irq_test_serve_until_masked();
	so_far = handled[0];
	irq_enable(FIRST);
	upcall_irq();
	ST_CHECK(handled[0] > so_far);
	irq_test_end(machine_ops, flags);
}

/* A line of the log behind `seq` says so. */
static bool irq_test_logged(uint64_t seq, struct str what)
{
	static struct klog_entry e;
	for (; klog_read(seq, LOG_ERR, &e); seq = e.seq)
		if (str_find(str_of(e.text, e.len), what) < e.len)
			return true;
	return false;
}

static void irq_test_wait_logged(uint64_t seq, struct str what)
{
	ktime until = ktime_add(clock_now(), PATIENCE_NS);
	while (!irq_test_logged(seq, what) && ktime_before(clock_now(), until))
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	ST_CHECK(irq_test_logged(seq, what));
}

/* How long it is masked, when it storms the next time; it is let in again at once as long as it is only paced. */
static int64_t irq_test_storm(void)
{
	struct irq_stats before, after;
	int64_t masked_ns = 0;
	ST_CHECK(irq_test_stats(FIRST, &before) && !before.masked);
	after = before;
	for (uint32_t round = 0; round < 100000 && after.storms == before.storms; round++) {
		irq_pace_expired(KTIME_NEVER);
		ST_CHECK(irq_test_stats(FIRST, &after));
		masked_ns = after.masked_ns;
		irq_test_serve_until_masked();
		ST_CHECK(irq_test_stats(FIRST, &after) && after.masked);
	}
	ST_CHECK(after.storms == before.storms + 1);
	return after.masked_ns - masked_ns;
}

/* Masked for longer each time, up to the limit, and from the beginning after it was quiet for long enough. */
SELFTEST(irq_storm_is_let_in_again)
{
	irqflags flags;
	uint64_t seq = klog_last_seq();
	irq_test_request();
	const struct irqchip_ops *machine_ops = irq_test_begin(&flags);
	int64_t longest = CONFIG_IRQ_STORM_MASK_MS * NS_PER_MS, first = 10 * NS_PER_MS, last = 0;
	ktime let_in = KTIME_ZERO;
	irq_enable(FIRST);
	fake[0].pending = fake[0].sticky = true;
	for (int round = 0; round < 60 && last < longest; round++) {
		int64_t masked = irq_test_storm();
		/* A machine that was stopped meanwhile looks like a line that was quiet. */
		bool again = ktime_diff(clock_now(), let_in) < last;
		irq_unmask(FIRST);
		ST_CHECK(!fake[0].enabled && !fake[0].in_service);
		let_in = clock_now();
		ktime next = irq_pace_expired(let_in);
		if (!fake[0].enabled) {
			ST_CHECK(ktime_before(let_in, next));
			ST_CHECK(ktime_is_never(irq_pace_expired(next)));
		}
		ST_CHECK(fake[0].enabled);
		ST_CHECK(masked >= first);
		if (again && last != 0) /* then it was also for the source */
			ST_CHECK(masked == min(max(2 * last, first), longest));
		last = masked;
	}
	ST_CHECK(last == longest);
	ST_CHECK(!irq_test_logged(seq, S("interrupts more than"))); /* by the thread */
	irq_test_end(machine_ops, flags);
	irq_test_wait_logged(seq, S("interrupts more than"));
}

SELFTEST(irq_without_handler_is_masked)
{
	irqflags flags;
	struct irq_spurious before, after;
	uint64_t seq = klog_last_seq();
	irq_test_request();
	const struct irqchip_ops *machine_ops = irq_test_begin(&flags);
	struct fake *f = &fake[SOURCES - 1];
	irq_spurious_stats(arch_cpu(), &before);
	f->enabled = f->pending = f->sticky = true; /* as the firmware left it */
	for (unsigned n = 0; n < 2 * CONFIG_IRQ_UNCLAIMED_MAX; n++)
		upcall_irq();
	irq_spurious_stats(arch_cpu(), &after);
	ST_CHECK(!f->enabled);
	ST_CHECK(after.unclaimed == before.unclaimed + CONFIG_IRQ_UNCLAIMED_MAX);
	ST_CHECK(after.empty > before.empty);
	ST_CHECK(!irq_test_logged(seq, S("has no handler; it is masked"))); /* not in the interrupt */
	irq_test_end(machine_ops, flags);
	irq_test_wait_logged(seq, S("has no handler; it is masked"));
}

SELFTEST(irq_beyond_the_table_is_masked)
{
	irqflags flags;
	struct irq_spurious before, after;
	const struct irqchip_ops *machine_ops = irq_test_begin(&flags);
	irq_spurious_stats(arch_cpu(), &before);
	fake_beyond = true;
	fake_beyond_masked = 0;
	upcall_irq();
	irq_spurious_stats(arch_cpu(), &after);
	ST_CHECK(fake_beyond_masked == 1 && after.unclaimed == before.unclaimed + 1);
	irq_test_end(machine_ops, flags);
}

static uint32_t threaded_ran;

static void threaded_fn(unused void *arg)
{
	ST_CHECK(preempt_is_enabled());
	__atomic_fetch_add(&threaded_ran, 1, __ATOMIC_RELEASE);
}

/* The hard part masks and wakes; the thread works, preemptible, and unmasks for the next. */
SELFTEST(irq_threaded_works_and_unmasks)
{
	enum { IRQ = FIRST + THREADED };
	static bool requested;
	irqflags flags;
	const struct irqchip_ops *machine_ops = irq_test_begin(&flags);
	fake_behind = machine_ops; /* interrupts are on meanwhile, and the console's go on */
	arch_irq_restore(flags);
	if (!requested)
		ST_CHECK(irq_request_threaded(IRQ, S("threaded"), PRIO_IRQ, threaded_fn, NULL) == OK);
	requested = true;
	for (uint32_t round = 1; round <= 5; round++) {
		ST_CHECK(fake_of(IRQ)->enabled);
		flags = arch_irq_save();
		fake_cpu = arch_cpu();
		fake_of(IRQ)->pending = true;
		upcall_irq();
		arch_irq_restore(flags);
		while (__atomic_load_n(&threaded_ran, __ATOMIC_ACQUIRE) != round || !fake_of(IRQ)->enabled)
			ST_CHECK(sleep_ns(100 * NS_PER_US) == OK);
	}
	flags = arch_irq_save();
	fake_behind = NULL;
	irq_test_end(machine_ops, flags);
}

/*
 * ---- a real line that never rests: the alarm of the machine's clock, raised again by its own handler ----
 * One that is not acknowledged does not do: QEMU's PLIC looks at the line when it changes.
 */

enum { RTC_ALARM_LOW = 0x08, RTC_ALARM_HIGH = 0x0c, RTC_IRQ_ENABLED = 0x10, RTC_CLEAR_INTERRUPT = 0x1c };
#define BABBLE_SLEEPS 100 /* that have to end meanwhile, however long each takes */

static uint32_t babbled; /* atomic */

static const struct machine_device *babble_device(void)
{
	for (size_t i = 0; i < machine.device_count; i++)
		if (str_starts(machine.device[i].compatible, S("google,goldfish-rtc")))
			return &machine.device[i];
	return NULL;
}

static void rtc_write(const struct machine_device *d, size_t reg, uint32_t value)
{
	*(volatile uint32_t *)(d->base + reg) = value;
}

static void babble_raise(const struct machine_device *d)
{
	rtc_write(d, RTC_CLEAR_INTERRUPT, 1);
	rtc_write(d, RTC_ALARM_HIGH, 0);
	rtc_write(d, RTC_ALARM_LOW, 0);
}

static void babble_handler(void *arg)
{
	__atomic_fetch_add(&babbled, 1, __ATOMIC_RELAXED);
	babble_raise(arg);
}

static uint64_t console_interrupts(void)
{
	struct irq_stats s;
	uint64_t n = 0;
	for (size_t i = 0; irq_stats_at(i, &s); i++)
		for (uint32_t cpu = 0; cpu < cpu_count() && str_eq(s.name, S("uart")); cpu++)
			n += s.count[cpu];
	return n;
}

/* Longer than the UART's FIFO, so that its line has to interrupt for the rest. */
static void irq_test_console(void)
{
	static const char line[] = "# the console's own interrupts come beside the babble\n";
	struct file_result f = vfs_open(S("/dev/console"), OPEN_WRITE);
	ST_REQUIRE(f.err == OK);
	for (size_t sent = 0; sent < sizeof(line) - 1;) {
		struct size_result n = vfs_write(f.value, 0, rbuf_of(line + sent, sizeof(line) - 1 - sent));
		if (n.err != OK)
			break;
		sent += n.value;
	}
	vfs_close(f.value);
}

/* Beyond a burst, with an interrupt of the console's in between. */
static bool babble_is_seen(uint64_t console_before)
{
	return __atomic_load_n(&babbled, __ATOMIC_RELAXED) > CONFIG_IRQ_BURST && console_interrupts() > console_before;
}

/* On its hart a thread goes on, sleeps end, and the console's line works. */
SELFTEST(irq_babble_harms_nobody_else)
{
	struct irq_stats before, after;
	const struct machine_device *d = babble_device();
	static bool requested;
	ST_REQUIRE(d && arch_cpu() == 0);
	if (!requested) {
		ST_REQUIRE(arch_prot_at((vaddr){d->base}) != PROT_NONE ||
			arch_map((vaddr){d->base}, (paddr){d->base}, PAGE_SIZE, PROT_R | PROT_W | PROT_DEVICE) == OK);
		ST_REQUIRE(irq_request(d->irq, S("babble"), babble_handler, (void *)d) == OK);
	}
	requested = true;
	babbled = 0;
	ST_REQUIRE(irq_test_stats(d->irq, &before));
	uint64_t console_before = console_interrupts();
	ktime began = clock_now();
	irq_enable(d->irq);
	rtc_write(d, RTC_IRQ_ENABLED, 1);
	babble_raise(d);
	ktime until = ktime_add(began, PATIENCE_NS);
	uint32_t slept = 0;
	for (; (slept < BABBLE_SLEEPS || !babble_is_seen(console_before)) && ktime_before(clock_now(), until); slept++) {
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
		if (slept == 2)
			irq_test_console();
	}
	ST_CHECK(slept >= BABBLE_SLEEPS && babble_is_seen(console_before));
	rtc_write(d, RTC_IRQ_ENABLED, 0);
	rtc_write(d, RTC_CLEAR_INTERRUPT, 1);
	ST_REQUIRE(irq_test_stats(d->irq, &after));
	irq_enable(d->irq); /* ends the storm */
	irq_disable(d->irq);
	/* Whether it came so often that it stormed is the host's matter; more often than it may it did not come. */
	int64_t most = CONFIG_IRQ_BURST + ktime_diff(clock_now(), began) * CONFIG_IRQ_STORM_MAX / NS_PER_S + 1;
	ST_CHECK(babbled <= (uint64_t)most);
}
