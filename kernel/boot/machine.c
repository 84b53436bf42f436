/*
 * machine.c - fills `machine` from the device tree.
 *
 * One walk; a node is looked at when all its properties have been seen, which is
 * when its first child begins or it ends. What refers to other nodes (the contexts
 * of the interrupt controller) is resolved after the walk. Whatever the kernel
 * cannot do without and does not find stops the boot with a sentence.
 *
 * Locks: none; runs alone, before the other harts start.
 */
#include "kernel/boot/boot_priv.h"
#include "kernel/boot/fdt_core.h"
#include "kernel/boot/isa_core.h"
#include "kernel/diag/diag.h"

#define IRQ_S_EXTERNAL 9 /* at a hart's own interrupt controller */
#define IRQ_S_SOFT     1
#define HART_TREE_MAX  64
#define MEMORY_MIN     ((size_t)4 << 20) /* beside the image */

struct machine machine;
extern char image_start[], image_end[];

/*
 * The stacks of the other harts' idle threads follow the image, one for each hart that
 * there is. Behind each is as much that is not used: trap entry needs the alignment.
 */
static uintptr_t stacks_base;

/* What is known of a node while it is open. */
struct node {
	struct str name;
	struct rbuf compatible, reg, interrupts, interrupts_extended;
	struct str device_type, isa, mmu;
	uint32_t phandle, ndev, clock_hz;
	uint32_t address_cells, size_cells; /* for its children */
	bool disabled, no_map, done;
};

struct tree_hart {
	uint32_t id, intc;
	bool okay;
	struct str isa, mmu;
};

/* State of the walk; used once, at boot. */
static struct {
	struct node node[FDT_DEPTH_MAX + 1];
	struct tree_hart hart[HART_TREE_MAX];
	size_t hart_count;
	struct rbuf plic_contexts, sswi_contexts;
	uint64_t initrd_start, initrd_end;
	bool has_plic;
	uint32_t left_out;
} walk;

static void machine_reserve(uintptr_t base, size_t size)
{
	if (size == 0)
		return;
	if (machine.reserved_count == MACHINE_MEMORY_MAX)
		boot_refuse("the device tree reserves more than %d ranges of memory", MACHINE_MEMORY_MAX);
	machine.reserved[machine.reserved_count++] = (struct machine_region){base, size};
}

static void node_prop(struct node *n, struct str name, struct rbuf value)
{
	if (str_eq(name, S("compatible")))
		n->compatible = value;
	else if (str_eq(name, S("reg")))
		n->reg = value;
	else if (str_eq(name, S("interrupts")))
		n->interrupts = value;
	else if (str_eq(name, S("interrupts-extended")))
		n->interrupts_extended = value;
	else if (str_eq(name, S("device_type")))
		n->device_type = fdt_str(value);
	else if (str_eq(name, S("riscv,isa")))
		n->isa = fdt_str(value);
	else if (str_eq(name, S("mmu-type")))
		n->mmu = fdt_str(value);
	else if (str_eq(name, S("phandle")))
		n->phandle = fdt_u32(value, 0);
	else if (str_eq(name, S("riscv,ndev")))
		n->ndev = fdt_u32(value, 0);
	else if (str_eq(name, S("clock-frequency")))
		n->clock_hz = fdt_u32(value, 0);
	else if (str_eq(name, S("#address-cells")))
		n->address_cells = min(fdt_u32(value, 0), 2u);
	else if (str_eq(name, S("#size-cells")))
		n->size_cells = min(fdt_u32(value, 0), 2u);
	else if (str_eq(name, S("status")))
		n->disabled = !str_eq(fdt_str(value), S("okay")) && !str_eq(fdt_str(value), S("ok"));
	else if (str_eq(name, S("no-map")))
		n->no_map = true;
	else if (str_eq(name, S("model")))
		machine.model = machine.model.len ? machine.model : fdt_str(value);
	else if (str_eq(name, S("timebase-frequency")))
		machine.timebase_hz = fdt_u32(value, 0);
}

static void chosen_prop(struct str name, struct rbuf value)
{
	if (str_eq(name, S("bootargs")))
		machine.cmdline = fdt_str(value);
	else if (str_eq(name, S("rng-seed")))
		machine.rng_seed = value;
	else if (str_eq(name, S("linux,initrd-start")))
		walk.initrd_start = fdt_cells(value, 0, (uint32_t)min(value.len / 4, (size_t)2));
	else if (str_eq(name, S("linux,initrd-end")))
		walk.initrd_end = fdt_cells(value, 0, (uint32_t)min(value.len / 4, (size_t)2));
}

