/*
 * arch_selftest.c - the machine as arch.h promises it: protection, per-hart data,
 * probes, the clock and the alarm.
 */
#include "kernel/diag/diag.h"
#include "kernel/diag/selftest.h"
#include "kernel/sync/waitq.h"

extern char __text_start[], __text_end[], rodata_start[], rodata_end[], image_end[];
extern char boot_stack_top[];

#define PATIENCE_NS (60 * NS_PER_S) /* ends what hangs */

static PERCPU(uint64_t, test_value) = 0x1234567890abcdef;
static uint32_t in_data = 0x00008067; /* ret */
static uint8_t test_page[4 * PAGE_SIZE] aligned_to(PAGE_SIZE);

SELFTEST(arch_percpu_copies)
{
	preempt_disable();
	uint32_t me = arch_cpu();
	ST_CHECK(this_cpu(test_value) == 0x1234567890abcdef);
	ST_CHECK(&this_cpu(test_value) == &cpu_of(test_value, me));
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		ST_CHECK(cpu_of(test_value, cpu) == 0x1234567890abcdef);
		ST_CHECK(arch_percpu_base[cpu] % CACHE_LINE == 0);
		for (uint32_t other = 0; other < cpu; other++)
			ST_CHECK(&cpu_of(test_value, cpu) != &cpu_of(test_value, other));
	}
	ST_CHECK(arch_hart()->base == arch_percpu_base[me]);
	preempt_enable();
}

SELFTEST(arch_wx_of_the_image)
{
	uint8_t byte;
	ST_CHECK(arch_probe_read(__text_start, &byte));
	ST_CHECK(!arch_probe_write(__text_start, byte));
	ST_CHECK(arch_probe_read(rodata_start, &byte));
	ST_CHECK(!arch_probe_write(rodata_start, byte));
	ST_CHECK(!arch_probe_exec(rodata_start));
	ST_CHECK(arch_probe_write(test_page, 1));
	ST_CHECK(!arch_probe_exec(&in_data));
}

SELFTEST(arch_no_page_is_writable_and_executable)
{
	for (size_t i = 0; i < machine.memory_count; i++) {
		uintptr_t base = align_up(machine.memory[i].base, PAGE_SIZE);
		uintptr_t end = machine.memory[i].base + machine.memory[i].size;
		unsigned wrong = 0;
		for (uintptr_t at = base; at < end; at += PAGE_SIZE) {
			unsigned prot = arch_prot_at((vaddr){at});
			bool text = at >= (uintptr_t)__text_start && at < (uintptr_t)__text_end;
			wrong += (prot & PROT_W) && (prot & PROT_X);
			wrong += text != !!(prot & PROT_X);
		}
		ST_CHECK(wrong == 0);
	}
}

SELFTEST(arch_rights_are_those_of_the_pages)
{
	struct arch_rights before, after;
	arch_rights(&before);
	ST_CHECK(before.writable_executable_bytes == 0);
	ST_CHECK(before.executable_bytes == (size_t)(__text_end - __text_start));
	ST_CHECK(before.read_only_bytes >= (size_t)(rodata_end - rodata_start));
	ST_CHECK(arch_protect((vaddr){(uintptr_t)test_page}, PAGE_SIZE, PROT_R) == OK);
	arch_rights(&after);
	ST_CHECK(after.read_only_bytes == before.read_only_bytes + PAGE_SIZE);
	ST_CHECK(after.writable_bytes == before.writable_bytes - PAGE_SIZE);
	ST_CHECK(arch_protect((vaddr){(uintptr_t)test_page}, PAGE_SIZE, PROT_R | PROT_W) == OK);
	arch_rights(&after);
	ST_CHECK(after.writable_bytes == before.writable_bytes);
}

SELFTEST(arch_null_and_firmware_are_not_there)
{
	uint8_t byte;
	/* The compiler must not know that it is NULL. */
	uintptr_t nowhere = 0;
	__asm__("" : "+r"(nowhere));
	ST_CHECK(!arch_probe_read((void *)nowhere, &byte));
	ST_CHECK(!arch_probe_write((void *)nowhere, 0));
	ST_CHECK(!arch_probe_exec((void *)nowhere));
	for (size_t i = 0; i < machine.firmware_count; i++)
		ST_CHECK(!arch_probe_read((void *)machine.reserved[i].base, &byte));
}

SELFTEST(arch_guard_below_the_boot_stack)
{
	uintptr_t base = (uintptr_t)boot_stack_top - CONFIG_STACK_SIZE;
	uint8_t byte;
	ST_CHECK(base % (2 * CONFIG_STACK_SIZE) == 0);
	ST_CHECK(arch_probe_read((void *)base, &byte));
	ST_CHECK(!arch_probe_read((void *)(base - 1), &byte));
	ST_CHECK(!arch_probe_write((void *)(base - PAGE_SIZE), 0));
}

