/*
 * terminal.c - the bytes between a session and who carries its terminal.
 *
 * Two rings. Input is put by the carrier, who never waits, and taken by the session's thread or the command in the
 * foreground. Output is put by all of them, who wait for room, and read by the carrier at positions of its own; what lies
 * before the position that it asks for is dropped, and makes room.
 *
 * Ctrl-C does not go through the ring: it empties it and sets a flag, which the session's thread sees to wherever it waits.
 * What is typed behind it is for the session: a command takes nothing as long as the flag is set, and is cancelled then.
 *
 * Locks: LOCK_SHELL around the rings, COPY_MAX bytes in one hold; waiters are woken behind it. The conditions of waits
 * are read without it, under the lock of the wait queue, which who makes them true takes after LOCK_SHELL.
 * LOCK_SHELL_READY is held around the carrier's ready(), so that hanging up can take it away.
 * Invariants: in_put - in_taken <= SHELL_IN_BYTES; out_put - out_dropped <= SHELL_OUT_BYTES.
 */
#include "lib/assert.h"
#include "user/shell/shell_priv.h"

#define COPY_MAX 128 /* bytes in one hold of the lock */

static_assert(is_pow2(SHELL_IN_BYTES) && is_pow2(SHELL_OUT_BYTES), "positions wrap");
static_assert(SHELL_IN_BYTES > SHELL_LINE_MAX + 2, "a line is fed in one piece");

void terminal_init(struct shell_session *s, const struct shell_carrier *carrier)
{
	spin_init(&s->lock, LOCK_SHELL);
	spin_init(&s->ready_lock, LOCK_SHELL_READY);
	waitq_init(&s->wait);
	waitq_init(&s->out_wait);
	s->ready = carrier->ready;
	s->ready_arg = carrier->arg;
	s->crlf = carrier->crlf;
	s->armed = 1;
	s->columns = 80;
	s->rows = 24;
	s->active = clock_now();
}

/* ---- the carrier's side ---- */

/* Behind the last Ctrl-C; 0: there is none. */
static size_t terminal_behind_interrupt(struct rbuf typed)
{
	for (size_t n = typed.len; n > 0; n--)
		if (typed.ptr[n - 1] == CTRL_C)
			return n;
	return 0;
}

/* With the lock held: what finds room. */
static size_t terminal_feed_locked(struct shell_session *s, struct rbuf typed)
{
	uint32_t put = s->in_put;
	size_t n = 0;
	for (; n < typed.len && n < COPY_MAX && put - s->in_taken < SHELL_IN_BYTES; n++)
		s->in[put++ % SHELL_IN_BYTES] = typed.ptr[n];
	__atomic_store_n(&s->in_put, put, __ATOMIC_RELAXED);
	return n;
}

size_t shell_feed(struct shell_session *s, struct rbuf typed)
{
	size_t done = terminal_behind_interrupt(typed), n;
	spin_lock(&s->lock);
	if (done) {
		__atomic_store_n(&s->in_taken, s->in_put, __ATOMIC_RELAXED);
		__atomic_store_n(&s->interrupt, 1, __ATOMIC_RELAXED);
	}
	if (typed.len > 0)
		s->active = clock_now();
	spin_unlock(&s->lock);
	do {
		spin_lock(&s->lock);
		n = terminal_feed_locked(s, rbuf_slice(typed, done, typed.len));
		spin_unlock(&s->lock);
		done += n;
	} while (n > 0 && done < typed.len);
	waitq_wake_all(&s->wait);
	return done;
}

size_t shell_output(struct shell_session *s, uint64_t *at, struct wbuf to)
{
	size_t done = 0;
	bool all = false, room = false;
	while (!all && (done < to.len || done == 0)) {
		spin_lock(&s->lock);
		uint64_t from = min(max(*at, s->out_dropped), s->out_put);
		if (done == 0 && from > s->out_dropped) {
			__atomic_store_n(&s->out_dropped, from, __ATOMIC_RELAXED);
			s->active = clock_now();
			room = true;
		}
		size_t n = min((size_t)(s->out_put - from), min(to.len - done, (size_t)COPY_MAX));
		for (size_t i = 0; i < n; i++)
			to.ptr[done + i] = s->out[(from + i) % SHELL_OUT_BYTES];
		done += n;
		*at = from + n;
		all = *at == s->out_put || to.len == 0;
		if (*at == s->out_put)
			__atomic_store_n(&s->armed, 1, __ATOMIC_RELAXED);
		spin_unlock(&s->lock);
	}
	if (room)
		waitq_wake_all(&s->out_wait);
	return done;
}

bool shell_ended(struct shell_session *s, uint64_t at)
{
	spin_lock(&s->lock);
	bool ended = s->ended && at >= s->out_put;
	spin_unlock(&s->lock);
	return ended;
}

void shell_resize(struct shell_session *s, uint16_t columns, uint16_t rows)
{
	spin_lock(&s->lock);
	s->columns = max(columns, (uint16_t)1);
	s->rows = max(rows, (uint16_t)1);
	s->active = clock_now();
	spin_unlock(&s->lock);
}

void terminal_notify(struct shell_session *s)
{
	if (!__atomic_load_n(&s->armed, __ATOMIC_RELAXED))
		return;
	spin_lock(&s->ready_lock);
	if (__atomic_exchange_n(&s->armed, 0, __ATOMIC_RELAXED) && s->ready)
		s->ready(s->ready_arg);
	spin_unlock(&s->ready_lock);
}

/* ---- waiting ---- */

void terminal_set_over(struct shell_session *s)
{
	spin_lock(&s->lock);
	__atomic_store_n(&s->over, true, __ATOMIC_RELEASE);
	spin_unlock(&s->lock);
	waitq_wake_all(&s->wait);
	waitq_wake_all(&s->out_wait);
}

