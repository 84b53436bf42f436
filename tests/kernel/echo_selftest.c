/* echo_selftest.c - echo requests of our own, over the loopback device: replies, deadlines, cancellation, the bound. */
#include "kernel/diag/selftest.h"
#include "kernel/net/net.h"
#include "kernel/time/time.h"
#include "tests/kernel/sync_selftest.h"

static ktime echo_in_seconds(int64_t s)
{
	return ktime_add(clock_now(), s * NS_PER_S);
}

SELFTEST(echo_replies_come_back_whole)
{
	static const size_t sizes[] = {0, 1, 56, 1471, NET_ECHO_DATA_MAX};
	struct net_echo_result e = net_echo_open(IPV4_LOOPBACK);
	ST_REQUIRE(e.err == OK);
	for (size_t i = 0; i < countof(sizes); i++) {
		struct echo_event got = {0};
		uint16_t seq = 0;
		ST_CHECK(net_echo_send(e.value, sizes[i], &seq) == OK && seq == i);
		ST_CHECK(net_echo_wait(e.value, &got, echo_in_seconds(30)) == OK);
		ST_CHECK(got.seq == seq && got.intact && !got.duplicate && !got.error && got.rtt_ns > 0);
		ST_CHECK(got.bytes == sizes[i] + 8 && got.from == IPV4_LOOPBACK && got.ttl == CONFIG_NET_TTL);
	}
	uint16_t seq;
	ST_CHECK(net_echo_send(e.value, NET_ECHO_DATA_MAX + 1, &seq) == ERR_MSGSIZE);
	net_echo_close(e.value);
}

SELFTEST(echo_deadline_is_never_early)
{
	struct net_echo_result e = net_echo_open(IPV4(127, 0, 0, 9));
	struct echo_event got;
	ST_REQUIRE(e.err == OK);
	ktime until = ktime_add(clock_now(), 3 * NS_PER_MS);
	ST_CHECK(net_echo_wait(e.value, &got, until) == ERR_TIMEDOUT && !ktime_before(clock_now(), until));
	net_echo_close(e.value);
}

static enum err echo_waited;

static void echo_waits(void *arg)
{
	struct echo_event got;
	echo_waited = net_echo_wait(arg, &got, KTIME_NEVER);
}

SELFTEST(echo_wait_is_cancellable)
{
	struct net_echo_result e = net_echo_open(IPV4_LOOPBACK);
	ST_REQUIRE(e.err == OK);
	struct thread *t = st_thread(S("pinger"), echo_waits, e.value, PRIO_NORMAL, 0);
	ST_REQUIRE(t);
	ST_CHECK(thread_cancel(t) == OK && thread_join(t, echo_in_seconds(60)) == OK);
	ST_CHECK(echo_waited == ERR_INTR);
	net_echo_close(e.value);
}

SELFTEST(echo_is_bounded)
{
	struct net_echo *open[CONFIG_NET_PINGERS];
	for (size_t i = 0; i < CONFIG_NET_PINGERS; i++) {
		struct net_echo_result e = net_echo_open(IPV4_LOOPBACK);
		ST_REQUIRE(e.err == OK);
		open[i] = e.value;
	}
	ST_CHECK(net_echo_open(IPV4_LOOPBACK).err == ERR_NOSPC);
	for (size_t i = 0; i < CONFIG_NET_PINGERS; i++)
		net_echo_close(open[i]);
	struct net_echo_result e = net_echo_open(IPV4_LOOPBACK);
	ST_REQUIRE(e.err == OK);
	net_echo_close(e.value);
	ST_CHECK(net_echo_open(IPV4_BROADCAST).err == ERR_INVAL && net_echo_open(IPV4_ANY).err == ERR_INVAL);
}
