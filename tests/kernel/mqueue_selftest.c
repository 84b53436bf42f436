/* mqueue_selftest.c - message queues: order, sizes, handover, deadlines, cancellation, interrupts, stress. */
#include "kernel/diag/selftest.h"
#include "kernel/sync/mqueue.h"
#include "tests/kernel/sync_selftest.h"

static struct mqueue q;
static uint64_t places[8];

static uint64_t taken(void)
{
	uint64_t m = 0;
	ST_CHECK(mqueue_try_receive(&q, &m));
	return m;
}

static bool sent(uint64_t m)
{
	return mqueue_try_send(&q, &m);
}

SELFTEST(mqueue_full_and_empty)
{
	uint64_t m = 99;
	mqueue_init(&q, places, sizeof(m), 3);
	for (uint64_t round = 0; round < 7; round++) { /* the ring turns */
		ST_CHECK(!mqueue_try_receive(&q, &m) && m == 99 && mqueue_count(&q) == 0);
		for (uint64_t i = 0; i < 3; i++)
			ST_CHECK(sent(round + i) && mqueue_count(&q) == i + 1);
		ST_CHECK(!sent(77) && mqueue_count(&q) == 3);
		ST_CHECK(taken() == round && sent(round + 3) && !sent(77));
		for (uint64_t i = 1; i < 4; i++)
			ST_CHECK(taken() == round + i);
	}
}

/* Nothing outside of a message is touched, at any alignment; what comes out is what went in. */
static bool size_is_kept(size_t size, size_t shift)
{
	static uint8_t memory[5 * MQUEUE_MESSAGE_MAX + 2], in[MQUEUE_MESSAGE_MAX + 8],
		out[MQUEUE_MESSAGE_MAX + 10];
	bool ok = true;
	memset(memory, 0xee, sizeof(memory));
	mqueue_init(&q, memory + 1, size, 5);
	for (unsigned n = 0; n < 12; n++) {
		for (size_t i = 0; i < size; i++)
			in[shift + i] = (uint8_t)(n * 31 + i);
		memset(out, 0xdd, sizeof(out));
		if (n % 2)
			ok &= mqueue_send(&q, in + shift, KTIME_NEVER) == OK &&
			      mqueue_receive(&q, out + 1 + shift, KTIME_NEVER) == OK;
		else
			ok &= mqueue_try_send(&q, in + shift) &&
			      mqueue_try_receive(&q, out + 1 + shift);
		ok &= memcmp(in + shift, out + 1 + shift, size) == 0;
		ok &= out[shift] == 0xdd && out[shift + size + 1] == 0xdd;
	}
	return ok && memory[0] == 0xee && memory[5 * size + 1] == 0xee;
}

SELFTEST(mqueue_sizes)
{
	for (size_t size = 1; size <= MQUEUE_MESSAGE_MAX; size++)
		ST_CHECK(size_is_kept(size, size % 8) && size_is_kept(size, 0));
}

SELFTEST(mqueue_deadlines)
{
	uint64_t m = 5;
	mqueue_init(&q, places, sizeof(m), 2);
	ktime past = clock_now();
	ST_CHECK(mqueue_receive(&q, &m, past) == ERR_TIMEDOUT);
	ktime until = ktime_add(clock_now(), 3 * NS_PER_MS);
	ST_CHECK(
		mqueue_receive(&q, &m, until) == ERR_TIMEDOUT && !ktime_before(clock_now(), until));
	/* A deadline that has passed is no obstacle where nothing has to be waited for. */
	ST_CHECK(mqueue_send(&q, &m, past) == OK && mqueue_send(&q, &m, past) == OK);
	ST_CHECK(mqueue_send(&q, &m, past) == ERR_TIMEDOUT);
	until = ktime_add(clock_now(), 3 * NS_PER_MS);
	ST_CHECK(mqueue_send(&q, &m, until) == ERR_TIMEDOUT && !ktime_before(clock_now(), until));
	ST_CHECK(mqueue_receive(&q, &m, past) == OK && mqueue_receive(&q, &m, past) == OK);
	ST_CHECK(mqueue_count(&q) == 0 && m == 5);
}

/* ---- order of waiters ---- */

static char order[8];
static uint32_t order_len;

static void receives_one(void *arg)
{
	uint64_t m = 0;
	ST_CHECK(mqueue_receive(&q, &m, KTIME_NEVER) == OK);
	order[order_len++] = (char)(uintptr_t)arg;
	order[order_len++] = (char)m;
}

