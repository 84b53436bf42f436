/*
 * sha1.h - SHA-1 (RFC 3174) of a text that is all there.
 *
 * Only for protocols that name it, as WebSocket's handshake does: who wants to can
 * make two texts with the same digest. Nothing may be trusted for its SHA-1.
 *
 * Context: any. Linear in the text: bound it where interrupts are off.
 */
#ifndef LIB_SHA1_H
#define LIB_SHA1_H

#include "lib/buf.h"

#define SHA1_BYTES 20

void sha1(struct rbuf text, uint8_t out[SHA1_BYTES]);

#endif
