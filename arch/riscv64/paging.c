/*
 * paging.c - the one page table: Sv39, every address mapped to itself, with the
 * largest page that fits (1 GiB, 2 MiB, 4 KiB) and a split where a part changes.
 * Text RX, rodata R, all else RW; nothing is ever writable and executable.
 *
 * Interface: arch_paging_init, then arch_map, arch_protect, arch_unmap, arch_prot_at.
 *
 * Flushing: an address that becomes mapped, or a page that is split, needs no flush
 * on other harts. Taking something away flushes here, asks the others by IPI_FLUSH and
 * goes on: arch_flush_reached() tells later when all have done it.
 *
 * Locks: paging_lock, a leaf, interrupts off. New tables are fetched before it is
 * taken, so that the allocator runs under no lock of ours.
 *
 * Invariants: no leaf has W and X; tables are never freed.
 */
#include "arch/riscv64/arch_priv.h"

#define PTE_V 0x01UL
#define PTE_R 0x02UL
#define PTE_W 0x04UL
#define PTE_X 0x08UL
#define PTE_U 0x10UL
#define PTE_G 0x20UL
#define PTE_A 0x40UL
#define PTE_D 0x80UL

#define PTE_LEAF    (PTE_R | PTE_W | PTE_X)
#define TABLE_COUNT 512
#define LEVEL_TOP   2
#define SATP_SV39   (8UL << 60)
#define SPARE_MAX   4
#define EARLY_MAX   10 /* tables before mm: the root, two regions, image, devices, firmware's edge */

typedef uint64_t pte;

static pte paging_root[TABLE_COUNT] aligned_to(PAGE_SIZE);
static pte early_tables[EARLY_MAX][TABLE_COUNT] aligned_to(PAGE_SIZE);
static size_t early_used;
static void *(*paging_alloc)(void);

static struct arch_lock paging_lock;
static pte *spare[SPARE_MAX]; /* zeroed tables; under paging_lock */
static size_t spare_count;
static uint64_t flush_generation; /* atomic */

static size_t level_size(unsigned level)
{
	return PAGE_SIZE << 9 * level;
}

static size_t level_index(uintptr_t va, unsigned level)
{
	return va >> (PAGE_SHIFT + 9 * level) & (TABLE_COUNT - 1);
}

static pte *pte_table(pte e)
{
	return (pte *)(e >> 10 << PAGE_SHIFT);
}

static pte pte_make(uintptr_t pa, uint64_t bits)
{
	return pa >> PAGE_SHIFT << 10 | bits;
}

static uint64_t pte_bits(unsigned prot)
{
	assert(!((prot & PROT_W) && (prot & PROT_X)));
	uint64_t bits = PTE_V | PTE_A | PTE_D;
	bits |= prot & PROT_R ? PTE_R : 0;
	bits |= prot & PROT_W ? PTE_W | PTE_R : 0;
	bits |= prot & PROT_X ? PTE_X : 0;
	bits |= prot & PROT_USER ? PTE_U : PTE_G;
	return bits & PTE_LEAF ? bits : 0;
}

/* ---- tables in reserve ---- */

static pte *table_new(void)
{
	if (paging_alloc) {
		pte *t = paging_alloc();
		if (t)
			memset(t, 0, PAGE_SIZE);
		return t;
	}
	return early_used < EARLY_MAX ? early_tables[early_used++] : NULL;
}

/* Takes paging_lock with at least two tables in reserve, which is what one step may need. */
static bool paging_lock_with_spares(irqflags *flags)
{
	for (;;) {
		*flags = arch_lock_irqsave(&paging_lock);
		if (spare_count >= 2)
			return true;
		arch_unlock_irqrestore(&paging_lock, *flags);
		pte *t = table_new();
		if (!t)
			return false;
		*flags = arch_lock_irqsave(&paging_lock);
		if (spare_count < SPARE_MAX) {
			spare[spare_count++] = t;
			t = NULL;
		}
		arch_unlock_irqrestore(&paging_lock, *flags);
		debug_assert(t == NULL); /* at most CPU_MAX tables could be lost here, at boot */
	}
}

/* ---- one step, under the lock ---- */