static void sends_one(void *arg)
{
	uint64_t m = (uintptr_t)arg;
	ST_CHECK(mqueue_send(&q, &m, KTIME_NEVER) == OK);
}

static const uint8_t waiter_priority[4] = {20, 30, 20, 30};

static void waiters_start(struct thread *t[4], void (*entry)(void *))
{
	for (size_t i = 0; i < 4;
		i++) { /* more urgent than this thread and on its hart: each waits before the next is made */
		t[i] = st_thread(S("waiter"), entry, (void *)('a' + i), waiter_priority[i], 1);
		ST_REQUIRE(t[i]);
	}
}

static void waiters_join(struct thread *t[4])
{
	for (size_t i = 0; i < 4; i++)
		ST_CHECK(t[i] && thread_join(t[i], KTIME_NEVER) == OK);
}

/* A message goes to the best receiver, then by arrival, and no newcomer gets it. */
SELFTEST(mqueue_receivers_in_order)
{
	struct thread *t[4];
	uint64_t m;
	mqueue_init(&q, places, sizeof(m), 2);
	order_len = 0;
	waiters_start(t, receives_one);
	irqflags flags = arch_irq_save(); /* nobody that is woken runs in between */
	for (uint64_t i = '0'; i < '4'; i++) {
		ST_CHECK(sent(i));
		ST_CHECK(!mqueue_try_receive(&q, &m) && mqueue_count(&q) == 0);
	}
	arch_irq_restore(flags);
	waiters_join(t);
	ST_CHECK(order_len == 8);
	/* b and d by arrival among the urgent, then a and c; each with the message that was for it. */
	ST_CHECK(memcmp(order, "b0d1a2c3", 8) == 0);
}

/* A freed place takes the message of the best sender, and what was inside comes out first. */
SELFTEST(mqueue_senders_in_order)
{
	struct thread *t[4];
	mqueue_init(&q, places, sizeof(uint64_t), 2);
	ST_CHECK(sent('x') && sent('y'));
	waiters_start(t, sends_one);
	static const char expected[] = "xybdac";
	irqflags flags = arch_irq_save();
	for (size_t i = 0; i < 6; i++) {
		if (i < 4)
			ST_CHECK(!sent('z')); /* no newcomer */
		ST_CHECK(taken() == (uint64_t)expected[i]);
	}
	arch_irq_restore(flags);
	waiters_join(t);
	ST_CHECK(mqueue_count(&q) == 0);
	ST_CHECK(sent('z') && taken() == 'z'); /* plain again */
}

/* ---- cancellation ---- */

static void is_cancelled(void *arg)
{
	uint64_t m = 1;
	enum err err = arg ? mqueue_send(&q, &m, KTIME_NEVER) : mqueue_receive(&q, &m, KTIME_NEVER);
	ST_CHECK(err == ERR_INTR && m == 1);
}

SELFTEST(mqueue_cancel)
{
	mqueue_init(&q, places, sizeof(uint64_t), 1);
	for (uintptr_t full = 0; full < 2; full++) {
		struct thread *t = st_thread(S("cancelled"), is_cancelled, (void *)full, 20, 0);
		ST_REQUIRE(t);
		ST_CHECK(sleep_ns(2 * NS_PER_MS) == OK);
		ST_CHECK(thread_cancel(t) == OK && thread_join(t, KTIME_NEVER) == OK);
		ST_CHECK(mqueue_count(&q) == full &&
			 sent(7) == !full); /* nobody is served who has left */
	}
	ST_CHECK(taken() == 7);
}

/* ---- from an interrupt ---- */

static uint64_t irq_sent, irq_refused;

static void sends_from_interrupt(unused void *arg)
{
	uint64_t m = irq_sent;
	if (mqueue_try_send(&q, &m))
		irq_sent++;
	else
		irq_refused++;
}

SELFTEST(mqueue_from_interrupts)
{
	mqueue_init(&q, places, sizeof(uint64_t), 2);
	irq_sent = irq_refused = 0;
	struct callout c;
	callout_init(&c, CALLOUT_HARD, sends_from_interrupt, NULL);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t m = ~i;
		ST_REQUIRE(callout_start(&c, ktime_add(clock_now(), 20 * NS_PER_US)) == OK);
		ST_CHECK(mqueue_receive(&q, &m, KTIME_NEVER) == OK && m == i);
	}
	for (uint64_t i = 1; i <= 3; i++) {
		ST_REQUIRE(callout_start(&c, clock_now()) == OK);
		while (irq_sent + irq_refused < 100 + i)
			ST_CHECK(sleep_ns(50 * NS_PER_US) == OK);
	}
	ST_CHECK(irq_sent == 102 && irq_refused == 1 && taken() == 100 && taken() == 101);
}

