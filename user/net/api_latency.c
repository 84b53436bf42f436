/* api_latency.c - what /api/stats says of who kept others waiting, with what, and for how long. Thread context. */
#include "kernel/diag/diag.h"
#include "kernel/lock/lock.h"
#include "kernel/sched/sched.h"
#include "user/net/figures.h"
#include "user/net/web_priv.h"

/* le_ns is where each bucket ends, but for the last one, which has no end. */
static void api_histogram_members(struct json_writer *w, const struct histogram *h)
{
	json_key(w, S("le_ns"));
	json_array_open(w);
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++)
		json_i64(w, histogram_le_ns(i));
	json_array_close(w);
	json_key(w, S("count"));
	json_array_open(w);
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		json_u64(w, h->count[i]);
	json_array_close(w);
	json_key_i64(w, S("max_ns"), h->max_ns);
	json_key_u64(w, S("total"), histogram_total(h));
}

void api_histogram(struct json_writer *w, struct str name, const struct histogram *h)
{
	json_key(w, name);
	json_object_open(w);
	api_histogram_members(w, h);
	json_object_close(w);
}

/* Null where it is not known. */
static void api_where(struct json_writer *w, struct str name, uintptr_t at)
{
	uint8_t text[128];
	struct abuf out = abuf_of(text, sizeof(text));
	json_key(w, name);
	if (at) {
		symbol_describe_return(at, &out);
		json_str(w, abuf_str(&out));
	} else {
		json_null(w);
	}
}

void api_watchdog(struct json_writer *w)
{
	struct watchdog_limits l;
	watchdog_get_limits(&l);
	json_key(w, S("watchdog"));
	json_object_open(w);
	json_key_i64(w, S("thread_ns"), l.thread_ns);
	json_key_i64(w, S("beat_ns"), l.beat_ns);
	json_key_u64(w, S("hart_beats"), l.hart_beats);
	json_key_i64(w, S("irqs_off_ns"), l.irqs_off_ns);
	json_key_i64(w, S("preempt_off_ns"), l.preempt_off_ns);
	json_key_bool(w, S("panics"), l.panics);
	json_key(w, S("reports"));
	json_array_open(w);
	for (enum watchdog_kind kind = 0; kind < WATCHDOG_KINDS; kind++) {
		struct watchdog_stats s;
		watchdog_stats(kind, &s);
		json_object_open(w);
		json_key_str(w, S("kind"), watchdog_name(kind));
		json_key_u64(w, S("count"), s.count);
		json_key_u64(w, S("logged"), s.written);
		json_key_i64(w, S("last_at_ns"), s.last_at.ns);
		json_key_i64(w, S("last_ns"), s.last_ns);
		json_key_u64(w, S("last_cpu"), s.last_cpu);
		json_key_u64(w, S("last_tid"), s.last_tid);
		json_key_str(w, S("last_name"), str_of(s.last_name, s.last_name_len));
		api_where(w, S("last_where"), s.last_pc);
		json_object_close(w);
	}
	json_array_close(w);
	json_object_close(w);
}

/* A histogram for each hart and kind, and the longest one's circumstances. */
void api_latency(struct json_writer *w)
{
	json_key(w, S("latency"));
	json_array_open(w);
	for (enum latency_kind kind = 0; kind < LATENCY_KINDS; kind++)
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
			struct latency_stats s;
			latency_stats(cpu, kind, &s);
			json_object_open(w);
			json_key_str(w, S("kind"), latency_name(kind));
			json_key_u64(w, S("cpu"), cpu);
			api_histogram_members(w, &s.ns);
			json_key_i64(w, S("max_at_ns"), s.longest.when.ns);
			json_key_u64(w, S("max_tid"), s.longest.tid);
			json_key_str(w, S("max_name"), str_of(s.longest.name, s.longest.name_len));
			api_where(w, S("max_where"), s.longest.at);
			json_object_close(w);
		}
	json_array_close(w);
}

static void api_longest(struct json_writer *w, struct str name, const struct lock_longest *l)
{
	json_key(w, name);
	json_object_open(w);
	json_key_i64(w, S("max_ns"), l->ns);
	json_key_u64(w, S("max_tid"), l->tid);
	json_key_str(w, S("max_name"), str_of(l->name, l->name_len));
	api_where(w, S("max_where"), l->at);
	json_object_close(w);
}

/* "hold" and "acquired" only where they are measured. */
void api_locks(struct json_writer *w)
{
	struct lock_stats s;
	json_key(w, S("locks"));
	json_array_open(w);
	for (size_t i = 0; lock_stats_at(i, &s); i++) {
		json_object_open(w);
		json_key_str(w, S("class"), s.name);
		figures_json(w, &figures_lock, &s);
		api_longest(w, S("wait"), &s.wait);
		if (s.holds) {
			json_key_u64(w, S("acquired"), s.acquired);
			api_longest(w, S("hold"), &s.hold);
		}
		json_object_close(w);
	}
	json_array_close(w);
}
