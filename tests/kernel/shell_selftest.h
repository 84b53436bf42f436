/*
 * shell_selftest.h - what the self-tests of the shell share: a session's carrier, and what a session takes.
 */
#ifndef TESTS_KERNEL_SHELL_SELFTEST_H
#define TESTS_KERNEL_SHELL_SELFTEST_H

#include "kernel/mm/mm.h"
#include "tests/kernel/sync_selftest.h"
#include "user/shell/shell.h"

#define PATIENCE (100 * NS_PER_S) /* ends what hangs; nothing is measured by it */

static inline ktime patience(void)
{
	return ktime_add(clock_now(), PATIENCE);
}

/* ---- a carrier ---- */

struct terminal {
	struct shell_session *s;
	struct event ready;
	uint64_t at;
	size_t len;
	char text[16384]; /* all that it said since the last t_clear() */
};

static inline void t_ready(void *arg)
{
	event_set(arg, 1);
}

static inline bool t_open(struct terminal *t)
{
	event_init(&t->ready);
	t->at = t->len = 0;
	struct shell_result r = shell_open(&(struct shell_carrier){.name = S("test"), .ready = t_ready, .arg = &t->ready});
	t->s = r.value;
	return r.err == OK;
}

static inline void t_take(struct terminal *t)
{
	size_t n;
	do {
		if (t->len == sizeof(t->text)) { /* words that are not whole yet stay */
			t->len /= 2;
			memmove(t->text, t->text + t->len, t->len);
		}
		n = shell_output(t->s, &t->at, wbuf_of(t->text + t->len, sizeof(t->text) - t->len));
		t->len += n;
	} while (t->len == sizeof(t->text));
}

/* Until it has said that; what it says is taken. False: it never did, or is over. */
static inline bool t_expect(struct terminal *t, struct str text)
{
	ktime until = patience();
	for (;;) {
		t_take(t);
		if (str_find(str_of(t->text, t->len), text) < t->len)
			return true;
		if (shell_ended(t->s, t->at) || event_wait(&t->ready, 1, until).err != OK)
			return false;
	}
}

static inline bool t_ends(struct terminal *t)
{
	ktime until = patience();
	for (;;) {
		t_take(t);
		if (shell_ended(t->s, t->at))
			return true;
		if (event_wait(&t->ready, 1, until).err != OK)
			return false;
	}
}

static inline void t_type(struct terminal *t, struct str keys)
{
	struct rbuf left = rbuf_of_str(keys);
	while (left.len) {
		left = rbuf_slice(left, shell_feed(t->s, left), left.len);
		if (left.len)
			sleep_ns(NS_PER_MS);
	}
}

/* A line, and whether its output then has that in it. */
static inline bool t_says(struct terminal *t, struct str line, struct str text)
{
	t->len = 0;
	t_type(t, line);
	t_type(t, S("\r"));
	return t_expect(t, text);
}

/* ---- levels: everything a session takes is back ---- */

struct levels {
	size_t stacks, free_bytes, files, threads;
};

static inline size_t pool_used(struct str name)
{
	struct pool_stats s;
	for (size_t i = 0; pool_stats_at(i, &s); i++)
		if (str_eq(s.name, name))
			return s.used;
	return 0;
}

static inline struct levels levels_now(void)
{
	struct stack_stats stacks;
	struct mm_stats mm;
	stack_stats(&stacks);
	mm_stats(&mm);
	return (struct levels){stacks.used, mm.free_bytes, pool_used(S("file")), pool_used(S("thread"))};
}

/* What somebody else still held before may be back, too: the stack of a thread is, when its hart has left it. */
static inline bool levels_are_below(const struct levels *now, const struct levels *before)
{
	return now->stacks <= before->stacks && now->free_bytes >= before->free_bytes && now->files <= before->files &&
	       now->threads <= before->threads;
}

static inline bool levels_are_back(const struct levels *before)
{
	ktime until = patience();
	for (;;) {
		struct shell_stats s;
		struct levels now = levels_now();
		shell_stats(&s);
		if (s.open == 0 && s.threads == 0 && levels_are_below(&now, before))
			return true;
		if (ktime_before(until, clock_now()))
			return false;
		sleep_ns(5 * NS_PER_MS);
	}
}

#endif
