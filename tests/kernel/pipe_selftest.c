/* pipe_selftest.c - pipes: order, ends, deadlines, cancellation, and many writers and readers on every hart. */
#include "kernel/diag/selftest.h"
#include "kernel/sync/pipe.h"
#include "tests/kernel/sync_selftest.h"

static struct pipe p;
static uint8_t memory[16];

static struct rbuf text(const char *s, size_t len)
{
	return rbuf_of(s, len);
}

SELFTEST(pipe_gives_what_it_took)
{
	uint8_t out[32];
	pipe_init(&p, memory, sizeof(memory));
	for (unsigned round = 0; round < 40; round++) { /* the ring turns */
		size_t n = 1 + round % sizeof(memory);
		struct size_result r = pipe_write(&p, text("0123456789abcdefXYZ", n), KTIME_NEVER);
		ST_CHECK(r.err == OK && r.value == n && p.used == n);
		r = pipe_read(&p, wbuf_of(out, sizeof(out)), KTIME_NEVER);
		ST_CHECK(r.err == OK && r.value == n && memcmp(out, "0123456789abcdef", n) == 0);
	}
	struct size_result r = pipe_write(&p, text("0123456789abcdefXYZ", 19), KTIME_NEVER);
	ST_CHECK(r.err == OK && r.value == sizeof(memory)); /* what finds room */
	r = pipe_read(&p, wbuf_of(out, 0), KTIME_NEVER);
	ST_CHECK(r.err == OK && r.value == 0);
}

SELFTEST(pipe_deadlines)
{
	uint8_t out[4];
	pipe_init(&p, memory, 4);
	ktime past = clock_now(), until = ktime_add(past, 3 * NS_PER_MS);
	ST_CHECK(pipe_read(&p, wbuf_of(out, 4), past).err == ERR_TIMEDOUT);
	ST_CHECK(pipe_read(&p, wbuf_of(out, 4), until).err == ERR_TIMEDOUT && !ktime_before(clock_now(), until));
	ST_CHECK(pipe_write(&p, text("abcd", 4), past).value == 4);
	until = ktime_add(clock_now(), 3 * NS_PER_MS);
	ST_CHECK(pipe_write(&p, text("e", 1), until).err == ERR_TIMEDOUT && !ktime_before(clock_now(), until));
	ST_CHECK(pipe_read(&p, wbuf_of(out, 4), past).value == 4 && memcmp(out, "abcd", 4) == 0);
}

SELFTEST(pipe_ends)
{
	uint8_t out[8];
	pipe_init(&p, memory, 8);
	pipe_open_writer(&p);
	ST_CHECK(pipe_write(&p, text("abc", 3), KTIME_NEVER).value == 3);
	pipe_close_writer(&p);
	ST_CHECK(pipe_read(&p, wbuf_of(out, 2), KTIME_NEVER).value == 2);
	ST_CHECK(pipe_read(&p, wbuf_of(out, 8), KTIME_NEVER).value == 1);
	ST_CHECK(pipe_read(&p, wbuf_of(out, 8), clock_now()).err == ERR_TIMEDOUT); /* one still writes */
	pipe_close_writer(&p);
	struct size_result r = pipe_read(&p, wbuf_of(out, 8), KTIME_NEVER);
	ST_CHECK(r.err == OK && r.value == 0);
	pipe_init(&p, memory, 8);
	pipe_open_reader(&p);
	pipe_close_reader(&p);
	ST_CHECK(pipe_write(&p, text("abc", 3), KTIME_NEVER).value == 3);
	pipe_close_reader(&p);
	ST_CHECK(pipe_write(&p, text("abc", 3), KTIME_NEVER).err == ERR_PIPE);
	ST_CHECK(pipe_write(&p, text("", 0), KTIME_NEVER).err == ERR_PIPE);
}

/* ---- who waits ---- */

static enum err waited[4];

static void waits_to_read(void *arg)
{
	uint8_t byte;
	struct size_result r = pipe_read(&p, wbuf_of(&byte, 1), KTIME_NEVER);
	waited[(uintptr_t)arg] = r.err;
}

static void waits_to_write(void *arg)
{
	struct size_result r = pipe_write(&p, rbuf_of("x", 1), KTIME_NEVER);
	waited[(uintptr_t)arg] = r.err;
}

static bool is_blocked(struct thread *t)
{
	struct thread_info info;
	thread_info(t, &info);
	return info.state == THREAD_BLOCKED;
}

static void start_waiters(struct thread *t[4], void (*entry)(void *))
{
	for (uintptr_t i = 0; i < 4; i++) {
		waited[i] = ERR_BUSY;
		t[i] = st_thread(S("waiter"), entry, (void *)i, 20, 0);
		ST_REQUIRE(t[i]);
		while (!is_blocked(t[i]))
			sleep_ns(NS_PER_MS);
	}
}

