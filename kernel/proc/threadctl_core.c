/* threadctl_core.c - see threadctl_core.h. */
#include "kernel/proc/threadctl_core.h"

typedef bool threadctl_parse_fn(struct str *args, struct threadctl *out);

static bool threadctl_ns(struct str *args, int64_t *out)
{
	struct u64_result n = str_to_u64(str_word(args), 10);
	*out = (int64_t)n.value;
	return n.err == OK && n.value <= INT64_MAX;
}

static bool threadctl_priority(struct str *args, struct threadctl *out)
{
	struct u64_result n = str_to_u64(str_word(args), 10);
	struct str class = str_word(args);
	out->priority = n.value;
	out->class = str_eq(class, S("rr")) ? THREADCTL_RR : class.len ? THREADCTL_FIFO : THREADCTL_SAME;
	return n.err == OK && (out->class != THREADCTL_FIFO || str_eq(class, S("fifo")));
}

static bool threadctl_deadline(struct str *args, struct threadctl *out)
{
	if (!threadctl_ns(args, &out->runtime_ns) || !threadctl_ns(args, &out->deadline_ns) ||
		!threadctl_ns(args, &out->period_ns))
		return false;
	return str_trim(*args).len == 0 || (threadctl_ns(args, &out->high_runtime_ns) && out->high_runtime_ns != 0);
}

static bool threadctl_affinity(struct str *args, struct threadctl *out)
{
	struct str mask = str_word(args);
	bool hex = str_starts(mask, S("0x"));
	struct u64_result n = str_to_u64(hex ? str_slice(mask, 2, mask.len) : mask, hex ? 16 : 10);
	out->affinity = n.value;
	return n.err == OK;
}

static bool threadctl_domain(struct str *args, struct threadctl *out)
{
	out->domain = str_word(args);
	return out->domain.len != 0;
}

static bool threadctl_kill(unused struct str *args, unused struct threadctl *out)
{
	return true;
}

static const struct {
	struct str word;
	threadctl_parse_fn *parse;
	struct str usage;
} threadctl_verbs[THREADCTL_VERBS] = {
	[THREADCTL_PRIORITY] = {STR_INIT("priority"), threadctl_priority, STR_INIT("priority N [fifo|rr]")},
	[THREADCTL_DEADLINE] = {STR_INIT("deadline"), threadctl_deadline,
		STR_INIT("deadline RUNTIME DEADLINE PERIOD [HIGH_RUNTIME], in ns")},
	[THREADCTL_AFFINITY] = {STR_INIT("affinity"), threadctl_affinity, STR_INIT("affinity MASK, as 5 or 0x5")},
	[THREADCTL_DOMAIN] = {STR_INIT("domain"), threadctl_domain, STR_INIT("domain NAME")},
	[THREADCTL_KILL] = {STR_INIT("kill"), threadctl_kill, STR_INIT("kill")},
};

enum err threadctl_parse(struct str line, struct threadctl *out, struct str *usage)
{
	struct str args = line, verb = str_word(&args);
	*out = (struct threadctl){0};
	*usage = S("priority, deadline, affinity, domain or kill");
	for (enum threadctl_verb v = 0; v < THREADCTL_VERBS; v++) {
		if (!str_eq(verb, threadctl_verbs[v].word))
			continue;
		out->verb = v;
		*usage = threadctl_verbs[v].usage;
		return threadctl_verbs[v].parse(&args, out) && str_trim(args).len == 0 ? OK : ERR_INVAL;
	}
	return ERR_INVAL;
}
