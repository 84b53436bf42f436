/* diag_selftest.c - the log and the table of symbols. */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"

SELFTEST(klog_keeps_what_was_said)
{
	static struct klog_entry e;
	uint64_t since = klog_last_seq();
	klog(LOG_WARN, "selftest: number %d", 17);
	ST_REQUIRE(klog_read(since, LOG_WARN, &e));
	while (!str_starts(str_of(e.text, e.len), S("selftest: number")))
		ST_REQUIRE(klog_read(e.seq, LOG_WARN, &e));
	ST_CHECK(str_eq(str_of(e.text, e.len), S("selftest: number 17")));
	ST_CHECK(e.level == LOG_WARN);
	ST_CHECK(e.seq > since);
	ST_CHECK(!ktime_before(arch_clock(), e.time));
}

SELFTEST(klog_overwrites_the_oldest_without_gaps)
{
	static struct klog_entry e;
	klog_set_console_level(LOG_ERR);
	for (unsigned i = 0; i < CONFIG_KLOG_RECORDS + 10; i++)
		klog(LOG_INFO, "selftest: filling %u", i);
	klog_set_console_level(LOG_INFO);
	uint64_t seq = 0, count = 0;
	bool first = true;
	while (klog_read(seq, LOG_DEBUG, &e)) {
		ST_CHECK(first || e.seq == seq + 1);
		first = false;
		seq = e.seq;
		count++;
	}
	ST_CHECK(count >= CONFIG_KLOG_RECORDS);
}

SELFTEST(klog_cuts_a_long_record)
{
	static struct klog_entry e;
	uint64_t since = klog_last_seq();
	klog_set_console_level(LOG_ERR);
	klog(LOG_INFO, "selftest: %300d", 1);
	klog_set_console_level(LOG_INFO);
	ST_REQUIRE(klog_read(since, LOG_INFO, &e));
	while (!str_starts(str_of(e.text, e.len), S("selftest: ")))
		ST_REQUIRE(klog_read(e.seq, LOG_INFO, &e));
	ST_CHECK(e.len <= KLOG_TEXT_MAX);
}

SELFTEST(symbols_name_a_function)
{
	uint8_t room[80];
	struct abuf out = abuf_of(room, sizeof(room));
	symbol_describe((uintptr_t)klog, &out);
	ST_CHECK(str_eq(abuf_str(&out), S("klog+0x0")));
	abuf_reset(&out);
	symbol_describe(0x1234, &out);
	ST_CHECK(str_eq(abuf_str(&out), S("0x1234")));
}
