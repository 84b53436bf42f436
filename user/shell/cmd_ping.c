/*
 * cmd_ping.c - ping: does a host answer, and how fast.
 *
 * A request each interval, whether or not the last one was answered; replies are told as they come. At the end
 * of a count it waits for those that are missing, as long as -W says.
 */
#include "kernel/net/net.h"
#include "kernel/time/time.h"
#include "lib/err.h"
#include "lib/fmt.h"
#include "user/shell/cmd.h"
#include "user/shell/shell.h"
#include "user/shell/units_core.h"

struct ping {
	struct shell_call *c;
	struct net_echo *echo;
	uint32_t dst;
	uint64_t count, size;
	int64_t interval_ns, wait_ns;
	bool quiet;
	/* so far */
	uint64_t sent, received, duplicates, errors, damaged;
	int64_t min_ns, max_ns, sum_ns;
};

static const char *ping_error(uint8_t kind)
{
	switch ((enum net_error_kind)kind) {
	case NET_ERROR_NET_UNREACH:
		return "the network cannot be reached";
	case NET_ERROR_HOST_UNREACH:
		return "the host cannot be reached";
	case NET_ERROR_PROTO_UNREACH:
	case NET_ERROR_PORT_UNREACH:
		return "the host does not answer echo requests";
	case NET_ERROR_FRAG_NEEDED:
		return "too large for the path";
	case NET_ERROR_PROHIBITED:
		return "prohibited by a filter";
	case NET_ERROR_TTL_EXCEEDED:
		return "too many hops";
	}
	return "unknown";
}

static enum err ping_tell(struct ping *p, const struct echo_event *e)
{
	char bytes[160];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	if (p->quiet)
		return OK;
	if (e->error) {
		abuf_str_add(&out, S("from "));
		ipv4_format(&out, e->from);
		fmt(&out, ": seq=%u: %s", e->seq + 1u, ping_error(e->kind));
	} else {
		fmt(&out, "%u bytes from ", e->bytes);
		ipv4_format(&out, e->from);
		fmt(&out, ": seq=%u ttl=%u time=", e->seq + 1u, e->ttl);
		thousandths_render(&out, e->rtt_ns / NS_PER_US);
		fmt(&out, " ms%s%s", e->duplicate ? " (again)" : "", e->intact ? "" : " (not what was sent)");
	}
	return shell_printf(p->c, "%.*s\n", STR_ARG(abuf_str(&out)));
}

static void ping_count(struct ping *p, const struct echo_event *e)
{
	if (e->error) {
		p->errors++;
		return;
	}
	if (e->duplicate) {
		p->duplicates++;
		return;
	}
	p->damaged += !e->intact;
	p->min_ns = p->received ? min(p->min_ns, e->rtt_ns) : e->rtt_ns;
	p->max_ns = max(p->max_ns, e->rtt_ns);
	p->sum_ns += e->rtt_ns;
	p->received++;
}

/* What comes until then; `all`: at once when nothing is missing any more. */
static enum err ping_listen(struct ping *p, ktime until, bool all)
{
	struct echo_event e;
	enum err err = OK;
	while (err == OK && !(all && p->received + p->errors >= p->sent)) {
		err = net_echo_wait(p->echo, &e, until);
		if (err != OK)
			return err == ERR_TIMEDOUT ? OK : err;
		ping_count(p, &e);
		err = ping_tell(p, &e);
	}
	return err;
}

static enum err ping_send(struct ping *p)
{
	uint16_t seq = 0;
	enum err err = net_echo_send(p->echo, p->size, &seq);
	p->sent++;
	if (err == OK)
		return OK;
	p->errors++;
	struct str why = err_text(err);
	return p->quiet ? OK : shell_printf(p->c, "seq=%llu: %.*s\n", (unsigned long long)p->sent, STR_ARG(why));
}