SELFTEST(arch_split_protect_unmap_map)
{
	uintptr_t page = (uintptr_t)test_page + PAGE_SIZE;
	uint8_t byte = 0;
	test_page[PAGE_SIZE] = 42;
	ST_REQUIRE(arch_protect((vaddr){page}, PAGE_SIZE, PROT_R) == OK);
	ST_CHECK(arch_prot_at((vaddr){page}) == PROT_R);
	ST_CHECK(!arch_probe_write((void *)page, 1));
	ST_CHECK(arch_probe_write((void *)(page - 1), 1));
	ST_CHECK(arch_probe_write((void *)(page + PAGE_SIZE), 1));
	arch_unmap((vaddr){page}, PAGE_SIZE);
	ST_CHECK(arch_prot_at((vaddr){page}) == PROT_NONE);
	ST_CHECK(!arch_probe_read((void *)page, &byte));
	ST_REQUIRE(arch_map((vaddr){page}, (paddr){page}, PAGE_SIZE, PROT_R | PROT_W) == OK);
	ST_CHECK(arch_map((vaddr){page}, (paddr){page}, PAGE_SIZE, PROT_R) == ERR_EXIST);
	ST_CHECK(arch_probe_read((void *)page, &byte));
	ST_CHECK(byte == 42);
	uint64_t generation = arch_flush_generation();
	ktime until = ktime_add(arch_clock(), PATIENCE_NS);
	while (!arch_flush_reached(generation) && ktime_before(arch_clock(), until))
		arch_spin_relax(0);
	ST_CHECK(arch_flush_reached(generation));
}

static uint32_t never_ran;
static void test_function(void)
{
	never_ran++;
}

SELFTEST(arch_probe_of_what_works)
{
	uint8_t byte = 0;
	test_page[0] = 7;
	ST_CHECK(arch_probe_read(test_page, &byte) && byte == 7);
	ST_CHECK(arch_probe_write(test_page, 8) && test_page[0] == 8);
	never_ran = 0;
	ST_CHECK(arch_probe_exec((const void *)(uintptr_t)test_function));
	ST_CHECK(never_ran == 1);
}

SELFTEST(arch_clock_is_monotonic_and_ticks)
{
	ktime last = arch_clock(), begin = last;
	for (unsigned i = 0; i < 100000; i++) {
		ktime now = arch_clock();
		if (ktime_before(now, last)) {
			ST_CHECK(!"the clock went back");
			return;
		}
		last = now;
	}
	ST_CHECK(ktime_diff(last, begin) > 0);
}

/* The alarm's pending bit is looked at with interrupts off, so nothing else sees it. */
static bool timer_is_pending(void)
{
	uint64_t pending;
	__asm__ volatile("csrr %0, sip" : "=r"(pending));
	return pending & 0x20;
}

SELFTEST(arch_timer_is_never_early)
{
	irqflags flags = arch_irq_save();
	uint64_t before = arch_hart()->timer_ticks;
	unsigned early = 0;
	for (int64_t delta = 0; delta < 200; delta++) {
		ktime at = ktime_add(arch_clock(), delta * 137);
		arch_timer_set(at);
		while (!timer_is_pending())
			;
		early += ktime_before(arch_clock(), at);
		arch_timer_set(KTIME_NEVER);
	}
	ST_CHECK(early == 0);
	arch_timer_set(before == UINT64_MAX
			? KTIME_NEVER
			: (ktime){(int64_t)(before * arch_hart()->ns_per_tick)});
	arch_irq_restore(flags);
}

SELFTEST(arch_every_hart_is_up)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		ST_CHECK(arch_cpu_online(cpu));
}

SELFTEST(arch_backtrace_finds_the_caller)
{
	uintptr_t pc[8];
	bool exact;
	size_t n = arch_backtrace(NULL, pc, countof(pc), &exact);
	ST_CHECK(n >= 1);
	uint8_t room[80];
	struct abuf name = abuf_of(room, sizeof(room));
	symbol_describe(n ? pc[0] : 0, &name);
	if (exact)
		ST_CHECK(str_starts(abuf_str(&name), S("selftest_arch_backtrace")));
}

static uint32_t ipi_test_calls, ipi_nested;

static void ipi_test_called(void)
{
	ipi_nested += !arch_in_interrupt() || arch_irqs_enabled();
	ipi_test_calls++;
}

/* Reasons that come together are all served, each once, and one that is sent twice before it is taken is one. */
SELFTEST(arch_ipi_reasons_together)
{
	ipi_test_calls = ipi_nested = 0;
	arch_on_ipi(IPI_TEST, ipi_test_called);
	for (uint32_t i = 0; i < 3; i++) {
		irqflags flags = arch_irq_save();
		if (i > 0)
			arch_ipi_send(arch_cpu(), IPI_RESCHED);
		if (i > 1)
			arch_ipi_send(arch_cpu(), IPI_FLUSH);
		arch_ipi_send(arch_cpu(), IPI_TEST);
		arch_ipi_send(arch_cpu(), IPI_TEST);
		ST_CHECK(ipi_test_calls == i && !arch_need_resched());
		arch_irq_restore(flags);
		ktime until = ktime_add(arch_clock(), PATIENCE_NS);
		while (__atomic_load_n(&ipi_test_calls, __ATOMIC_RELAXED) == i && ktime_before(arch_clock(), until))
			arch_spin_relax(0);
		ST_CHECK(ipi_test_calls == i + 1 && !arch_need_resched());
	}
	ST_CHECK(ipi_nested == 0);
	arch_on_ipi(IPI_TEST, NULL);
	arch_ipi_send(arch_cpu(), IPI_TEST); /* nobody wants it */
	ST_CHECK(sleep_ns(NS_PER_MS) == OK && ipi_test_calls == 3);
}
