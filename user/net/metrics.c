/*
 * metrics.c - /metrics: the figures of /api/stats for Prometheus. Thread context.
 *
 * The format wants all samples of a metric together, so each metric is a walk of its own over the rows that have
 * it: harts, threads, pools. A row is filled from the same sources as the documents of /api, and its members are
 * described in figures.c; a count and its buckets come from one look.
 */
#include "generated/version.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/sched/deadline.h"
#include "kernel/time/time.h"
#include "lib/assert.h"
#include "lib/fmt.h"
#include "user/net/figures.h"
#include "user/net/web_priv.h"

#define METRICS_NAME_MAX 96

/* One row of a walk. All zero before the first. */
struct metrics_row {
	union {
		struct sched_cpu_stats cpu;
		struct latency_stats latency;
		struct watchdog_stats watchdog;
		struct thread_info task;
		struct deadline_hart_info admission;
		struct domain_hart_info domain;
		struct callout_stats callout;
		struct lock_stats lock;
		struct irq_stats irq;
		struct mm_stats memory;
		struct stack_stats stacks;
		struct pool_stats pool;
		struct netdev_stats netdev;
		struct tcp_stats tcp;
	} stats;
	struct deadline_info deadline; /* beside its task, by which the walk goes on */
	struct domain_info domain_info;
	struct metrics_labels labels;
	size_t texts;
	char text[2][24];
};

/* Fills the i-th; false: there is none. */
typedef bool metrics_row_fn(size_t i, struct metrics_row *r);

static void metrics_label(struct metrics_row *r, struct str name, struct str value)
{
	assert(r->labels.n < METRICS_LABELS_MAX);
	r->labels.of[r->labels.n++] = (struct metrics_label){name, value};
}

static void metrics_label_u64(struct metrics_row *r, struct str name, uint64_t value)
{
	assert(r->texts < countof(r->text));
	struct abuf text = abuf_of(r->text[r->texts], sizeof(r->text[0]));
	r->texts++;
	fmt_u64(&text, value);
	metrics_label(r, name, abuf_str(&text));
}

static bool metrics_next(metrics_row_fn *row, size_t i, struct metrics_row *r)
{
	r->labels.n = r->texts = 0;
	return row(i, r);
}

/* --- rows --- */

static bool metrics_one(size_t i, unused struct metrics_row *r)
{
	return i == 0;
}

static bool metrics_cpu(size_t i, struct metrics_row *r)
{
	if (i >= cpu_count())
		return false;
	sched_cpu_stats((uint32_t)i, &r->stats.cpu);
	metrics_label_u64(r, S("cpu"), i);
	return true;
}

static bool metrics_admission(size_t i, struct metrics_row *r)
{
	if (i >= cpu_count())
		return false;
	deadline_hart_info((uint32_t)i, &r->stats.admission);
	metrics_label_u64(r, S("cpu"), i);
	return true;
}

static bool metrics_latency(size_t i, struct metrics_row *r)
{
	enum latency_kind kind = i / cpu_count();
	if (kind >= LATENCY_KINDS)
		return false;
	latency_stats(i % cpu_count(), kind, &r->stats.latency);
	metrics_label(r, S("kind"), latency_name(kind));
	metrics_label_u64(r, S("cpu"), i % cpu_count());
	return true;
}

static bool metrics_callout(size_t i, struct metrics_row *r)
{
	enum callout_kind kind = i / cpu_count();
	if (kind > CALLOUT_SOFT)
		return false;
	callout_stats(i % cpu_count(), kind, &r->stats.callout);
	metrics_label(r, S("kind"), kind == CALLOUT_HARD ? S("hard") : S("soft"));
	metrics_label_u64(r, S("cpu"), i % cpu_count());
	return true;
}

static bool metrics_domain(size_t i, struct metrics_row *r)
{
	uint8_t domain = (uint8_t)(i / cpu_count());
	if (!domain_info(domain, &r->domain_info))
		return false;
	domain_hart_info(domain, i % cpu_count(), &r->stats.domain);
	metrics_label(r, S("domain"), str_of(r->domain_info.name, r->domain_info.name_len));
	metrics_label_u64(r, S("cpu"), i % cpu_count());
	return true;
}