/* The i-th (address, size) of a node's reg, by its parent's cells. */
static bool node_reg(const struct node *n, size_t i, struct machine_region *out)
{
	const struct node *parent = n - 1;
	size_t cells = parent->address_cells + parent->size_cells;
	if (cells == 0 || (i + 1) * cells > n->reg.len / 4)
		return false;
	out->base = fdt_cells(n->reg, i * cells, parent->address_cells);
	out->size = fdt_cells(n->reg, i * cells + parent->address_cells, parent->size_cells);
	return out->size != 0 && out->base + out->size > out->base;
}

static void node_hart(const struct node *n)
{
	if (walk.hart_count == HART_TREE_MAX)
		return;
	walk.hart[walk.hart_count++] = (struct tree_hart){
		.id = (uint32_t)fdt_cells(n->reg, 0, min((n - 1)->address_cells, 2u)),
		.okay = !n->disabled,
		.isa = n->isa,
		.mmu = n->mmu,
	};
}

static void node_memory(const struct node *n)
{
	struct machine_region r;
	for (size_t i = 0; node_reg(n, i, &r); i++) {
		if (machine.memory_count == MACHINE_MEMORY_MAX)
			boot_refuse("the memory has more than %d ranges", MACHINE_MEMORY_MAX);
		machine.memory[machine.memory_count++] = r;
	}
}

/* The table stays in the order of addresses: so network interfaces get the same names at every boot. */
static void node_device(const struct node *n, const struct machine_region *r)
{
	if (machine.device_count == MACHINE_DEVICE_MAX) {
		klog(LOG_WARN, "boot: too many devices, %.*s left out", STR_ARG(n->name));
		return;
	}
	size_t i = machine.device_count++;
	for (; i > 0 && machine.device[i - 1].base > r->base; i--)
		machine.device[i] = machine.device[i - 1];
	machine.device[i] = (struct machine_device){
		.node = n->name,
		.compatible = rbuf_str(n->compatible),
		.base = r->base,
		.size = r->size,
		.irq = fdt_u32(n->interrupts, 0),
		.clock_hz = n->clock_hz,
		.first_param = n->ndev,
	};
}

static void node_done(struct node *n, const struct node *stack)
{
	size_t depth = (size_t)(n - stack);
	struct machine_region r;
	n->done = true;
	if (depth >= 2 && str_eq(n[-1].name, S("cpus")) && str_eq(n->device_type, S("cpu")))
		node_hart(n);
	else if (depth >= 3 && fdt_has_str(n->compatible, S("riscv,cpu-intc")) && walk.hart_count)
		walk.hart[walk.hart_count - 1].intc = n->phandle;
	if (depth < 1 || !node_reg(n, 0, &r) || n->disabled)
		return;
	if (depth == 1 && str_eq(n->device_type, S("memory")))
		node_memory(n);
	else if (str_eq(n[-1].name, S("reserved-memory")))
		machine_reserve(r.base, r.size);
	else if (fdt_has_str(n->compatible, S("riscv,aclint-sswi"))) {
		machine.sswi_base = r.base;
		walk.sswi_contexts = n->interrupts_extended;
	} else if (fdt_has_str(n->compatible, S("riscv,plic0"))) {
		walk.plic_contexts = n->interrupts_extended;
		walk.has_plic = true;
		node_device(n, &r);
	} else if (n->interrupts.len >= 4) {
		node_device(n, &r);
	}
}

static void machine_walk(const struct fdt *tree)
{
	struct node *stack = walk.node;
	struct node *n = stack - 1;
	size_t at = 0;
	struct fdt_token t;
	while ((t = fdt_next(tree, &at)).kind != FDT_END) {
		if (t.kind == FDT_PROP) {
			node_prop(n, t.name, t.value);
			if (n == stack + 1 && str_eq(n->name, S("chosen")))
				chosen_prop(t.name, t.value);
			continue;
		}
		if (n >= stack && !n->done)
			node_done(n, stack);
		if (t.kind == FDT_NODE_END) {
			n--;
			continue;
		}
		n++;
		*n = (struct node){.name = t.name, .address_cells = 2, .size_cells = 1};
	}
}

/* Position of (phandle, irq) in a list of such pairs: the number of a context. */
static bool machine_context(struct rbuf pairs, uint32_t phandle, uint32_t irq, uint32_t *out)
{
	for (size_t i = 0; i < pairs.len / 8; i++) {
		if (fdt_u32(pairs, 2 * i) == phandle && fdt_u32(pairs, 2 * i + 1) == irq) {
			*out = (uint32_t)i;
			return true;
		}
	}
	return false;
}

static void machine_hart(const struct tree_hart *h, uint32_t cpu)
{
	struct abuf missing = abuf_of((uint8_t[128]){0}, 128);
	if (!isa_check(h->isa, h->mmu, &missing))
		boot_refuse("hart %u (%.*s) lacks what the kernel is compiled for:%.*s", h->id,
			STR_ARG(h->isa), STR_ARG(abuf_str(&missing)));
	machine.hart_id[cpu] = h->id;
	if (!machine_context(walk.plic_contexts, h->intc, IRQ_S_EXTERNAL, &machine.plic_context[cpu]))
		boot_refuse("hart %u has no supervisor context at the interrupt controller", h->id);
	if (machine.sswi_base &&
		!machine_context(walk.sswi_contexts, h->intc, IRQ_S_SOFT, &machine.sswi_index[cpu]))
		machine.sswi_base = 0;
}