SELFTEST(pipe_wakes_those_who_wait_at_its_end)
{
	struct thread *t[4] = {0};
	pipe_init(&p, memory, 1);
	start_waiters(t, waits_to_read);
	ST_CHECK(thread_cancel(t[2]) == OK && thread_join(t[2], KTIME_NEVER) == OK && waited[2] == ERR_INTR);
	ST_CHECK(pipe_write(&p, text("a", 1), KTIME_NEVER).err == OK);
	pipe_close_writer(&p);
	for (size_t i = 0; i < 4; i++)
		ST_CHECK(i == 2 || (thread_join(t[i], KTIME_NEVER) == OK && waited[i] == OK));
	pipe_init(&p, memory, 1);
	ST_CHECK(pipe_write(&p, text("a", 1), KTIME_NEVER).err == OK);
	start_waiters(t, waits_to_write);
	ST_CHECK(thread_cancel(t[1]) == OK && thread_join(t[1], KTIME_NEVER) == OK && waited[1] == ERR_INTR);
	pipe_close_reader(&p);
	for (size_t i = 0; i < 4; i++)
		ST_CHECK(i == 1 || (thread_join(t[i], KTIME_NEVER) == OK && waited[i] == ERR_PIPE));
}

/* ---- stress: every byte that goes in comes out once, whoever is cancelled meanwhile ---- */

#define STRESS_SIDES 3
#define STRESS_BYTES 20000
static uint64_t put_sum, got_sum; /* atomic */
static uint64_t put_bytes, got_bytes;

static void stress_write(void *arg)
{
	uint64_t seed = (uintptr_t)arg, sum = 0, sent = 0;
	while (sent < STRESS_BYTES) {
		uint8_t bytes[40];
		size_t n = 1 + st_random(&seed) % sizeof(bytes);
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)st_random(&seed);
		ktime until = st_random(&seed) % 4 ? KTIME_NEVER : ktime_add(clock_now(), 20 * NS_PER_US);
		struct size_result r = pipe_write(&p, rbuf_of(bytes, n), until);
		ST_CHECK(r.err == OK || r.err == ERR_TIMEDOUT || r.err == ERR_INTR);
		for (size_t i = 0; r.err == OK && i < r.value; i++)
			sum += (uint64_t)bytes[i] + 1;
		sent += r.err == OK ? r.value : 0;
	}
	__atomic_fetch_add(&put_sum, sum, __ATOMIC_RELAXED);
	__atomic_fetch_add(&put_bytes, sent, __ATOMIC_RELAXED);
	pipe_close_writer(&p);
}

static void stress_read(void *arg)
{
	uint64_t seed = (uintptr_t)arg, sum = 0, taken = 0;
	for (;;) {
		uint8_t bytes[40];
		ktime until = st_random(&seed) % 4 ? KTIME_NEVER : ktime_add(clock_now(), 20 * NS_PER_US);
		struct size_result r = pipe_read(&p, wbuf_of(bytes, 1 + st_random(&seed) % sizeof(bytes)), until);
		if (r.err == OK && r.value == 0)
			break;
		ST_CHECK(r.err == OK || r.err == ERR_TIMEDOUT || r.err == ERR_INTR);
		for (size_t i = 0; r.err == OK && i < r.value; i++)
			sum += (uint64_t)bytes[i] + 1;
		taken += r.err == OK ? r.value : 0;
	}
	__atomic_fetch_add(&got_sum, sum, __ATOMIC_RELAXED);
	__atomic_fetch_add(&got_bytes, taken, __ATOMIC_RELAXED);
	pipe_close_reader(&p);
}

SELFTEST(pipe_stress)
{
	struct thread *t[2 * STRESS_SIDES];
	uint64_t seed = 20240229;
	pipe_init(&p, memory, 13);
	put_sum = got_sum = put_bytes = got_bytes = 0;
	for (uintptr_t i = 1; i < STRESS_SIDES; i++) {
		pipe_open_reader(&p);
		pipe_open_writer(&p);
	}
	for (uintptr_t i = 0; i < countof(t); i++) {
		t[i] = st_thread(S("pipe"), i % 2 ? stress_read : stress_write, (void *)(i + 1), 16, 0);
		ST_REQUIRE(t[i]);
	}
	for (int i = 0; i < 100; i++) {
		ST_CHECK(thread_cancel(t[st_random(&seed) % countof(t)]) == OK);
		sleep_ns(200 * NS_PER_US);
	}
	for (size_t i = 0; i < countof(t); i++)
		ST_CHECK(thread_join(t[i], KTIME_NEVER) == OK);
	ST_CHECK(put_bytes == got_bytes && put_bytes >= STRESS_SIDES * STRESS_BYTES && put_sum == got_sum);
	ST_CHECK(p.used == 0);
}
