/*
 * crc32c.h - CRC-32C (Castagnoli): guards metadata on disk against bad luck, not
 * against malice.
 *
 *	crc = crc32c(0, a, a_len);
 *	crc = crc32c(crc, b, b_len);      the crc of a followed by b
 *
 * Context: any. Reference: RFC 3720, appendix B.4.
 */
#ifndef LIB_CRC32C_H
#define LIB_CRC32C_H

#include "lib/base.h"

must_check uint32_t crc32c(uint32_t crc, const void *ptr, size_t len);

#endif
