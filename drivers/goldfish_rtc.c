/*
 * goldfish_rtc.c - the real-time clock of QEMU's virt board: nanoseconds since 1970.
 *
 * Locks: reading the low half latches the high one, so a pair of reads is under LOCK_CHAR, interrupts off: a few
 * hundred instructions of the machine's.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"

enum goldfish_reg { GOLDFISH_TIME_LOW = 0x00, GOLDFISH_TIME_HIGH = 0x04 };
#define GOLDFISH_BYTES 0x20

static struct {
	struct spinlock lock;
	uintptr_t base;
} goldfish = {.lock = SPINLOCK_INIT(LOCK_CHAR)};

static int64_t goldfish_read(void)
{
	irqflags flags = spin_lock_irqsave(&goldfish.lock);
	uint64_t low = *(volatile uint32_t *)(goldfish.base + GOLDFISH_TIME_LOW);
	uint64_t high = *(volatile uint32_t *)(goldfish.base + GOLDFISH_TIME_HIGH);
	spin_unlock_irqrestore(&goldfish.lock, flags);
	return (int64_t)(high << 32 | low);
}

static enum err goldfish_probe(const struct machine_device *d)
{
	static const struct rtc rtc = {.name = STR_INIT("goldfish"), .read = goldfish_read};
	if (d->size < GOLDFISH_BYTES)
		return ERR_INVAL;
	if (goldfish.base)
		return ERR_BUSY;
	goldfish.base = d->base;
	klog(LOG_INFO, "rtc: %.*s", STR_ARG(d->node));
	return rtc_register(&rtc);
}
DRIVER(goldfish_rtc, .compatible = "google,goldfish-rtc", .probe = goldfish_probe);
