/*
 * tcp_sim.c - two TCP cores, a bad link between them, virtual time.
 *
 * Each seed draws a pair of configurations and a link that loses, repeats,
 * reorders, corrupts, delays and limits; both ends send SIM_BYTES to each other
 * through real headers and checksums. Checked: every byte arrives once and in
 * order; nothing is sent beyond the offered window (but one octet of probe) and
 * nothing kept outside of it; both ends come to CLOSED within bounded virtual
 * time; an aborted connection ends at both sides.
 *
 *	SIM_SEEDS=N	how many seeds (1,000), from SEED on (test_seed)
 *	SIM_BYTES=N	bytes in each direction (1 MB)
 *	SIM_BIG=N	then N seeds with 100 MB (2)
 *	SIM_ONE=S	only seed S, with its outcome printed
 *	SIM_TRACE=1	every segment sent
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/net/tcp/tcp_timewait.h"
#include "tests/host/test.h"

#define PATTERN     65521 /* a prime: no alignment repeats */
#define FRAME_MAX   1600
#define HEAP_MAX    8192
#define VIRTUAL_MAX (INT64_C(20000) * NS_PER_S)

struct frame {
	ktime at;
	uint64_t order;
	int to;
	uint32_t len;
	struct frame *next;
	uint8_t bytes[FRAME_MAX];
};

struct link {
	int64_t delay_ns, jitter_ns;
	uint64_t bytes_per_s;
	uint32_t loss, dup, corrupt, reorder; /* of 10,000 */
	ktime busy_until;
};

struct end {
	struct tcp_core c;
	struct tcp_timewait tw;
	bool open, in_tw, sent_all, saw_eof, closed_by_us;
	uint64_t to_send, queued, acked; /* stream positions of what we send */
	uint64_t ready, read, expect;    /* of what we receive */
	uint32_t snd_buf, ring_bytes;
	uint8_t *ring;
	ktime stalled_until;
	uint32_t stall_chance, read_max;
	bool half_close;
};

struct sim {
	uint64_t seed;
	struct test_rng rng;
	ktime now;
	struct end e[2];
	struct link link[2]; /* [i]: towards end i */
	struct frame *heap[HEAP_MAX];
	uint32_t heap_n;
	uint64_t order, frames, events, abort_at;
	bool aborted;
};

static uint8_t pattern[2][PATTERN + FRAME_MAX];
static struct frame *spare;
static bool trace;