/* The entry for va at `level`, with tables made and larger pages split on the way. */
static pte *paging_entry(uintptr_t va, unsigned level)
{
	pte *table = paging_root;
	for (unsigned l = LEVEL_TOP; l > level; l--) {
		pte *e = &table[level_index(va, l)];
		if (!(*e & PTE_V) || *e & PTE_LEAF) {
			pte *below = spare[--spare_count];
			uint64_t bits = *e & 0x3ff;
			for (size_t i = 0; *e & PTE_V && i < TABLE_COUNT; i++)
				below[i] = pte_make((uintptr_t)pte_table(*e) + i * level_size(l - 1), bits);
			/* The table is complete before the hardware can see it. */
			__atomic_store_n(e, pte_make((uintptr_t)below, PTE_V), __ATOMIC_RELEASE);
		}
		table = pte_table(*e);
	}
	return &table[level_index(va, level)];
}

/* The level of the largest page that may start at va and pa and is no longer than size. */
static unsigned paging_level(uintptr_t va, uintptr_t pa, size_t size)
{
	unsigned level = LEVEL_TOP;
	while (level > 0 && ((va | pa) % level_size(level) || size < level_size(level)))
		level--;
	return level;
}

/* The level at which va is mapped or ends unmapped, and its entry. */
static unsigned paging_find(uintptr_t va, pte *out)
{
	pte *table = paging_root;
	unsigned level = LEVEL_TOP;
	for (;; level--) {
		*out = __atomic_load_n(&table[level_index(va, level)], __ATOMIC_RELAXED);
		if (level == 0 || !(*out & PTE_V) || *out & PTE_LEAF)
			return level;
		table = pte_table(*out);
	}
}

/* ---- interface ---- */

void arch_flush_here(void)
{
	uint64_t generation = __atomic_load_n(&flush_generation, __ATOMIC_ACQUIRE);
	__asm__ volatile("sfence.vma" ::: "memory");
	__atomic_store_n(&arch_hart()->flush_generation, generation, __ATOMIC_RELEASE);
}

static void paging_flush_all(void)
{
	__atomic_fetch_add(&flush_generation, 1, __ATOMIC_ACQ_REL);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with hart_enable: it is seen online, or sees this */
	irqflags flags = arch_irq_save();
	arch_flush_here();
	uint32_t here = arch_cpu();
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		if (cpu != here && arch_cpu_online(cpu))
			arch_ipi_send(cpu, IPI_FLUSH);
	arch_irq_restore(flags);
}

uint64_t arch_flush_generation(void)
{
	return __atomic_load_n(&flush_generation, __ATOMIC_ACQUIRE);
}

bool arch_flush_reached(uint64_t generation)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const struct arch_hart *h = &cpu_of(arch_hart_template, cpu);
		if (h->online && __atomic_load_n(&h->flush_generation, __ATOMIC_ACQUIRE) < generation)
			return false;
	}
	return true;
}

void arch_paging_set_allocator(void *(*page_alloc)(void))
{
	paging_alloc = page_alloc;
}

enum err arch_map(vaddr va, paddr pa, size_t size, unsigned prot)
{
	assert((va.addr | pa.addr | size) % PAGE_SIZE == 0);
	uint64_t bits = pte_bits(prot);
	for (size_t done = 0; done < size;) {
		uintptr_t v = va.addr + done, p = pa.addr + done;
		unsigned level = paging_level(v, p, size - done);
		irqflags flags;
		if (!paging_lock_with_spares(&flags))
			return ERR_NOMEM;
		pte *e = paging_entry(v, level);
		enum err err = *e & PTE_V ? ERR_EXIST : OK;
		if (err == OK)
			__atomic_store_n(e, pte_make(p, bits), __ATOMIC_RELEASE);
		arch_unlock_irqrestore(&paging_lock, flags);
		if (err != OK)
			return err;
		done += level_size(level);
	}
	__asm__ volatile("sfence.vma" ::: "memory");
	return OK;
}

/* Gives what is mapped in the range new bits; 0 unmaps it. */
static enum err paging_change(uintptr_t va, size_t size, uint64_t bits)
{
	assert((va | size) % PAGE_SIZE == 0);
	for (size_t done = 0; done < size;) {
		irqflags flags;
		if (!paging_lock_with_spares(&flags))
			return ERR_NOMEM;
		pte found;
		unsigned there = paging_find(va + done, &found);
		unsigned level = min(there, paging_level(va + done, va + done, size - done));
		if (found & PTE_V) {
			pte *e = paging_entry(va + done, level);
			uintptr_t pa = (uintptr_t)pte_table(*e);
			__atomic_store_n(e, bits ? pte_make(pa, bits) : 0, __ATOMIC_RELEASE);
		}
		arch_unlock_irqrestore(&paging_lock, flags);
		done += level_size(level);
	}
	paging_flush_all();
	return OK;
}

