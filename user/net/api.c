/* api.c - /api/stats and /api/klog: the kernel's own figures as JSON. Thread context. */
#include "generated/version.h"
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "kernel/time/time.h"
#include "lib/fmt.h"
#include "lib/initcall.h"
#include "user/net/figures.h"
#include "user/net/web_priv.h"

/* Which start of the machine this is: by its uptime alone a client that was away cannot tell. */
static uint64_t api_boot;

static enum err api_init(void)
{
	api_boot = rng_u64();
	return OK;
}
INITCALL(api, api_init, "rng");

uint16_t api_finish(struct json_writer *w)
{
	enum err err = json_finish(w);
	return err == OK || err == ERR_NOSPC ? 200 : 500;
}

static void api_cpus(struct json_writer *w)
{
	json_key(w, S("cpus"));
	json_array_open(w);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct sched_cpu_stats s;
		sched_cpu_stats(cpu, &s);
		json_object_open(w);
		json_key_u64(w, S("id"), cpu);
		figures_json(w, &figures_cpu, &s);
		json_object_close(w);
	}
	json_array_close(w);
}

static void api_task(struct json_writer *w, const struct thread_info *t)
{
	json_object_open(w);
	json_key_u64(w, S("tid"), t->tid);
	json_key_u64(w, S("pid"), t->pid);
	json_key_str(w, S("name"), str_of(t->name, t->name_len));
	json_key_str(w, S("state"), thread_state_name(t));
	json_key_str(w, S("class"), sched_class_name(t->class));
	json_key_u64(w, S("priority"), t->priority);
	json_key_u64(w, S("effective_priority"), t->effective_priority);
	json_key_u64(w, S("cpu"), t->cpu);
	figures_json(w, &figures_task, t);
	json_key_str(w, S("wait"), t->wait);
	api_task_domain(w, t->domain);
	if (t->class == SCHED_DEADLINE)
		api_task_deadline(w, t->tid);
	json_object_close(w);
}

static void api_tasks(struct json_writer *w)
{
	struct thread_info t = {0};
	json_key(w, S("tasks"));
	json_array_open(w);
	while (thread_info_next(t.tid, &t))
		api_task(w, &t);
	json_array_close(w);
}

static void api_pools(struct json_writer *w)
{
	struct pool_stats p;
	json_key(w, S("pools"));
	json_array_open(w);
	for (size_t i = 0; pool_stats_at(i, &p); i++) {
		json_object_open(w);
		json_key_str(w, S("name"), p.name);
		figures_json(w, &figures_pool, &p);
		json_object_close(w);
	}
	json_array_close(w);
}

static void api_memory(struct json_writer *w)
{
	struct mm_stats m;
	struct stack_stats s;
	mm_stats(&m);
	stack_stats(&s);
	json_key(w, S("memory"));
	json_object_open(w);
	figures_json(w, &figures_memory, &m);
	json_key(w, S("stacks"));
	json_object_open(w);
	figures_json(w, &figures_stacks, &s);
	json_object_close(w);
	api_pools(w);
	json_object_close(w);
}

static void api_irqs(struct json_writer *w)
{
	struct irq_stats s;
	json_key(w, S("irqs"));
	json_array_open(w);
	for (size_t i = 0; irq_stats_at(i, &s); i++) {
		uint64_t total = 0;
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			total += s.count[cpu];
		json_object_open(w);
		json_key_u64(w, S("irq"), s.irq);
		json_key_str(w, S("name"), s.name);
		json_key_u64(w, S("count"), total);
		figures_json(w, &figures_irq, &s);
		json_key(w, S("cpu_counts"));
		json_array_open(w);
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			json_u64(w, s.count[cpu]);
		json_array_close(w);
		json_object_close(w);
	}
	json_array_close(w);
}

static void api_security_irqs(struct json_writer *w)
{
	struct irq_stats s;
	uint64_t storms = 0, unclaimed = 0;
	for (size_t i = 0; irq_stats_at(i, &s); i++)
		storms += s.storms;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct irq_spurious i;
		irq_spurious_stats(cpu, &i);
		unclaimed += i.unclaimed;
	}
	json_key_u64(w, S("irq_storms"), storms);
	json_key_u64(w, S("irq_unclaimed"), unclaimed);
}

