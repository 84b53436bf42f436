/*
 * fdt_core.h - reads a flattened device tree that nobody has checked yet.
 *
 *	struct fdt tree;
 *	struct str wrong = fdt_open(&tree, blob);      empty: the whole tree is well-formed
 *	size_t at = 0;
 *	struct fdt_token t;
 *	while ((t = fdt_next(&tree, &at)).kind != FDT_END) ...
 *
 * fdt_open() walks the tree once, so that a damaged one is refused before anything
 * of it is used; fdt_next() checks its bounds all the same. Names and values point
 * into the blob, which has to stay.
 */
#ifndef KERNEL_BOOT_FDT_CORE_H
#define KERNEL_BOOT_FDT_CORE_H

#include "lib/buf.h"

#define FDT_MAGIC       0xd00dfeedu
#define FDT_HEADER_SIZE 40
#define FDT_SIZE_MAX    ((size_t)2 << 20) /* QEMU makes 8 KiB to 1 MiB; more than this is damage */
#define FDT_DEPTH_MAX   16
#define FDT_NAME_MAX    256

struct fdt {
	struct rbuf structure;
	struct rbuf strings;
	struct rbuf reservations; /* pairs of 64 bits, without the one that ends them */
};

enum fdt_kind { FDT_NODE, FDT_NODE_END, FDT_PROP, FDT_END, FDT_BAD };

struct fdt_token {
	enum fdt_kind kind;
	struct str name;   /* FDT_NODE, FDT_PROP */
	struct rbuf value; /* FDT_PROP */
};

/* The size that the header claims, or 0 when this is no device tree; `head` has FDT_HEADER_SIZE bytes. */
size_t fdt_total_size(struct rbuf head);
/* What is wrong with it, or nothing. */
must_check struct str fdt_open(struct fdt *out, struct rbuf blob);
/* The token at *at, which moves behind it. After FDT_END and FDT_BAD it stays. */
struct fdt_token fdt_next(const struct fdt *tree, size_t *at);

/* The i-th range of memory that is not to be used, of the block beside the tree itself; false: no more. */
must_check bool fdt_reservation(const struct fdt *tree, size_t i, uint64_t *base, uint64_t *size);

/* Big-endian numbers in a value; 0 beyond its end. */
uint32_t fdt_u32(struct rbuf value, size_t index);
/* `cells` (0..2) cells from `index` on, as one number. */
uint64_t fdt_cells(struct rbuf value, size_t index, uint32_t cells);
/* A text value without its NUL. */
struct str fdt_str(struct rbuf value);
/* Is s one of the NUL-separated strings of value? */
bool fdt_has_str(struct rbuf value, struct str s);

#endif
