/* threadctl_core_test.c - lines for a thread's ctl file: what they mean, and which are none. */
#include "tests/host/test.h"
#include "kernel/proc/threadctl_core.h"

static struct threadctl parsed(struct str line)
{
	struct threadctl c;
	struct str usage;
	CHECK_EQ(threadctl_parse(line, &c, &usage), OK);
	return c;
}

TEST(threadctl_lines)
{
	struct threadctl c = parsed(S("priority 20"));
	CHECK(c.verb == THREADCTL_PRIORITY && c.priority == 20 && c.class == THREADCTL_SAME);
	CHECK(parsed(S("priority 20 rr")).class == THREADCTL_RR);
	CHECK(parsed(S(" priority\t63  fifo ")).class == THREADCTL_FIFO);
	c = parsed(S("deadline 200000 900000 1000000"));
	CHECK(c.verb == THREADCTL_DEADLINE && c.runtime_ns == 200000 && c.deadline_ns == 900000);
	CHECK(c.period_ns == 1000000 && c.high_runtime_ns == 0);
	CHECK_EQ(parsed(S("deadline 1 2 3 2")).high_runtime_ns, 2);
	c = parsed(S("affinity 0xf"));
	CHECK(c.verb == THREADCTL_AFFINITY && c.affinity == 15);
	CHECK_EQ(parsed(S("affinity 5")).affinity, 5);
	c = parsed(S("domain web"));
	CHECK(c.verb == THREADCTL_DOMAIN);
	CHECK_STR(c.domain, S("web"));
	CHECK(parsed(S("kill")).verb == THREADCTL_KILL);
}

TEST(threadctl_what_is_no_line)
{
	static const struct str wrong[] = {STR_INIT(""), STR_INIT(" "), STR_INIT("priorit 3"), STR_INIT("priority"),
		STR_INIT("priority -1"), STR_INIT("priority 3 idle"), STR_INIT("priority 3 rr now"),
		STR_INIT("priority 18446744073709551616"), STR_INIT("deadline 1 2"), STR_INIT("deadline 1 2 x"),
		STR_INIT("deadline 1 2 9223372036854775808"), STR_INIT("deadline 1 2 3 0"),
		STR_INIT("deadline 1 2 3 4 5"), STR_INIT("affinity"), STR_INIT("affinity 0x"),
		STR_INIT("affinity 0xg"), STR_INIT("affinity f"), STR_INIT("domain"), STR_INIT("domain a b"),
		STR_INIT("kill 9"), STR_INIT("KILL")};
	for (size_t i = 0; i < countof(wrong); i++) {
		struct threadctl c;
		struct str usage = STR_EMPTY;
		CHECK_EQ(threadctl_parse(wrong[i], &c, &usage), ERR_INVAL);
		CHECK(usage.len > 0);
	}
}
