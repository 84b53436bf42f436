/* synth_core_test.c - a table of paths seen as a tree. */
#include "tests/host/test.h"
#include "kernel/dev/synth_core.h"

static const struct {
	struct str path;
	int other;
} rows[] = {{STR_INIT("arp"), 0}, {STR_INIT("ip/stats"), 0}, {STR_INIT("tcp/0/ctl"), 0},
	{STR_INIT("tcp/stats"), 0}};
static const struct synth_paths table = {rows, countof(rows), sizeof(rows[0])};

static void check_entry(struct str dir, size_t i, size_t row, struct str expected, bool expected_dir)
{
	struct str name = STR_EMPTY;
	bool is_dir = false;
	CHECK_EQ(synth_entry(&table, dir, i, &name, &is_dir), row);
	if (row != SYNTH_NONE) {
		CHECK_STR(name, expected);
		CHECK_EQ(is_dir, expected_dir);
	}
}

TEST(synth_files_and_directories)
{
	CHECK_EQ(synth_find(&table, S("arp")), 0);
	CHECK_EQ(synth_find(&table, S("tcp/stats")), 3);
	CHECK_EQ(synth_find(&table, S("tcp")), SYNTH_NONE);
	CHECK(synth_is_dir(&table, S("")));
	CHECK(synth_is_dir(&table, S("tcp")));
	CHECK(synth_is_dir(&table, S("tcp/0")));
	CHECK(!synth_is_dir(&table, S("arp")));
	CHECK(!synth_is_dir(&table, S("tc")));
}

TEST(synth_directory_entries)
{
	check_entry(S(""), 0, 0, S("arp"), false);
	check_entry(S(""), 1, 1, S("ip"), true);
	check_entry(S(""), 2, 2, S("tcp"), true);
	check_entry(S(""), 3, SYNTH_NONE, S(""), false);
	check_entry(S("tcp"), 0, 2, S("0"), true);
	check_entry(S("tcp"), 1, 3, S("stats"), false);
	check_entry(S("tcp"), 2, SYNTH_NONE, S(""), false);
}