noreturn static void sim_fail(const struct sim *s, const char *what, int line)
{
	for (int i = 0; i < 2; i++) {
		const struct tcp_core *c = &s->e[i].c;
		struct str st = tcp_state_name(c->state);
		printf("end %d: %.*s err %d una+%u nxt+%u max+%u end+%u wnd %u cwnd %u adv %d unread %u "
		       "queued %llu ready %llu read %llu of %llu\n", i, STR_ARG(st), c->error,
			c->snd_una.v - c->iss.v, c->snd_nxt.v - c->iss.v, c->snd_max.v - c->iss.v,
			c->snd_end.v - c->iss.v, c->snd_wnd, c->cc.cwnd,
			seq_diff(c->rcv_adv, c->rcv_nxt), c->unread,
			(unsigned long long)s->e[i].queued, (unsigned long long)s->e[i].ready,
			(unsigned long long)s->e[i].read, (unsigned long long)s->e[i].expect);
	}
	printf("at %lld ms, %llu events; repeat: SIM_ONE=%llu\n", (long long)(s->now.ns / NS_PER_MS),
		(unsigned long long)s->events, (unsigned long long)s->seed);
	test_fail(__FILE__, line, "%s", what);
}
#define SIM(s, cond)                                                                               \
	do {                                                                                       \
		if (!(cond))                                                                       \
			sim_fail(s, #cond, __LINE__);                                              \
	} while (0)

/* ---- frames, ordered by time ---- */

static bool frame_before(const struct frame *a, const struct frame *b)
{
	return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->order < b->order;
}

static void heap_push(struct sim *s, struct frame *f)
{
	SIM(s, s->heap_n < HEAP_MAX);
	uint32_t i = s->heap_n++;
	f->order = s->order++;
	for (; i > 0 && frame_before(f, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = f;
}

static struct frame *heap_pop(struct sim *s)
{
	struct frame *top = s->heap[0], *f = s->heap[--s->heap_n];
	uint32_t i = 0;
	for (;;) {
		uint32_t k = 2 * i + 1;
		if (k >= s->heap_n)
			break;
		if (k + 1 < s->heap_n && frame_before(s->heap[k + 1], s->heap[k]))
			k++;
		if (!frame_before(s->heap[k], f))
			break;
		s->heap[i] = s->heap[k];
		i = k;
	}
	s->heap[i] = f;
	return top;
}

static struct frame *frame_get(void)
{
	struct frame *f = spare;
	if (f)
		spare = f->next;
	else
		f = malloc(sizeof(*f));
	return f;
}

static void frame_put(struct frame *f)
{
	f->next = spare;
	spare = f;
}

static uint16_t checksum(const uint8_t *p, uint32_t len)
{
	uint64_t sum = len;
	while (len >= 4) {
		uint32_t w;
		memcpy(&w, p, 4);
		sum += w;
		p += 4;
		len -= 4;
	}
	uint32_t last = 0;
	memcpy(&last, p, len);
	sum += last;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return __builtin_bswap16((uint16_t)~sum);
}

static bool chance(struct sim *s, uint32_t of_10000)
{
	return of_10000 && test_below(&s->rng, 10000) < of_10000;
}

/* ---- the link ---- */

static void link_schedule(struct sim *s, struct frame *f)
{
	struct link *l = &s->link[f->to];
	ktime start = ktime_max(s->now, l->busy_until);
	l->busy_until = ktime_add(start, (int64_t)((f->len + 40) * (uint64_t)NS_PER_S / l->bytes_per_s));
	f->at = ktime_add(l->busy_until, l->delay_ns);
	if (chance(s, l->reorder))
		f->at = ktime_add(f->at, (int64_t)test_below(&s->rng, (uint64_t)l->jitter_ns + 1));
	heap_push(s, f);
}

static void link_send(struct sim *s, struct frame *f)
{
	struct link *l = &s->link[f->to];
	s->frames++;
	if (s->heap_n > HEAP_MAX - 4 || chance(s, l->loss) ||
		ktime_diff(l->busy_until, s->now) > NS_PER_S) { /* a queue of a second */
		frame_put(f);
		return;
	}
	if (chance(s, l->dup)) {
		struct frame *copy = frame_get();
		memcpy(copy, f, sizeof(*f));
		link_schedule(s, copy);
	}
	if (chance(s, l->corrupt))
		f->bytes[test_below(&s->rng, f->len)] ^= (uint8_t)(1 + test_below(&s->rng, 255));
	link_schedule(s, f);
}

/* ---- an end ---- */

/* Nothing new beyond what the other end has offered, but for one octet. */
static void check_window(struct sim *s, int i, const struct tcp_seg *seg)
{
	const struct end *e = &s->e[i], *o = &s->e[!i];
	if (!o->open || o->c.state < TCP_ESTABLISHED || e->c.state < TCP_ESTABLISHED ||
		seg->flags & TCP_RST)
		return;
	uint32_t space = tcp_seg_space(seg);
	int32_t beyond = seq_diff(seq_add(seg->seq, space), o->c.rcv_adv);
	SIM(s, space == 0 || beyond <= 0 || (space == 1 && beyond == 1));
	SIM(s, seg->len <= e->c.mss);
}

static void end_transmit(struct sim *s, int i, const struct tcp_seg *seg)
{
	struct end *e = &s->e[i];
	struct frame *f = frame_get();
	struct tcp_seg tx = *seg;
	tx.src_port = (uint16_t)(1000 + i);
	tx.dst_port = (uint16_t)(1000 + !i);
	check_window(s, i, &tx);
	if (trace)
		printf("%lld us %d: seq+%u ack+%u len %u wnd %u flags %x\n",
			(long long)(s->now.ns / NS_PER_US), i, tx.seq.v - e->c.iss.v,
			tx.ack.v - e->c.irs.v, tx.len, tx.wnd, tx.flags);
	size_t h = tcp_wire_build(wbuf_of(f->bytes, sizeof(f->bytes)), &tx);
	SIM(s, h + tx.len <= FRAME_MAX && tx.off + tx.len <= e->queued - e->acked);
	memcpy(f->bytes + h, &pattern[i][(e->acked + tx.off) % PATTERN], tx.len);
	f->len = (uint32_t)h + tx.len;
	tcp_wire_set_checksum(f->bytes, checksum(f->bytes, f->len));
	f->to = !i;
	link_send(s, f);
}

static void end_events(struct sim *s, int i, const struct tcp_out *out)
{
	struct end *e = &s->e[i];
	e->acked += out->acked;
	SIM(s, e->acked <= e->queued);
	e->ready += out->readable;
	SIM(s, e->ready - e->read <= e->ring_bytes);
	if (out->events & TCP_EV_PEER_CLOSED) {
		e->saw_eof = true;
		SIM(s, s->abort_at || e->ready == e->expect);
	}
	if (out->send)
		end_transmit(s, i, &out->tx);
	if (out->events & TCP_EV_TIME_WAIT) {
		/* its last ACK first: the record knows only what the core has sent */
		tcp_timewait_start(&e->tw, &e->c, s->now);
		e->in_tw = true;
	}
	if (out->events & TCP_EV_CLOSED) {
		e->open = false;
		SIM(s, s->abort_at || e->c.error == OK);
	}
}

static void end_poll(struct sim *s, int i)
{
	struct tcp_out out;
	int bound = 20000;
	if (!s->e[i].open)
		return;
	do {
		tcp_poll(&s->e[i].c, s->now, &out);
		end_events(s, i, &out);
		SIM(s, --bound > 0);
	} while (out.send);
	SIM(s, !s->e[i].open || ktime_before(s->now, tcp_deadline(&s->e[i].c)));
}

static void end_keep(struct sim *s, int i, const uint8_t *payload, const struct tcp_out *out)
{
	struct end *e = &s->e[i];
	uint64_t at = e->ready + out->data_pos;
	SIM(s, at + out->data_len <= e->read + e->ring_bytes);
	for (uint32_t done = 0; done < out->data_len;) {
		uint32_t k = (uint32_t)((at + done) % e->ring_bytes);
		uint32_t n = min(out->data_len - done, e->ring_bytes - k);
		memcpy(e->ring + k, payload + out->data_skip + done, n);
		done += n;
	}
}

static void end_receive(struct sim *s, struct frame *f)
{
	int i = f->to;
	struct end *e = &s->e[i];
	struct tcp_seg seg, reply;
	struct tcp_out out;
	if (checksum(f->bytes, f->len) != 0)
		return;
	SIM(s, tcp_wire_parse(rbuf_of(f->bytes, f->len), f->len, &seg) == OK);
	if (e->in_tw) {
		if (tcp_timewait_input(&e->tw, &seg, s->now, &reply) == TCP_TW_ACK)
			end_transmit(s, i, &reply);
	} else if (e->open) {
		seg.no_room = chance(s, 20);
		tcp_input(&e->c, &seg, s->now, &out);
		SIM(s, out.data_skip + out.data_len <= seg.len);
		end_keep(s, i, f->bytes + seg.off, &out);
		end_events(s, i, &out);
	} else if (tcp_reset_reply(&seg, &reply)) {
		end_transmit(s, i, &reply);
	}
}

/* ---- the programs at both ends ---- */

static void app_write(struct sim *s, int i)
{
	struct end *e = &s->e[i];
	uint64_t room = e->snd_buf - (e->queued - e->acked);
	uint64_t n = min(e->to_send - e->queued, room);
	if (n && !e->sent_all && chance(s, 7000)) {
		n = 1 + test_below(&s->rng, n);
		e->queued += n;
		enum err r = tcp_user_send(&e->c, (uint32_t)n, chance(s, 1000), s->now);
		SIM(s, r == OK);
	}
	if (e->queued == e->to_send && !e->sent_all) {
		struct tcp_out out;
		e->sent_all = true;
		SIM(s, tcp_user_shutdown(&e->c, s->now, &out) == OK);
		end_events(s, i, &out);
	}
}

static void app_read(struct sim *s, int i)
{
	struct end *e = &s->e[i];
	if (ktime_before(s->now, e->stalled_until))
		return;
	uint32_t n = (uint32_t)min(e->ready - e->read, (uint64_t)e->read_max);
	uint32_t left = n;
	while (left) {
		uint32_t k = (uint32_t)(e->read % e->ring_bytes);
		uint32_t part = min(left, e->ring_bytes - k);
		part = min(part, (uint32_t)FRAME_MAX);
		SIM(s, memcmp(e->ring + k, &pattern[!i][e->read % PATTERN], part) == 0);
		e->read += part;
		left -= part;
	}
	tcp_user_recv(&e->c, n);
	if (n && chance(s, e->stall_chance))
		e->stalled_until = ktime_add(s->now, (int64_t)test_below(&s->rng, 20 * NS_PER_S));
}

static void app_run(struct sim *s, int i)
{
	struct end *e = &s->e[i];
	struct tcp_out out;
	app_read(s, i);
	if (!e->open)
		return;
	if (s->abort_at && i == 0 && e->read + e->queued >= s->abort_at) {
		s->aborted = true;
		tcp_user_abort(&e->c, s->now, &out);
		end_events(s, i, &out);
		return;
	}
	if (!tcp_is_done(&e->c))
		app_write(s, i);
	if (e->sent_all && e->saw_eof && e->read == e->ready && !e->closed_by_us) {
		e->closed_by_us = true;
		tcp_user_close(&e->c, s->now, &out);
		end_events(s, i, &out);
	}
}

/* ---- a run ---- */

static uint32_t pick(struct sim *s, const uint32_t *of, uint32_t n)
{
	return of[test_below(&s->rng, n)];
}
#define CHOOSE(s, ...)                                                                               \
	pick(s, (const uint32_t[]){__VA_ARGS__}, countof(((const uint32_t[]){__VA_ARGS__})))

static struct tcp_config end_config(struct sim *s)
{
	uint32_t mss = CHOOSE(s, 100, 536, 1000, 1460, 1460, 1460);
	uint32_t buf = CHOOSE(s, 2048, 4096, 16384, 65535, 65536, 262144, 1048576);
	return (struct tcp_config){
		.cong = &tcp_cong_reno,
		.mss = (uint16_t)mss,
		.rcv_buf = buf > 2 * mss ? buf : 2 * mss,
		.no_delay = chance(s, 5000),
		.no_ts = chance(s, 3000),
		.no_scale = chance(s, 3000),
		.keep_idle_ns = s->abort_at ? 100 * NS_PER_S : 0,
		.keep_interval_ns = 10 * NS_PER_S,
		.keep_count = 10,
		.user_timeout_ns = 100000 * NS_PER_S,
		.orphan_ns = 100000 * NS_PER_S,
		.ts_offset = (uint32_t)test_u64(&s->rng),
	};
}

static tcp_seq end_iss(struct sim *s)
{
	uint32_t near = (uint32_t)-(int32_t)test_below(&s->rng, 100000);
	return (tcp_seq){chance(s, 5000) ? near : (uint32_t)test_u64(&s->rng)};
}

static void sim_links(struct sim *s, bool clean)
{
	for (int i = 0; i < 2; i++) {
		struct link *l = &s->link[i];
		l->delay_ns = (int64_t)CHOOSE(s, 50, 1000, 10000, 50000) * NS_PER_US;
		l->jitter_ns = (int64_t)CHOOSE(s, 100, 2000, 30000) * NS_PER_US;
		l->bytes_per_s = CHOOSE(s, 200000, 1000000, 12500000, 125000000);
		l->loss = clean ? CHOOSE(s, 0, 1, 5) : CHOOSE(s, 0, 0, 10, 100, 300, 1000);
		l->dup = CHOOSE(s, 0, 0, 50, 500);
		l->corrupt = clean ? 1 : CHOOSE(s, 0, 0, 10, 200);
		l->reorder = clean ? CHOOSE(s, 0, 10) : CHOOSE(s, 0, 0, 100, 2000);
	}
}

static void sim_start(struct sim *s, uint64_t bytes, bool big)
{
	uint32_t kind = (uint32_t)test_below(&s->rng, 10);
	s->now = (ktime){(int64_t)test_below(&s->rng, 1000000) * NS_PER_S};
	if (kind == 0 && !big)
		s->abort_at = 1 + test_below(&s->rng, 2 * bytes);
	sim_links(s, big);
	for (int i = 0; i < 2; i++) {
		struct end *e = &s->e[i];
		struct tcp_config cfg = end_config(s);
		if (big) {
			cfg.mss = 1460;
			cfg.rcv_buf = 262144 + 1000 * (uint32_t)i;
		}
		e->to_send = s->e[!i].expect = bytes;
		e->snd_buf = big ? 262144 : CHOOSE(s, 1000, 8192, 65536, 300000);
		e->ring_bytes = cfg.rcv_buf;
		e->ring = malloc(e->ring_bytes);
		e->read_max = CHOOSE(s, 100, 5000, 1u << 30);
		e->stall_chance = CHOOSE(s, 0, 0, 1, 20) / (big ? 20 : 1);
		e->open = true;
		if (i == 0 || kind == 1) /* 1: both open at once */
			tcp_open_active(&e->c, &cfg, end_iss(s), s->now);
		else
			tcp_open_passive(&e->c, &cfg, end_iss(s), s->now);
	}
	if (big) {
		s->link[0].bytes_per_s = s->link[1].bytes_per_s = 125000000;
		s->e[0].read_max = s->e[1].read_max = 1u << 30;
	}
}

static ktime sim_next(const struct sim *s)
{
	ktime t = s->heap_n ? s->heap[0]->at : KTIME_NEVER;
	for (int i = 0; i < 2; i++) {
		const struct end *e = &s->e[i];
		if (e->open)
			t = ktime_min(t, tcp_deadline(&e->c));
		if (e->in_tw)
			t = ktime_min(t, e->tw.expires);
		if ((e->open || e->read < e->ready) && ktime_before(s->now, e->stalled_until))
			t = ktime_min(t, e->stalled_until);
		/* the programs look again after a while, as they hesitate at random */
		bool work = e->read < e->ready || (e->open && e->queued < e->to_send &&
			e->c.state >= TCP_ESTABLISHED);
		if (work && !ktime_before(s->now, e->stalled_until))
			t = ktime_min(t, ktime_add(s->now, NS_PER_MS));
	}
	return t;
}

static void sim_step(struct sim *s)
{
	ktime next = s->events ? sim_next(s) : s->now; /* the first step opens */
	SIM(s, !ktime_is_never(next));
	s->now = ktime_max(s->now, next);
	s->events++;
	while (s->heap_n && !ktime_before(s->now, s->heap[0]->at)) {
		struct frame *f = heap_pop(s);
		end_receive(s, f);
		frame_put(f);
	}
	for (int i = 0; i < 2; i++) {
		struct end *e = &s->e[i];
		if ((e->open && (e->c.state >= TCP_ESTABLISHED || e->c.state == TCP_SYN_SENT)) ||
			e->read < e->ready)
			app_run(s, i);
		end_poll(s, i);
		if (e->in_tw && !ktime_before(s->now, e->tw.expires))
			e->in_tw = e->open = false;
	}
}

static bool sim_lives(const struct sim *s)
{
	/* A listener whose peer aborted before its SYN came is no connection. */
	bool waiting = s->aborted && s->e[1].open && s->e[1].c.state == TCP_LISTEN && !s->heap_n;
	bool unread = s->e[0].read < s->e[0].ready || s->e[1].read < s->e[1].ready;
	return (s->e[0].open || s->e[1].open || unread) && !waiting;
}

static void sim_run(uint64_t seed, uint64_t bytes, bool big)
{
	static struct sim s;
	s = (struct sim){.seed = seed, .rng = test_rng(seed)};
	sim_start(&s, bytes, big);
	ktime began = s.now;
	while (sim_lives(&s)) {
		sim_step(&s);
		SIM(&s, ktime_diff(s.now, began) < VIRTUAL_MAX);
	}
	for (int i = 0; i < 2; i++) {
		if (!s.abort_at) {
			SIM(&s, s.e[i].read == bytes && s.e[i].queued == bytes && s.e[i].acked == bytes);
			SIM(&s, s.e[i].c.tx_bytes == bytes && s.e[i].c.rx_bytes == bytes);
		}
		free(s.e[i].ring);
	}
	if (getenv("SIM_ONE") || getenv("SIM_VERBOSE"))
		printf("seed %llu: %llu events, %llu frames, %lld ms%s, resent %u %u\n",
			(unsigned long long)seed, (unsigned long long)s.events,
			(unsigned long long)s.frames,
			(long long)(ktime_diff(s.now, began) / NS_PER_MS), s.aborted ? ", aborted" : "",
			s.e[0].c.retransmits, s.e[1].c.retransmits);
	while (s.heap_n)
		frame_put(heap_pop(&s));
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);
	return v ? strtoull(v, NULL, 0) : otherwise;
}

static void make_patterns(void)
{
	struct test_rng r = test_rng(42);
	for (int d = 0; d < 2; d++) {
		for (int i = 0; i < PATTERN; i++)
			pattern[d][i] = (uint8_t)test_u64(&r);
		memcpy(pattern[d] + PATTERN, pattern[d], FRAME_MAX);
	}
}

static void drop_spares(void)
{
	while (spare) {
		struct frame *f = spare;
		spare = f->next;
		free(f);
	}
}

TEST(tcp_link_bytes_exact)
{
	make_patterns();
	trace = getenv("SIM_TRACE");
	uint64_t bytes = setting("SIM_BYTES", 1000000);
	if (getenv("SIM_ONE")) {
		sim_run(setting("SIM_ONE", 0), bytes, false);
	} else {
		uint64_t n = setting("SIM_SEEDS", 1000), first = test_seed() % 1000000;
		for (uint64_t i = 0; i < n; i++)
			sim_run(first + i, bytes, false);
	}
	drop_spares();
}

TEST(tcp_link_bytes_exact_100_mb)
{
	make_patterns();
	for (uint64_t i = 0; i < setting("SIM_BIG", 2); i++)
		sim_run(test_seed() % 1000000 + i, 100000000, true);
	drop_spares();
}
