/* fdt_fuzz.c - any bytes as a device tree: refused, or readable to its end. */
#include "kernel/boot/fdt_core.h"
#include "kernel/boot/isa_core.h"
#include "lib/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fdt tree;
	if (fdt_open(&tree, rbuf_of(data, size)).len)
		return 0;
	size_t at = 0, before = 0;
	struct fdt_token t;
	while ((t = fdt_next(&tree, &at)).kind != FDT_END) {
		assert(t.kind != FDT_BAD && at > before);
		before = at;
		fdt_has_str(t.value, S("riscv,plic0"));
		fdt_cells(t.value, 0, 2);
		uint8_t room[64];
		struct abuf missing = abuf_of(room, sizeof(room));
		if (isa_check(fdt_str(t.value), t.name, &missing))
			assert(missing.len == 0);
	}
	return 0;
}
