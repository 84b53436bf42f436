/* netctl_core_test.c - lines to /net/ctl, and what is none. */
#include "tests/host/test.h"
#include "kernel/net/netctl_core.h"

static enum err parse(struct str line, struct netctl *out)
{
	struct str usage = STR_EMPTY;
	enum err err = netctl_parse(line, out, &usage);
	CHECK(usage.len > 0);
	return err;
}

TEST(netctl_lines)
{
	struct netctl c;
	CHECK_EQ(parse(S("address eth0 192.168.1.2/24"), &c), OK);
	CHECK(c.verb == NETCTL_ADDRESS && c.addr == 0xc0a80102 && c.prefix_len == 24);
	CHECK_STR(c.iface, S("eth0"));
	CHECK_EQ(parse(S(" gateway\t10.0.2.2 "), &c), OK);
	CHECK(c.verb == NETCTL_GATEWAY && c.addr == 0x0a000202);
	CHECK_EQ(parse(S("gateway none"), &c), OK);
	CHECK(c.verb == NETCTL_GATEWAY && c.addr == 0);
	CHECK_EQ(parse(S("up eth0"), &c), OK);
	CHECK_EQ(c.verb, NETCTL_UP);
	CHECK_EQ(parse(S("down eth1"), &c), OK);
	CHECK_EQ(c.verb, NETCTL_DOWN);
	CHECK_STR(c.iface, S("eth1"));
}

TEST(netctl_what_is_no_line)
{
	static const struct str bad[] = {STR_INIT(""), STR_INIT("address"), STR_INIT("address eth0"),
		STR_INIT("address eth0 1.2.3.4"), STR_INIT("address eth0 1.2.3.4/"), STR_INIT("address eth0 1.2.3/24"), STR_INIT("address eth0 1.2.3.4/x"),
		STR_INIT("address eth0 1.2.3.4/24,1.2.3.1"), STR_INIT("address eth0 1.2.3.4/24 more"),
		STR_INIT("address 1.2.3.4/24"), STR_INIT("gateway"), STR_INIT("gateway 0.0.0.0"), STR_INIT("gateway x"),
		STR_INIT("gateway 1.2.3.4 eth0"), STR_INIT("up"), STR_INIT("up eth0 eth1"), STR_INIT("Up eth0"),
		STR_INIT("down"), STR_INIT("off eth0")};
	struct netctl c;
	for (size_t i = 0; i < countof(bad); i++)
		CHECK_EQ(parse(bad[i], &c), ERR_INVAL);
}
