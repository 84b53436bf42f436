/* wire_core_test.c - parsers against builders, truncation and single changes. */
#include "kernel/net/text.h"
#include "kernel/net/wire.h"
#include "lib/unaligned.h"
#include "tests/host/test.h"
#include <stdlib.h>

static void test_bytes(struct test_rng *rng, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)test_u64(rng);
}

TEST(pseudo_header_checksum_of_a_known_segment)
{
	/* a UDP datagram of 8 bytes from 10.0.2.2:53 to 10.0.2.15:68 */
	uint8_t udp[8] = {0, 53, 0, 68, 0, 8, 0, 0};
	struct checksum c = CHECKSUM_INIT;
	wire_checksum_pseudo(&c, 0x0a000202, 0x0a00020f, 17, 8);
	checksum_add(&c, udp, 8);
	uint16_t sum = checksum_finish(&c);
	CHECK_EQ(sum, 0xffff - (0x0a00 + 0x0202 + 0x0a00 + 0x020f + 17 + 8 + 53 + 68 + 8));
}

static struct wire_ipv4 ipv4_sample(uint16_t total)
{
	return (struct wire_ipv4){.src = 0x0a000202, .dst = 0x0a00020f, .total_len = total, .id = 7,
		.frag = IPV4_DF, .tos = 0x10, .ttl = 64, .proto = 6};
}

TEST(ipv4_round_trip)
{
	uint8_t bytes[60] = {0};
	struct wire_ipv4 h = ipv4_sample(60), got;
	wire_ipv4_build(bytes, &h);
	CHECK_EQ(wire_ipv4_parse(rbuf_of(bytes, 60), &got), WIRE_OK);
	CHECK_EQ(got.src, h.src);
	CHECK_EQ(got.dst, h.dst);
	CHECK_EQ(got.total_len, 60);
	CHECK_EQ(got.header_len, 20);
	CHECK_EQ(got.ttl, 64);
	CHECK_EQ(got.proto, 6);
}

static void ipv4_fix(uint8_t *p, size_t header)
{
	store_be16(p + 10, 0);
	store_be16(p + 10, checksum_of(p, header));
}

TEST(ipv4_each_fault_has_its_verdict)
{
	uint8_t b[60] = {0};
	struct wire_ipv4 h = ipv4_sample(40), got;
	wire_ipv4_build(b, &h);
	for (size_t n = 0; n < 20; n++)
		CHECK_EQ(wire_ipv4_parse(rbuf_of(b, n), &got), WIRE_SHORT);
	for (size_t n = 20; n < 40; n++)
		CHECK_EQ(wire_ipv4_parse(rbuf_of(b, n), &got), WIRE_LENGTH);
	b[0] = 0x65;
	CHECK_EQ(wire_ipv4_parse(rbuf_of(b, 60), &got), WIRE_VERSION);
	b[0] = 0x44;
	CHECK_EQ(wire_ipv4_parse(rbuf_of(b, 60), &got), WIRE_HEADER);
	b[0] = 0x4f;
	CHECK_EQ(wire_ipv4_parse(rbuf_of(b, 40), &got), WIRE_HEADER);
	CHECK_EQ(wire_ipv4_parse(rbuf_of(b, 60), &got), WIRE_LENGTH);
	b[0] = 0x45;
	b[8]--;
	CHECK_EQ(wire_ipv4_parse(rbuf_of(b, 60), &got), WIRE_CHECKSUM);
	store_be16(b + 6, 0x2000);
	ipv4_fix(b, 20);
	CHECK_EQ(wire_ipv4_parse(rbuf_of(b, 60), &got), WIRE_FRAGMENT);
	store_be16(b + 6, 5);
	ipv4_fix(b, 20);
	CHECK_EQ(wire_ipv4_parse(rbuf_of(b, 60), &got), WIRE_FRAGMENT);
}

static enum wire_verdict ipv4_with_options(const uint8_t *opt, size_t n)
{
	uint8_t b[60] = {0};
	struct wire_ipv4 h = ipv4_sample(32), got;
	wire_ipv4_build(b, &h);
	b[0] = 0x48;
	memcpy(b + 20, opt, n);
	ipv4_fix(b, 32);
	return wire_ipv4_parse(rbuf_of(b, 32), &got);
}