static int64_t terminal_idle_ns = CONFIG_SHELL_IDLE_S * NS_PER_S;

void shell_set_idle(int64_t ns)
{
	__atomic_store_n(&terminal_idle_ns, ns, __ATOMIC_RELAXED);
}

ktime terminal_idle_at(struct shell_session *s)
{
	int64_t ns = __atomic_load_n(&terminal_idle_ns, __ATOMIC_RELAXED);
	if (ns == 0 || s->script.ptr)
		return KTIME_NEVER;
	spin_lock(&s->lock);
	ktime at = ktime_add(s->active, ns);
	spin_unlock(&s->lock);
	return at;
}

bool terminal_is_interrupted(const struct shell_session *s)
{
	return __atomic_load_n(&s->interrupt, __ATOMIC_ACQUIRE);
}

bool terminal_interrupted(struct shell_session *s)
{
	return terminal_is_interrupted(s) && __atomic_exchange_n(&s->interrupt, 0, __ATOMIC_RELEASE);
}

static bool terminal_has_input(const struct shell_session *s)
{
	return __atomic_load_n(&s->in_put, __ATOMIC_RELAXED) != __atomic_load_n(&s->in_taken, __ATOMIC_RELAXED);
}

static bool terminal_has_room(const struct shell_session *s)
{
	uint64_t used = __atomic_load_n(&s->out_put, __ATOMIC_RELAXED) - __atomic_load_n(&s->out_dropped, __ATOMIC_RELAXED);
	return used + 2 <= SHELL_OUT_BYTES; /* a newline may take two places */
}

/* ---- the session's side ---- */

/* What of it found room; with crlf a newline takes two places. */
static size_t terminal_put(struct shell_session *s, struct rbuf from)
{
	size_t n = 0;
	spin_lock(&s->lock);
	uint64_t put = s->out_put, end = s->out_dropped + SHELL_OUT_BYTES;
	for (; n < from.len && n < COPY_MAX; n++) {
		bool cr = s->crlf && from.ptr[n] == '\n';
		if (put + cr >= end)
			break;
		if (cr)
			s->out[put++ % SHELL_OUT_BYTES] = '\r';
		s->out[put++ % SHELL_OUT_BYTES] = from.ptr[n];
	}
	__atomic_store_n(&s->out_put, put, __ATOMIC_RELAXED);
	spin_unlock(&s->lock);
	return n;
}

static enum err terminal_wait_room(struct shell_session *s, struct shell_stage *stage)
{
	ktime until = stage ? KTIME_NEVER : terminal_idle_at(s);
	terminal_notify(s); /* it may have had all that is there, and not said so yet */
	enum err err = waitq_wait_until(&s->out_wait,
		terminal_has_room(s) || session_is_over(s) || (!stage && terminal_is_interrupted(s)),
		until, S("terminal, to write"));
	if (stage)
		return err;
	if (err != OK)
		terminal_wait_failed(s, err);
	return session_is_over(s) || terminal_is_interrupted(s) ? ERR_INTR : OK;
}

enum err terminal_write(struct shell_session *s, struct shell_stage *stage, struct rbuf from)
{
	while (from.len > 0) {
		if (session_is_over(s) || (stage && stage_is_cancelled(stage)))
			return ERR_INTR;
		size_t n = terminal_put(s, from);
		from = rbuf_slice(from, n, from.len);
		if (n > 0) {
			terminal_notify(s);
			continue;
		}
		enum err err = terminal_wait_room(s, stage);
		if (err != OK)
			return err;
	}
	return OK;
}

void terminal_write_some(struct shell_session *s, struct rbuf from)
{
	if (terminal_put(s, from) > 0)
		terminal_notify(s);
}

/*
 * Whether what stands in the ring is for the reader: not for a command that a Ctrl-C ends. Who sees the flag cleared
 * (released by terminal_interrupted(), acquired here) sees the command cancelled, which run_wait_turn() does before.
 */
static bool terminal_may_take(const struct shell_session *s, const struct shell_stage *stage)
{
	return !stage || (!terminal_is_interrupted(s) && !stage_is_cancelled(stage));
}

static size_t terminal_take(struct shell_session *s, struct shell_stage *stage, struct wbuf to)
{
	size_t n = 0;
	spin_lock(&s->lock);
	size_t most = terminal_may_take(s, stage) ? min(to.len, (size_t)COPY_MAX) : 0;
	uint32_t taken = s->in_taken;
	for (; n < most && taken != s->in_put; n++)
		to.ptr[n] = s->in[taken++ % SHELL_IN_BYTES];
	__atomic_store_n(&s->in_taken, taken, __ATOMIC_RELAXED);
	spin_unlock(&s->lock);
	return n;
}

void terminal_wait_failed(struct shell_session *s, enum err err)
{
	if (err == ERR_TIMEDOUT && ktime_before(clock_now(), terminal_idle_at(s)))
		return; /* something happened meanwhile */
	s->idle = err == ERR_TIMEDOUT;
	terminal_set_over(s);
}

struct size_result terminal_read(struct shell_session *s, struct shell_stage *stage, struct wbuf to, ktime deadline)
{
	for (;;) {
		if (session_is_over(s) || (stage ? stage_is_cancelled(stage) : terminal_is_interrupted(s)))
			return ERR_RESULT(size_result, ERR_INTR);
		size_t n = terminal_take(s, stage, to);
		if (n > 0)
			return OK_RESULT(size_result, n);
		enum err err = waitq_wait_until(&s->wait,
			session_is_over(s) || (terminal_is_interrupted(s) ? !stage : terminal_has_input(s)), deadline,
			S("terminal"));
		if (err != OK)
			return ERR_RESULT(size_result, err);
	}
}