static void metrics_label_task(struct metrics_row *r)
{
	metrics_label(r, S("thread"), str_of(r->stats.task.name, r->stats.task.name_len));
	metrics_label_u64(r, S("tid"), r->stats.task.tid);
}

static bool metrics_task(unused size_t i, struct metrics_row *r)
{
	if (!thread_info_next(r->stats.task.tid, &r->stats.task))
		return false;
	metrics_label_task(r);
	return true;
}

static bool metrics_deadline(unused size_t i, struct metrics_row *r)
{
	do {
		if (!thread_info_next(r->stats.task.tid, &r->stats.task))
			return false;
	} while (!deadline_info_find(r->stats.task.tid, &r->deadline));
	metrics_label_task(r);
	return true;
}

static bool metrics_watchdog(size_t i, struct metrics_row *r)
{
	if (i >= WATCHDOG_KINDS)
		return false;
	watchdog_stats((enum watchdog_kind)i, &r->stats.watchdog);
	metrics_label(r, S("kind"), watchdog_name((enum watchdog_kind)i));
	return true;
}

static bool metrics_lock(size_t i, struct metrics_row *r)
{
	if (!lock_stats_at(i, &r->stats.lock))
		return false;
	metrics_label(r, S("class"), r->stats.lock.name);
	return true;
}

static bool metrics_irq(size_t i, struct metrics_row *r)
{
	if (!irq_stats_at(i, &r->stats.irq))
		return false;
	metrics_label(r, S("name"), r->stats.irq.name);
	metrics_label_u64(r, S("irq"), r->stats.irq.irq);
	return true;
}

static bool metrics_irq_cpu(size_t i, struct metrics_row *r)
{
	if (!metrics_irq(i / cpu_count(), r))
		return false;
	metrics_label_u64(r, S("cpu"), i % cpu_count());
	return true;
}

static bool metrics_memory(size_t i, struct metrics_row *r)
{
	mm_stats(&r->stats.memory);
	return i == 0;
}

static bool metrics_stacks(size_t i, struct metrics_row *r)
{
	stack_stats(&r->stats.stacks);
	return i == 0;
}

static bool metrics_pool(size_t i, struct metrics_row *r)
{
	if (!pool_stats_at(i, &r->stats.pool))
		return false;
	metrics_label(r, S("pool"), r->stats.pool.name);
	return true;
}

static bool metrics_netdev(size_t i, struct metrics_row *r)
{
	const struct netdev *dev = netdev_at(i);
	if (!dev)
		return false;
	r->stats.netdev = dev->stats;
	metrics_label(r, S("device"), dev->name);
	return true;
}

static bool metrics_tcp(size_t i, struct metrics_row *r)
{
	tcp_stats(&r->stats.tcp);
	return i == 0;
}

/* --- metrics --- */

/* Each figure that is a metric, with a sample for each row; they lie `at` bytes into it. */
static void metrics_figures(struct abuf *out, const struct figures *figures, metrics_row_fn *row, size_t at)
{
	for (size_t k = 0; k < figures->n; k++) {
		const struct figure *f = &figures->of[k];
		struct metrics_row r = {0};
		if (!f->metric.len || !metrics_next(row, 0, &r))
			continue;
		metrics_family(out, f->metric, f->kind, f->help);
		size_t i = 0;
		do {
			metrics_sample(out, f->metric, &r.labels, figure_value(f, (const uint8_t *)&r + at), f->unit);
		} while (metrics_next(row, ++i, &r));
	}
}

static void metrics_histograms(struct abuf *out, struct str name, struct str help, metrics_row_fn *row,
	struct histogram (*of)(const struct metrics_row *r))
{
	struct metrics_row r = {0};
	if (!metrics_next(row, 0, &r))
		return;
	metrics_family(out, name, METRICS_HISTOGRAM, help);
	size_t i = 0;
	do {
		struct histogram h = of(&r);
		metrics_histogram(out, name, &r.labels, &h);
	} while (metrics_next(row, ++i, &r));
}

