/*
 * symbols.c - names of functions, from the table that the build links in.
 *
 * Read-only, so usable in every context. Nothing in the table is trusted: a panic
 * may be about damaged memory.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/symtab.h"

/* The last entry whose offset is not above the wanted one. */
static size_t symbol_find(const uint32_t *offset, size_t count, uint32_t wanted)
{
	size_t low = 0, high = count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (offset[middle] <= wanted)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void symbol_print(uintptr_t pc, bool is_return, struct abuf *out)
{
	const struct symtab_header *h = (const struct symtab_header *)__symtab_start;
	size_t size = (size_t)(__symtab_end - __symtab_start);
	if (size < sizeof(*h) || h->magic != SYMTAB_MAGIC || h->count == 0 ||
		size < sizeof(*h) + h->count * 8 + h->names_len || pc < h->base ||
		pc - h->base >= h->text_len) {
		fmt(out, "%p", (void *)pc);
		return;
	}
	const uint32_t *offset = (const uint32_t *)(h + 1);
	const uint32_t *name = offset + h->count;
	const uint8_t *names = (const uint8_t *)(name + h->count);
	/* A call that does not return may be a function's last instruction: then pc is the next one's. */
	size_t i = symbol_find(offset, h->count, (uint32_t)(pc - h->base));
	if (i > 0 && offset[i] == pc - h->base && is_return)
		i--;
	struct rbuf all = rbuf_of(names, h->names_len);
	struct rbuf text = rbuf_slice(all, name[i] + 1, name[i] + 1 + names[name[i]]);
	fmt(out, "%.*s+0x%lx", STR_ARG(rbuf_str(text)), pc - h->base - offset[i]);
}

void symbol_describe(uintptr_t pc, struct abuf *out)
{
	symbol_print(pc, false, out);
}

void symbol_describe_return(uintptr_t pc, struct abuf *out)
{
	symbol_print(pc, true, out);
}