static void api_security(struct json_writer *w)
{
	struct arch_rights rights;
	struct stack_stats stacks;
	arch_rights(&rights);
	stack_stats(&stacks);
	json_key(w, S("security"));
	json_object_open(w);
	json_key_bool(w, S("wx"), rights.writable_executable_bytes == 0);
	json_key_u64(w, S("writable_executable_bytes"), rights.writable_executable_bytes);
	json_key_u64(w, S("executable_bytes"), rights.executable_bytes);
	json_key_u64(w, S("read_only_bytes"), rights.read_only_bytes);
	/* One below each stack, those on which the harts began among them. */
	json_key_u64(w, S("guard_pages"), stacks.total + cpu_count());
	json_key_bool(w, S("stack_protector"), config_on(CONFIG_STACKPROTECTOR));
	api_security_irqs(w);
	api_net_security(w);
	json_key_bool(w, S("token_required"), web_access_is_on());
	json_key_u64(w, S("refused_host"), web_counter(WEB_REFUSED_HOST));
	json_key_u64(w, S("refused_origin"), web_counter(WEB_REFUSED_ORIGIN));
	json_key_u64(w, S("refused_cross_site"), web_counter(WEB_REFUSED_SITE));
	json_key_u64(w, S("refused_token"), web_counter(WEB_REFUSED_TOKEN));
	json_key_u64(w, S("refused_token_rate"), web_counter(WEB_REFUSED_RATE));
	json_key_u64(w, S("token_wrong"), web_counter(WEB_TOKEN_WRONG));
	json_object_close(w);
}

static void api_boot_id(struct json_writer *w)
{
	char bytes[16];
	struct abuf id = abuf_of(bytes, sizeof(bytes));
	fmt(&id, "%016llx", (unsigned long long)api_boot);
	json_key_str(w, S("boot_id"), abuf_str(&id)); /* no number: it has more bits than a double */
}

uint16_t api_stats(unused const struct http_request *req, struct abuf *out)
{
	struct json_writer w;
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key_i64(&w, S("uptime_ns"), clock_now().ns);
	json_key_str(&w, S("version"), S(MAZU_VERSION));
	api_boot_id(&w);
	api_cpus(&w);
	api_tasks(&w);
	api_memory(&w);
	api_irqs(&w);
	api_sched(&w);
	api_callouts(&w);
	api_locks(&w);
	json_key(&w, S("net"));
	json_object_open(&w);
	api_interfaces(&w);
	api_net_counters(&w);
	json_object_close(&w);
	json_key(&w, S("http"));
	json_object_open(&w);
	web_stats_json(&w);
	json_object_close(&w);
	api_security(&w);
	json_object_close(&w);
	return api_finish(&w);
}

bool api_number(const struct http_request *req, struct str name, uint64_t otherwise, uint64_t *out)
{
	char bytes[24];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	enum err err = http_query_param(req->query, name, &text);
	*out = otherwise;
	if (err == ERR_NOENT)
		return true;
	struct u64_result n = str_to_u64(abuf_str(&text), 10);
	*out = n.value;
	return err == OK && n.err == OK;
}

bool api_level(const struct http_request *req, enum log_level *out)
{
	char bytes[8];
	struct abuf text = abuf_of(bytes, sizeof(bytes));
	enum err err = http_query_param(req->query, S("level"), &text);
	*out = LOG_DEBUG;
	if (err == ERR_NOENT)
		return true;
	for (enum log_level l = LOG_ERR; err == OK && l <= LOG_DEBUG; l++) {
		if (str_eq(log_level_name(l), abuf_str(&text))) {
			*out = l;
			return true;
		}
	}
	return false;
}

void api_klog_entry(struct json_writer *w, const struct klog_entry *e)
{
	json_object_open(w);
	json_key_u64(w, S("seq"), e->seq);
	json_key_i64(w, S("time_ns"), e->time.ns);
	json_key_u64(w, S("cpu"), e->cpu);
	json_key_str(w, S("level"), log_level_name(e->level));
	json_key_str(w, S("text"), str_of(e->text, e->len));
	json_object_close(w);
}

uint16_t api_klog(const struct http_request *req, struct abuf *out)
{
	struct json_writer w;
	struct klog_entry e;
	enum log_level level;
	uint64_t since;
	if (!api_number(req, S("since"), 0, &since) || !api_level(req, &level))
		return 400;
	json_write_to_buf(&w, out);
	json_object_open(&w);
	json_key(&w, S("entries"));
	json_array_open(&w);
	/* What is logged meanwhile comes with the next request: the walk has an end. */
	for (uint64_t last = klog_last_seq(); klog_read(since, level, &e) && e.seq <= last; since = e.seq)
		api_klog_entry(&w, &e);
	json_array_close(&w);
	json_object_close(&w);
	return api_finish(&w);
}
