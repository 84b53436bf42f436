/* ipv4_text_core.c - addresses as text: 10.0.2.15, 10.0.2.15/24, 52:54:00:12:34:56. */
#include "kernel/net/text.h"
#include "lib/fmt.h"

void ipv4_format(struct abuf *out, uint32_t addr)
{
	fmt(out, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255);
}

void mac_format(struct abuf *out, const uint8_t mac[6])
{
	for (size_t i = 0; i < 6; i++)
		fmt(out, i == 0 ? "%02x" : ":%02x", mac[i]);
}

struct ipv4_result ipv4_from_text(struct str s)
{
	uint32_t addr = 0;
	for (int i = 0; i < 4; i++) {
		bool last = i == 3;
		struct str part = last ? s : str_cut(&s, '.');
		if (part.len == 0 || part.len > 3)
			return ERR_RESULT(ipv4_result, ERR_INVAL);
		struct u64_result n = str_to_u64(part, 10);
		if (n.err != OK || n.value > 255)
			return ERR_RESULT(ipv4_result, ERR_INVAL);
		addr = addr << 8 | (uint32_t)n.value;
	}
	return OK_RESULT(ipv4_result, addr);
}

/* ADDR[/LEN][,GATEWAY], LEN 1..30; 24 when it is missing. */
enum err net_config_from_text(struct str s, struct net_config_text *out)
{
	struct str cidr = str_cut(&s, ',');
	struct str addr = str_cut(&cidr, '/');
	struct net_config_text c = {.prefix_len = 24};
	struct ipv4_result a = ipv4_from_text(addr);
	if (a.err != OK)
		return a.err;
	c.addr = a.value;
	if (cidr.len != 0) {
		struct u64_result n = str_to_u64(cidr, 10);
		if (n.err != OK || n.value < 1 || n.value > 30)
			return ERR_INVAL;
		c.prefix_len = (uint8_t)n.value;
	}
	if (s.len != 0) {
		struct ipv4_result gw = ipv4_from_text(s);
		if (gw.err != OK)
			return gw.err;
		c.gateway = gw.value;
	}
	*out = c;
	return OK;
}