TEST(ipv4_options)
{
	CHECK_EQ(ipv4_with_options((uint8_t[]){1, 1, 1, 1, 7, 7, 4, 0, 0, 0, 0, 0}, 12), WIRE_OK);
	CHECK_EQ(ipv4_with_options((uint8_t[]){0, 7, 200}, 3), WIRE_OK);
	CHECK_EQ(ipv4_with_options((uint8_t[]){131, 7, 4}, 3), WIRE_OPTIONS);
	CHECK_EQ(ipv4_with_options((uint8_t[]){1, 137, 3, 4}, 4), WIRE_OPTIONS);
	CHECK_EQ(ipv4_with_options((uint8_t[]){7, 0}, 2), WIRE_OPTIONS);
	CHECK_EQ(ipv4_with_options((uint8_t[]){7, 13}, 2), WIRE_OPTIONS);
	CHECK_EQ(ipv4_with_options((uint8_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 7}, 12), WIRE_OPTIONS);
}

TEST(arp_round_trip_and_refusals)
{
	uint8_t b[ARP_BYTES];
	struct wire_arp a = {.op = ARP_REPLY, .sender_mac = {2, 1, 1, 1, 1, 1}, .sender_ip = 0x01020304,
		.target_mac = {2, 2, 2, 2, 2, 2}, .target_ip = 0x05060708};
	struct wire_arp got;
	wire_arp_build(b, &a);
	CHECK_EQ(wire_arp_parse(rbuf_of(b, sizeof(b)), &got), WIRE_OK);
	CHECK_EQ(got.sender_ip, a.sender_ip);
	CHECK_EQ(got.target_ip, a.target_ip);
	CHECK(memcmp(got.sender_mac, a.sender_mac, 6) == 0);
	CHECK_EQ(wire_arp_parse(rbuf_of(b, ARP_BYTES - 1), &got), WIRE_SHORT);
	static const uint8_t at[] = {0, 1, 2, 3, 4, 5, 6, 7};
	for (size_t i = 0; i < sizeof(at); i++) {
		b[at[i]] ^= 0x40;
		CHECK_EQ(wire_arp_parse(rbuf_of(b, sizeof(b)), &got), WIRE_MALFORMED);
		b[at[i]] ^= 0x40;
	}
}

TEST(icmp_round_trip_and_refusals)
{
	uint8_t b[64] = {0};
	struct wire_icmp h = {.type = ICMP_ECHO, .code = 0, .rest = 0x12340001}, got;
	for (size_t n = 8; n < 64; n++) {
		memset(b + 8, 0xa5, sizeof(b) - 8);
		wire_icmp_build(b, n, &h);
		CHECK_EQ(wire_icmp_parse(rbuf_of(b, n), &got), WIRE_OK);
		CHECK_EQ(got.rest, h.rest);
		b[n - 1] ^= 1;
		CHECK_EQ(wire_icmp_parse(rbuf_of(b, n), &got), WIRE_CHECKSUM);
	}
	CHECK_EQ(wire_icmp_parse(rbuf_of(b, 7), &got), WIRE_SHORT);
}

TEST(icmp_errors_are_never_sent_about)
{
	uint8_t echo[8] = {8}, unreachable[8] = {3};
	struct wire_ipv4 ip = ipv4_sample(40);
	CHECK(wire_icmp_error_allowed(&ip, rbuf_of(echo, 8)));
	ip.proto = 1;
	CHECK(wire_icmp_error_allowed(&ip, rbuf_of(echo, 8)));
	CHECK(!wire_icmp_error_allowed(&ip, rbuf_of(unreachable, 8)));
	CHECK(!wire_icmp_error_allowed(&ip, rbuf_of(echo, 0)));
	ip.proto = 17;
	ip.dst = UINT32_MAX;
	CHECK(!wire_icmp_error_allowed(&ip, rbuf_of(echo, 8)));
	ip = ipv4_sample(40);
	ip.src = 0xe0000001;
	CHECK(!wire_icmp_error_allowed(&ip, rbuf_of(echo, 8)));
	ip = ipv4_sample(40);
	ip.frag = 3;
	CHECK(!wire_icmp_error_allowed(&ip, rbuf_of(echo, 8)));
}