/* What figures.c does not describe: a figure that is worked out of the row, the i-th of its walk. */
static void metrics_derived(struct abuf *out, struct str name, enum metrics_kind kind, unsigned decimals,
	struct str help, metrics_row_fn *row, uint64_t (*of)(const struct metrics_row *r, size_t i))
{
	struct metrics_row r = {0};
	metrics_family(out, name, kind, help);
	for (size_t i = 0; metrics_next(row, i, &r); i++)
		metrics_sample(out, name, &r.labels, of(&r, i), decimals);
}

/* A counter that has a metric of its own: mazu_GROUP_NAME_total. */
static void metrics_counter(struct abuf *out, const char *group, struct str counter, struct str where, uint64_t value)
{
	static const struct metrics_labels none;
	uint8_t name_bytes[METRICS_NAME_MAX], help_bytes[METRICS_NAME_MAX];
	struct abuf name = abuf_of(name_bytes, sizeof(name_bytes)), help = abuf_of(help_bytes, sizeof(help_bytes));
	fmt(&name, "mazu_%s_%.*s_total", group, STR_ARG(counter));
	fmt(&help, "The counter %.*s of %.*s.", STR_ARG(counter), STR_ARG(where));
	assert(abuf_ok(&name) && abuf_ok(&help));
	metrics_family(out, abuf_str(&name), METRICS_COUNTER, abuf_str(&help));
	metrics_sample(out, abuf_str(&name), &none, value, 0);
}

static void metrics_build(struct abuf *out)
{
	struct metrics_labels labels = {.of = {{S("version"), S(MAZU_VERSION)}}, .n = 1};
	metrics_family(out, S("mazu_build_info"), METRICS_GAUGE, S("1; which build it is, in its labels."));
	metrics_sample(out, S("mazu_build_info"), &labels, 1, 0);
}

static uint64_t metrics_of_uptime(unused const struct metrics_row *r, unused size_t i)
{
	return (uint64_t)clock_now().ns;
}

static uint64_t metrics_of_log(unused const struct metrics_row *r, unused size_t i)
{
	return klog_last_seq();
}

static struct histogram metrics_of_latency(const struct metrics_row *r)
{
	return r->stats.latency.ns;
}

static uint64_t metrics_of_longest_latency(const struct metrics_row *r, unused size_t i)
{
	return (uint64_t)r->stats.latency.ns.max_ns;
}

static struct histogram metrics_of_lateness(const struct metrics_row *r)
{
	return r->stats.callout.lateness;
}

static struct histogram metrics_of_response(const struct metrics_row *r)
{
	return deadline_response(&r->deadline);
}

static uint64_t metrics_of_irq(const struct metrics_row *r, size_t i)
{
	return r->stats.irq.count[i % cpu_count()];
}

static uint64_t metrics_of_reports(const struct metrics_row *r, unused size_t i)
{
	return r->stats.watchdog.count;
}

static void metrics_machine(struct abuf *out)
{
	const size_t at = offsetof(struct metrics_row, stats);
	metrics_build(out);
	metrics_derived(out, S("mazu_uptime_seconds"), METRICS_GAUGE, FIGURE_NS, S("Time since the machine started."),
		metrics_one, metrics_of_uptime);
	metrics_derived(out, S("mazu_log_records_total"), METRICS_COUNTER, FIGURE_PLAIN, S("Records in the log so far."),
		metrics_one, metrics_of_log);
	metrics_figures(out, &figures_cpu, metrics_cpu, at);
	metrics_figures(out, &figures_memory, metrics_memory, at);
	metrics_figures(out, &figures_stacks, metrics_stacks, at);
	metrics_figures(out, &figures_pool, metrics_pool, at);
	metrics_figures(out, &figures_lock, metrics_lock, at);
	metrics_derived(out, S("mazu_interrupts_total"), METRICS_COUNTER, FIGURE_PLAIN,
		S("Interrupts of the source that the hart took."), metrics_irq_cpu, metrics_of_irq);
	metrics_figures(out, &figures_irq, metrics_irq, at);
}