/* The boot hart is cpu 0, the others follow in the order of the tree. */
static void machine_harts(void)
{
	uint32_t boot_hart = machine.hart_id[0], next = 1;
	bool found = false;
	for (size_t i = 0; i < walk.hart_count; i++) {
		const struct tree_hart *h = &walk.hart[i];
		if (h->id == boot_hart) {
			machine_hart(h, 0);
			machine.isa = h->isa;
			machine.has_sstc = isa_has(h->isa, S("sstc"));
			found = true;
		} else if (h->okay && next < CPU_MAX) {
			machine_hart(h, next++);
		} else if (h->okay) {
			walk.left_out++;
		}
	}
	if (!found)
		boot_refuse("the device tree does not describe hart %u, which is running", boot_hart);
	machine.cpu_count = next;
}

static void machine_memory_check(void)
{
	uintptr_t first = (uintptr_t)image_start, end = (uintptr_t)image_end;
	for (size_t i = 0; i < machine.memory_count; i++) {
		const struct machine_region *m = &machine.memory[i];
		if (first < m->base || first >= m->base + m->size)
			continue;
		if (end > m->base + m->size || m->base + m->size - end < MEMORY_MIN)
			boot_refuse("%zu KiB of memory are not enough: the kernel needs %zu KiB",
				m->size >> 10, (end - m->base + MEMORY_MIN) >> 10);
		return;
	}
	boot_refuse("the device tree names no memory where the kernel is loaded");
}

/* The ranges of the block beside the tree: not to be used, but mapped, since the tree itself may be among them. */
static void machine_reservations(const struct fdt *tree)
{
	uint64_t base, size;
	for (size_t i = 0; fdt_reservation(tree, i, &base, &size); i++)
		machine_reserve(base, size);
}

/* What the loader put somewhere is not where the kernel and the stacks behind it are. */
static void machine_apart(const char *what, uintptr_t base, size_t size)
{
	uintptr_t end = stacks_base + (machine.cpu_count - 1) * 2 * CONFIG_STACK_SIZE;
	if (base < end && base + size > (uintptr_t)image_start)
		boot_refuse("the %s lies at 0x%lx, where the kernel needs the memory up to 0x%lx", what, base, end);
}

void machine_read(const void *blob)
{
	struct fdt tree;
	if (!blob || (uintptr_t)blob % 8)
		boot_refuse("the firmware passed no device tree");
	size_t size = fdt_total_size(rbuf_of(blob, FDT_HEADER_SIZE));
	struct str wrong = fdt_open(&tree, rbuf_of(blob, size ? size : FDT_HEADER_SIZE));
	if (wrong.len)
		boot_refuse("the device tree is damaged: %.*s", STR_ARG(wrong));
	machine_walk(&tree);
	machine.firmware_count = machine.reserved_count;
	for (size_t i = 0; i < machine.device_count; i++)
		if (fdt_has_str(rbuf_of_str(machine.device[i].compatible), S("ns16550a")))
			arch_console_uart(machine.device[i].base);
	if (!walk.has_plic)
		boot_refuse("this board (%.*s) is unknown: no PLIC interrupt controller",
			STR_ARG(machine.model));
	if (machine.timebase_hz == 0 || NS_PER_S % (int64_t)machine.timebase_hz)
		boot_refuse("a timebase of %lu Hz does not divide a second into whole nanoseconds",
			machine.timebase_hz);
	machine_harts();
	machine_memory_check();
	stacks_base = align_up((uintptr_t)image_end + PAGE_SIZE, 2 * CONFIG_STACK_SIZE);
	machine_reserve((uintptr_t)image_start,
		stacks_base + (machine.cpu_count - 1) * 2 * CONFIG_STACK_SIZE - (uintptr_t)image_start);
	machine_apart("device tree", (uintptr_t)blob, size);
	machine_reserve((uintptr_t)blob, size);
	machine_reservations(&tree);
	if (walk.initrd_end > walk.initrd_start) {
		machine.initrd = (struct machine_region){
			walk.initrd_start, walk.initrd_end - walk.initrd_start};
		machine_apart("initrd", machine.initrd.base, machine.initrd.size);
		machine_reserve(machine.initrd.base, machine.initrd.size);
	}
}

uint32_t machine_harts_left_out(void)
{
	return walk.left_out;
}

void *machine_idle_stack(uint32_t cpu)
{
	assert(cpu > 0 && cpu < machine.cpu_count);
	return (void *)(stacks_base + (cpu - 1) * 2 * CONFIG_STACK_SIZE);
}