static void ping_summary(struct ping *p, struct abuf *out)
{
	uint64_t lost = p->sent > p->received ? p->sent - p->received : 0;
	fmt(out, "%llu sent, %llu received, ", (unsigned long long)p->sent, (unsigned long long)p->received);
	tenths_render(out, p->sent ? lost * 1000 / p->sent : 0);
	fmt(out, "%% lost");
	if (p->duplicates)
		fmt(out, ", %llu twice", (unsigned long long)p->duplicates);
	if (p->damaged)
		fmt(out, ", %llu damaged", (unsigned long long)p->damaged);
	if (p->received) {
		abuf_str_add(out, S("; least/mean/most "));
		thousandths_render(out, p->min_ns / NS_PER_US);
		abuf_char_add(out, '/');
		thousandths_render(out, p->sum_ns / (int64_t)p->received / NS_PER_US);
		abuf_char_add(out, '/');
		thousandths_render(out, p->max_ns / NS_PER_US);
		abuf_str_add(out, S(" ms"));
	}
}

static enum err ping_loop(struct ping *p)
{
	ktime at = clock_now();
	enum err err = OK;
	while (err == OK && p->sent < p->count) {
		err = ping_send(p);
		at = ktime_add(at, p->interval_ns);
		if (err == OK && p->sent < p->count)
			err = ping_listen(p, at, false);
	}
	return err == OK ? ping_listen(p, ktime_add(clock_now(), p->wait_ns), true) : err;
}

static int ping_host(struct ping *p, struct str host)
{
	struct net_echo_result echo = net_echo_open(p->dst);
	if (echo.err == ERR_NOSPC)
		return shell_fail(p->c, "%d others ping already, which is the most there may be", CONFIG_NET_PINGERS);
	if (echo.err == ERR_INVAL)
		return shell_fail(p->c, "%.*s is not the address of one host", STR_ARG(host));
	if (echo.err != OK)
		return cmd_failed(p->c, host, echo.err);
	p->echo = echo.value;
	enum err err = ping_loop(p);
	net_echo_close(p->echo);
	char bytes[240];
	struct abuf out = abuf_of(bytes, sizeof(bytes));
	ping_summary(p, &out);
	if (err == OK)
		err = shell_printf(p->c, "%.*s\n", STR_ARG(abuf_str(&out)));
	else if (err == ERR_INTR)
		shell_last_words(p->c, "%.*s\n", STR_ARG(abuf_str(&out)));
	return err != OK ? cmd_status(err) : p->received ? 0 : 1;
}

static int ping_run(struct shell_call *c)
{
	struct args a;
	struct ping p = {.c = c, .count = UINT64_MAX, .size = 56, .interval_ns = NS_PER_S, .wait_ns = 2 * NS_PER_S};
	if (!cmd_args(c, &a, "c:i:s:W:q", 1, 1) || !cmd_number(c, &a, 'c', 1, INT64_MAX, &p.count) ||
		!cmd_number(c, &a, 's', 0, NET_ECHO_DATA_MAX, &p.size) ||
		!cmd_duration(c, &a, 'i', NS_PER_MS, 3600 * NS_PER_S, &p.interval_ns) ||
		!cmd_duration(c, &a, 'W', 0, 3600 * NS_PER_S, &p.wait_ns))
		return 2;
	struct str host = args_operand(&a, 0);
	struct ipv4_result dst = net_resolve(host);
	if (dst.err != OK)
		return shell_fail(c, "%.*s: no such name is known here; give an address, as in 10.0.2.2", STR_ARG(host));
	p.dst = dst.value;
	p.quiet = args_has(&a, 'q');
	return ping_host(&p, host);
}
SHELL_COMMAND(ping, .name = STR_INIT("ping"), .summary = STR_INIT("see whether a host answers"),
	.usage = STR_INIT("ping [-c COUNT] [-i INTERVAL] [-s SIZE] [-W WAIT] [-q] ADDRESS\n"
			  "  -c COUNT     so many requests; without it until Ctrl-C\n"
			  "  -i INTERVAL  from one to the next (1s)      -s SIZE  bytes of data (56)\n"
			  "  -W WAIT      for the last replies (2s)      -q       only the summary\n"
			  "Exit status: 0 if at least one reply came.\n"),
	.run = ping_run);
