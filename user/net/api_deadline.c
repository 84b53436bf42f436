/* api_deadline.c - what /api/stats says of deadlines and domains: promised, kept, held back. Thread context. */
#include "kernel/sched/deadline.h"
#include "user/net/figures.h"
#include "user/net/web_priv.h"

/* The members that a task with a deadline has besides. */
void api_task_deadline(struct json_writer *w, uint32_t tid)
{
	struct deadline_info d;
	if (!deadline_info_find(tid, &d))
		return;
	figures_json(w, &figures_deadline, &d);
	if (d.stats.lateness_max_ns != INT64_MIN) /* there was a job */
		json_key_i64(w, S("lateness_max_ns"), d.stats.lateness_max_ns);
	struct histogram response = deadline_response(&d);
	api_histogram(w, S("response"), &response);
}

void api_task_domain(struct json_writer *w, uint8_t domain)
{
	struct domain_info d;
	if (domain_info(domain, &d))
		json_key_str(w, S("domain"), str_of(d.name, d.name_len));
}

static void api_limits(struct json_writer *w)
{
	struct admission_limits l;
	deadline_limits(&l);
	json_key_i64(w, S("deadline_threads_max"), CONFIG_SCHED_DEADLINE_MAX);
	json_key_i64(w, S("charge_ns"), l.charge_ns);
	json_key_u64(w, S("reserve_permille"), l.reserve_permille);
	json_key_i64(w, S("runtime_least_ns"), l.runtime_least_ns);
	json_key_i64(w, S("period_least_ns"), l.period_least_ns);
	json_key_i64(w, S("period_greatest_ns"), l.period_greatest_ns);
	json_key_u64(w, S("admission_points_max"), l.points_max);
	json_key_i64(w, S("mode_quiet_ns"), CONFIG_SCHED_MODE_QUIET_MS * NS_PER_MS);
}

static void api_admission(struct json_writer *w)
{
	json_key(w, S("admission"));
	json_array_open(w);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct deadline_hart_info h;
		deadline_hart_info(cpu, &h);
		json_object_open(w);
		json_key_u64(w, S("cpu"), cpu);
		json_key_str(w, S("mode"), h.high ? S("high") : S("low"));
		figures_json(w, &figures_admission, &h);
		json_key_u64(w, S("virtual_permille"), h.virtual_scale * 1000 / ADMISSION_X_ONE);
		json_key_i64(w, S("raised_at_ns"), h.raised_at.ns);
		json_object_close(w);
	}
	json_array_close(w);
}

static void api_domain_harts(struct json_writer *w, uint8_t domain)
{
	json_key(w, S("harts"));
	json_array_open(w);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct domain_hart_info h;
		domain_hart_info(domain, cpu, &h);
		json_object_open(w);
		json_key_u64(w, S("cpu"), cpu);
		figures_json(w, &figures_domain, &h);
		json_object_close(w);
	}
	json_array_close(w);
}

static void api_domains(struct json_writer *w)
{
	struct domain_info d;
	json_key(w, S("domains"));
	json_array_open(w);
	for (uint8_t id = 0; domain_info(id, &d); id++) {
		json_object_open(w);
		json_key_str(w, S("name"), str_of(d.name, d.name_len));
		json_key_i64(w, S("budget_ns"), d.attr.budget_ns);
		json_key_i64(w, S("period_ns"), d.attr.period_ns);
		json_key_bool(w, S("low"), d.attr.low);
		json_key_i64(w, S("degraded_ns"), d.attr.degraded_ns);
		api_domain_harts(w, id);
		json_object_close(w);
	}
	json_array_close(w);
}

void api_deadline(struct json_writer *w)
{
	api_limits(w);
	api_admission(w);
	api_domains(w);
}