TEST(icmp_quote_needs_eight_bytes_of_transport)
{
	uint8_t b[40] = {0};
	struct wire_ipv4 h = ipv4_sample(1500);
	struct wire_icmp_quote q;
	wire_ipv4_build(b, &h);
	CHECK_EQ(wire_icmp_quote_parse(rbuf_of(b, 27), &q), WIRE_SHORT);
	CHECK_EQ(wire_icmp_quote_parse(rbuf_of(b, 28), &q), WIRE_OK);
	CHECK_EQ(q.transport.len, 8);
	CHECK_EQ(q.ip.dst, h.dst);
	b[0] = 0x4f;
	CHECK_EQ(wire_icmp_quote_parse(rbuf_of(b, 40), &q), WIRE_SHORT);
}

TEST(parsers_survive_noise)
{
	struct test_rng rng = test_rng(test_seed());
	for (int i = 0; i < 20000; i++) {
		size_t n = test_below(&rng, 80);
		uint8_t *b = malloc(n);
		test_bytes(&rng, b, n);
		if (n > 0 && test_below(&rng, 2))
			b[0] = 0x45 + (uint8_t)test_below(&rng, 11);
		struct wire_ether e;
		struct wire_arp a;
		struct wire_ipv4 h;
		struct wire_icmp c;
		struct wire_icmp_quote q;
		(void)!wire_ether_parse(rbuf_of(b, n), &e);
		(void)!wire_arp_parse(rbuf_of(b, n), &a);
		(void)!wire_ipv4_parse(rbuf_of(b, n), &h);
		(void)!wire_icmp_parse(rbuf_of(b, n), &c);
		(void)!wire_icmp_quote_parse(rbuf_of(b, n), &q);
		free(b);
	}
}

static struct str text(struct abuf *a)
{
	return abuf_str(a);
}

TEST(addresses_as_text)
{
	char room[32];
	struct abuf a = abuf_of(room, sizeof(room));
	ipv4_format(&a, 0x0a00020f);
	CHECK(str_eq(text(&a), S("10.0.2.15")));
	abuf_reset(&a);
	mac_format(&a, (uint8_t[]){0x52, 0x54, 0, 0x12, 0x34, 0x56});
	CHECK(str_eq(text(&a), S("52:54:00:12:34:56")));
	CHECK_EQ(ipv4_from_text(S("192.168.100.2")).value, 0xc0a86402);
	static const struct str bad[] = {STR_INIT(""), STR_INIT("1.2.3"), STR_INIT("1.2.3.4.5"),
		STR_INIT("256.1.1.1"), STR_INIT("1..2.3"), STR_INIT("1.2.3.4 "), STR_INIT("0x1.2.3.4"),
		STR_INIT("-1.2.3.4"), STR_INIT("1.2.3."), STR_INIT("0001.2.3.4")};
	for (size_t i = 0; i < countof(bad); i++)
		CHECK_EQ(ipv4_from_text(bad[i]).err, ERR_INVAL);
}

TEST(interface_configuration_as_text)
{
	struct net_config_text c;
	CHECK_EQ(net_config_from_text(S("192.168.100.2/24,192.168.100.1"), &c), OK);
	CHECK_EQ(c.addr, 0xc0a86402);
	CHECK_EQ(c.prefix_len, 24);
	CHECK_EQ(c.gateway, 0xc0a86401);
	CHECK_EQ(net_config_from_text(S("10.1.2.3/30"), &c), OK);
	CHECK_EQ(c.gateway, 0);
	CHECK_EQ(c.prefix_len, 30);
	CHECK_EQ(net_config_from_text(S("10.1.2.3/31"), &c), ERR_INVAL);
	CHECK_EQ(net_config_from_text(S("10.1.2.3/x"), &c), ERR_INVAL);
	CHECK_EQ(net_config_from_text(S("10.1.2.3/24,foo"), &c), ERR_INVAL);
}