/* ---- stress: nothing is lost, doubled or out of order ---- */

#define PARTIES 4
#define ROUNDS  400

struct stress_message {
	uint32_t sender, number;
	uint64_t check; /* torn: does not fit the two */
};
static struct stress_message stress_places[3];
static uint32_t accepted[PARTIES], received[PARTIES];
static uint32_t ended_senders;

static uint64_t stress_check(const struct stress_message *m)
{
	return (uint64_t)m->sender * 0x9e3779b97f4a7c15 + m->number * 77;
}

static ktime some_deadline(uint64_t r)
{
	return r & 1 ? KTIME_NEVER : ktime_add(clock_now(), (int64_t)(r % (300 * NS_PER_US)));
}

static void stress_sender(void *arg)
{
	uint32_t self = (uint32_t)(uintptr_t)arg;
	uint64_t seed = self * 7919 + 1;
	for (uint32_t n = 0; n < ROUNDS; n++) {
		uint64_t r = st_random(&seed);
		struct stress_message m = {self, accepted[self] + 1, 0};
		m.check = stress_check(&m);
		bool ok = r & 2 ? mqueue_try_send(&q, &m)
				: mqueue_send(&q, &m, some_deadline(r >> 8)) == OK;
		accepted[self] += ok;
		if (r % 16 == 0)
			sched_yield();
	}
	__atomic_fetch_add(&ended_senders, 1, __ATOMIC_RELEASE);
}

/* A sender's messages come in their order, to a receiver that is alone without a gap. */
static void stress_receiver(void *arg)
{
	bool alone = arg == NULL;
	uint64_t seed = 31 + (uintptr_t)arg;
	uint32_t last[PARTIES] = {0};
	for (;;) {
		struct stress_message m = {0};
		uint64_t r = st_random(&seed);
		bool over = __atomic_load_n(&ended_senders, __ATOMIC_ACQUIRE) == PARTIES;
		enum err err = mqueue_receive(
			&q, &m, ktime_add(clock_now(), (int64_t)(r % (300 * NS_PER_US))));
		if (err != OK && over && mqueue_count(&q) == 0)
			return;
		if (err != OK)
			continue;
		ST_CHECK(m.sender < PARTIES && m.check == stress_check(&m));
		__atomic_fetch_add(&received[m.sender % PARTIES], 1, __ATOMIC_RELAXED);
		uint32_t step = m.number - last[m.sender % PARTIES];
		ST_CHECK(alone ? step == 1 : step > 0 && step <= ROUNDS);
		last[m.sender % PARTIES] = m.number;
	}
}

static void stress(size_t receivers)
{
	struct thread *t[PARTIES + 3];
	mqueue_init(&q, stress_places, sizeof(stress_places[0]), countof(stress_places));
	ended_senders = 0;
	for (size_t i = 0; i < PARTIES; i++)
		accepted[i] = received[i] = 0;
	for (size_t i = 0; i < PARTIES + receivers; i++) {
		bool sender = i < PARTIES;
		uintptr_t arg = sender ? i : receivers - 1 + (i - PARTIES);
		t[i] = st_thread(S("stress"), sender ? stress_sender : stress_receiver, (void *)arg,
			(unsigned)(10 + i % 3), 0);
		ST_REQUIRE(t[i]);
	}
	uint64_t seed = 7;
	for (int i = 0; i < 40; i++) {
		ST_CHECK(thread_cancel(t[st_random(&seed) % (PARTIES + receivers)]) == OK);
		ST_CHECK(sleep_ns(NS_PER_MS) == OK);
	}
	for (size_t i = 0; i < PARTIES + receivers; i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
	uint32_t sum = 0;
	for (size_t i = 0; i < PARTIES; i++) {
		ST_CHECK(received[i] == accepted[i]);
		sum += accepted[i];
	}
	ST_CHECK(sum > 0 && mqueue_count(&q) == 0);
}

SELFTEST(mqueue_stress_keeps_the_order)
{
	stress(1);
}

SELFTEST(mqueue_stress_many_receivers)
{
	stress(3);
}
