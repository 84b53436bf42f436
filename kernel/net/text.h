/* text.h - network addresses as text. Context: any. */
#ifndef KERNEL_NET_TEXT_H
#define KERNEL_NET_TEXT_H

#include "lib/buf.h"

#define IPV4_TEXT_MAX 15
void ipv4_format(struct abuf *out, uint32_t addr); /* "10.0.2.15" */
RESULT(uint32_t, ipv4_result);
must_check struct ipv4_result ipv4_from_text(struct str s); /* four decimal numbers; ERR_INVAL */
void mac_format(struct abuf *out, const uint8_t mac[6]); /* "52:54:00:12:34:56" */

struct net_config_text {
	uint32_t addr;
	uint32_t gateway; /* 0: none */
	uint8_t prefix_len;
};
/* "ADDR[/LEN][,GATEWAY]" as in ip= of the command line. ERR_INVAL. */
must_check enum err net_config_from_text(struct str s, struct net_config_text *out);

#endif
