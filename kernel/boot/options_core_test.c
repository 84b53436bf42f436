/* options_core_test.c - the command line and ISA strings. */
#include "kernel/boot/isa_core.h"
#include "kernel/boot/options_core.h"
#include "tests/host/test.h"

TEST(options_of_an_empty_line)
{
	struct boot_options o = options_parse(STR_EMPTY);
	CHECK_EQ(o.mode, MODE_NORMAL);
	CHECK_EQ(o.unknown.len, 0);
}

TEST(options_pick_a_mode)
{
	struct boot_options o = options_parse(S("loglevel=debug selftest=mutex"));
	CHECK_EQ(o.mode, MODE_SELFTEST);
	CHECK(str_eq(o.what, S("mutex")));
	CHECK(str_eq(o.loglevel, S("debug")));
	CHECK_EQ(options_parse(S("  bench ")).mode, MODE_BENCH);
	CHECK_EQ(options_parse(S("selftest")).what.len, 0);
}

TEST(options_keep_a_hart_busy)
{
	struct boot_options o = options_parse(S("idle=busy selftest"));
	CHECK(o.idle_busy && o.mode == MODE_SELFTEST && o.unknown.len == 0);
	CHECK(!options_parse(S("selftest")).idle_busy);
}

TEST(options_leave_a_programs_arguments_alone)
{
	struct boot_options o = options_parse(S("run=/bin/x selftest  a=b "));
	CHECK_EQ(o.mode, MODE_RUN);
	CHECK(str_eq(o.what, S("/bin/x")));
	CHECK(str_eq(o.args, S("selftest  a=b")));
}

TEST(options_name_what_they_do_not_know)
{
	CHECK(str_eq(options_parse(S("quiet splash")).unknown, S("quiet")));
	CHECK(str_eq(options_parse(S("idle=lazy")).unknown, S("idle=lazy")));
	/* The network reads this one by itself. */
	CHECK(str_eq(options_parse(S("ip=192.168.100.2/24,192.168.100.1 ipx=1")).unknown, S("ipx=1")));
}

static bool check(struct str isa, struct str mmu, struct str expected)
{
	uint8_t room[64];
	struct abuf missing = abuf_of(room, sizeof(room));
	return isa_check(isa, mmu, &missing) == (expected.len == 0) &&
		str_eq(abuf_str(&missing), expected);
}

TEST(isa_of_qemu_has_all)
{
	struct str isa = S("rv64imafdch_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc");
	CHECK(check(isa, S("riscv,sv48"), STR_EMPTY));
	CHECK(isa_has(isa, S("sstc")));
	CHECK(!isa_has(isa, S("ssaia")));
}

TEST(isa_names_what_is_missing)
{
	CHECK(check(S("rv64imac"), S("riscv,sv39"), S(" zba zbb zbs")));
	CHECK(check(S("rv64gc_zba_zbb_zbs"), S("riscv,none"), S(" sv39")));
	CHECK(check(S("rv32imac_zba_zbb_zbs"), S("riscv,sv39"), S(" rv64")));
	CHECK(check(S("rv64im_zba_zbb_zbs"), S("riscv,sv57"), S(" a c")));
	CHECK(check(STR_EMPTY, STR_EMPTY, S(" rv64 i m a c zba zbb zbs sv39")));
}
