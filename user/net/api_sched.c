/* api_sched.c - what /api/stats says of time: what the harts run, how late they were, callouts. Thread context. */
#include "kernel/sched/sched.h"
#include "kernel/time/time.h"
#include "user/net/figures.h"
#include "user/net/web_priv.h"

static void api_sched_hart(struct json_writer *w, uint32_t cpu, const struct sched_cpu_stats *s)
{
	json_object_open(w);
	json_key_u64(w, S("cpu"), cpu);
	json_key_u64(w, S("running_tid"), s->running_tid);
	json_key_str(w, S("running_name"), str_of(s->running_name, s->running_name_len));
	json_key_str(w, S("running_class"), sched_class_name(s->running_class));
	json_key_u64(w, S("running_priority"), s->running_priority);
	json_key_u64(w, S("published_priority"), s->published_priority);
	json_key_i64(w, S("published_waiting"), s->published_waiting);
	json_key_u64(w, S("ready"), s->ready);
	json_key_u64(w, S("load_permille"), s->load_permille);
	json_object_close(w);
}

/* Sums over the harts, and what each of them runs; its own counters are in "cpus". */
void api_sched(struct json_writer *w)
{
	struct sched_cpu_stats s;
	uint64_t switches = 0, preemptions = 0, migrations = 0;
	json_key(w, S("sched"));
	json_object_open(w);
	json_key_u64(w, S("priorities"), PRIO_COUNT);
	json_key(w, S("classes"));
	json_array_open(w);
	for (enum sched_class c = 0; c < SCHED_CLASS_COUNT; c++)
		json_str(w, sched_class_name(c));
	json_array_close(w);
	json_key_i64(w, S("quantum_ns"), CONFIG_SCHED_QUANTUM_US * NS_PER_US);
	json_key_i64(w, S("balance_ns"), CONFIG_SCHED_BALANCE_MS * NS_PER_MS);
	json_key_bool(w, S("invariants"), config_on(CONFIG_DEBUG));
	json_key(w, S("harts"));
	json_array_open(w);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		sched_cpu_stats(cpu, &s);
		api_sched_hart(w, cpu, &s);
		switches += s.switches;
		preemptions += s.preemptions;
		migrations += s.migrations_in;
	}
	json_array_close(w);
	json_key_u64(w, S("switches"), switches);
	json_key_u64(w, S("preemptions"), preemptions);
	json_key_u64(w, S("migrations"), migrations);
	api_deadline(w);
	api_watchdog(w);
	api_latency(w);
	json_object_close(w);
}

static void api_callout_figures(struct json_writer *w, const struct callout_stats *s)
{
	figures_json(w, &figures_callout, s);
	api_histogram(w, S("lateness"), &s->lateness);
}

/* All harts together; of pending_max the largest, since the moments differ. */
static void api_callout_sum(struct json_writer *w, enum callout_kind kind)
{
	struct callout_stats sum = {0};
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct callout_stats s;
		callout_stats(cpu, kind, &s);
		sum.started += s.started;
		sum.expired += s.expired;
		sum.refused += s.refused;
		sum.pending += s.pending;
		sum.pending_max = max(sum.pending_max, s.pending_max);
		sum.longest_ns = max(sum.longest_ns, s.longest_ns);
		histogram_merge(&sum.lateness, &s.lateness);
	}
	json_object_open(w);
	api_callout_figures(w, &sum);
	json_object_close(w);
}

void api_callouts(struct json_writer *w)
{
	json_key(w, S("callouts"));
	json_object_open(w);
	json_key(w, S("hard"));
	api_callout_sum(w, CALLOUT_HARD);
	json_key(w, S("soft"));
	api_callout_sum(w, CALLOUT_SOFT);
	json_key(w, S("harts"));
	json_array_open(w);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		for (enum callout_kind kind = CALLOUT_HARD; kind <= CALLOUT_SOFT; kind++) {
			struct callout_stats s;
			callout_stats(cpu, kind, &s);
			json_object_open(w);
			json_key_u64(w, S("cpu"), cpu);
			json_key_str(w, S("kind"), kind == CALLOUT_HARD ? S("hard") : S("soft"));
			api_callout_figures(w, &s);
			json_object_close(w);
		}
	}
	json_array_close(w);
	json_object_close(w);
}