enum err arch_protect(vaddr va, size_t size, unsigned prot)
{
	return paging_change(va.addr, size, pte_bits(prot));
}

void arch_unmap(vaddr va, size_t size)
{
	enum err err = paging_change(va.addr, size, 0);
	assert(err == OK);
}

unsigned arch_prot_at(vaddr va)
{
	pte e;
	paging_find(va.addr, &e);
	if (!(e & PTE_V))
		return PROT_NONE;
	return (e & PTE_R ? PROT_R : 0) | (e & PTE_W ? PROT_W : 0) | (e & PTE_X ? PROT_X : 0) |
		(e & PTE_U ? PROT_USER : 0);
}

void arch_rights(struct arch_rights *out)
{
	*out = (struct arch_rights){0};
	for (uintptr_t va = 0; va < (uintptr_t)1 << 38;) {
		pte e;
		size_t size = level_size(paging_find(va, &e));
		bool leaf = e & PTE_V;
		out->read_only_bytes += leaf && !(e & (PTE_W | PTE_X)) ? size : 0;
		out->writable_bytes += leaf && (e & PTE_W) ? size : 0;
		out->executable_bytes += leaf && (e & PTE_X) ? size : 0;
		out->writable_executable_bytes += leaf && (e & PTE_W) && (e & PTE_X) ? size : 0;
		va += size;
	}
}

/* ---- boot ---- */

/* Maps [base, end) to itself without what the firmware keeps. */
static void paging_map_memory(uintptr_t base, uintptr_t end)
{
	for (size_t i = 0; i < machine.firmware_count; i++) {
		uintptr_t from = align_down(machine.reserved[i].base, PAGE_SIZE);
		uintptr_t to = align_up(machine.reserved[i].base + machine.reserved[i].size, PAGE_SIZE);
		if (from >= end || to <= base)
			continue;
		if (from > base)
			paging_map_memory(base, from);
		base = to;
	}
	if (base >= end)
		return;
	enum err err = arch_map((vaddr){base}, (paddr){base}, end - base, PROT_R | PROT_W);
	assert(err == OK);
}

static void paging_map_device(uintptr_t base, size_t size)
{
	uintptr_t end = align_up(base + size, PAGE_SIZE);
	for (base = align_down(base, PAGE_SIZE); base < end;) {
		size_t step = level_size(min(paging_level(base, base, end - base), 1u));
		if (arch_prot_at((vaddr){base}) == PROT_NONE) {
			enum err err = arch_map((vaddr){base}, (paddr){base}, step,
				PROT_R | PROT_W | PROT_DEVICE);
			assert(err == OK);
		}
		base += step;
	}
}

static void paging_protect(char *from, char *to, unsigned prot)
{
	enum err err = arch_protect((vaddr){(uintptr_t)from}, (size_t)(to - from), prot);
	assert(err == OK);
}

void arch_paging_init(void)
{
	for (size_t i = 0; i < machine.memory_count; i++)
		paging_map_memory(align_up(machine.memory[i].base, PAGE_SIZE),
			align_down(machine.memory[i].base + machine.memory[i].size, PAGE_SIZE));
	for (size_t i = 0; i < machine.device_count; i++)
		paging_map_device(machine.device[i].base, machine.device[i].size);
	if (machine.sswi_base)
		paging_map_device(machine.sswi_base, CPU_MAX * sizeof(uint32_t));
	paging_protect(__text_start, __text_end, PROT_R | PROT_X);
	paging_protect(rodata_start, rodata_end, PROT_R);
	arch_unmap((vaddr){(uintptr_t)boot_stack_top - CONFIG_STACK_SIZE - PAGE_SIZE}, PAGE_SIZE);
}

void arch_paging_enable(void)
{
	uint64_t satp = SATP_SV39 | (uintptr_t)paging_root >> PAGE_SHIFT;
	__asm__ volatile("sfence.vma\n\tcsrw satp, %0\n\tsfence.vma" ::"r"(satp) : "memory");
}