static void metrics_time(struct abuf *out)
{
	const size_t at = offsetof(struct metrics_row, stats);
	metrics_histograms(out, S("mazu_latency_seconds"),
		S("How late a timed wait ended (wake), interrupts were on again, preemption was on again."),
		metrics_latency, metrics_of_latency);
	metrics_derived(out, S("mazu_latency_longest_seconds"), METRICS_GAUGE, FIGURE_NS,
		S("The longest of these latencies so far."), metrics_latency, metrics_of_longest_latency);
	metrics_derived(out, S("mazu_watchdog_reports_total"), METRICS_COUNTER, FIGURE_PLAIN,
		S("Who kept others from running for too long."), metrics_watchdog, metrics_of_reports);
	metrics_figures(out, &figures_task, metrics_task, at);
	metrics_figures(out, &figures_deadline, metrics_deadline, offsetof(struct metrics_row, deadline));
	metrics_histograms(out, S("mazu_deadline_response_seconds"),
		S("From the release of a job of the deadline thread to its end."), metrics_deadline, metrics_of_response);
	metrics_figures(out, &figures_admission, metrics_admission, at);
	metrics_figures(out, &figures_domain, metrics_domain, at);
	metrics_figures(out, &figures_callout, metrics_callout, at);
	metrics_histograms(out, S("mazu_callout_lateness_seconds"), S("How late callouts ran."), metrics_callout,
		metrics_of_lateness);
}

static void metrics_network(struct abuf *out)
{
	const size_t at = offsetof(struct metrics_row, stats);
	metrics_figures(out, &figures_netdev, metrics_netdev, at);
	for (enum net_counter c = 0; c < NET_COUNTER_COUNT; c++)
		metrics_counter(out, "net", net_counter_name(c), S("/net/ip/stats"), net_counter(c));
	metrics_figures(out, &figures_tcp, metrics_tcp, at);
	for (enum tcp_counter c = 0; c < TCP_COUNTER_COUNT; c++)
		metrics_counter(out, "tcp", tcp_counter_name(c), S("/net/tcp/stats"), tcp_counter(c));
}

static void metrics_replies(struct abuf *out)
{
	struct metrics_row r = {0};
	metrics_family(out, S("mazu_http_replies_total"), METRICS_COUNTER, S("Replies of the web server, by their status."));
	for (uint16_t status = WEB_STATUS_MIN; status < WEB_STATUS_MAX; status++) {
		uint64_t n = web_status_count(status);
		r.labels.n = r.texts = 0;
		if (!n)
			continue;
		metrics_label_u64(&r, S("status"), status);
		metrics_sample(out, S("mazu_http_replies_total"), &r.labels, n, 0);
	}
}

static void metrics_open(struct abuf *out, struct str name, struct str help, uint64_t value)
{
	static const struct metrics_labels none;
	metrics_family(out, name, METRICS_GAUGE, help);
	metrics_sample(out, name, &none, value, 0);
}

static void metrics_http(struct abuf *out)
{
	metrics_open(out, S("mazu_http_connections"), S("Connections that the web server serves."), web_connections());
	metrics_open(out, S("mazu_http_websockets"), S("Of them those that are WebSockets."), web_sockets_open());
	metrics_open(out, S("mazu_http_streams"), S("Of them those that are streams of events."), web_streams_open());
	for (enum web_counter c = 0; c < WEB_COUNTER_COUNT; c++)
		metrics_counter(out, "http", web_counter_name(c), S("the web server"), web_counter(c));
	metrics_replies(out);
}

uint16_t api_metrics(unused const struct http_request *req, struct abuf *out)
{
	metrics_machine(out);
	metrics_time(out);
	metrics_network(out);
	metrics_http(out);
	return 200;
}
