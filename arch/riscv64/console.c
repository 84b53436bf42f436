/*
 * console.c - output without interrupts, and the end of the machine.
 *
 * Before the device tree is read, and on a board without a known UART, characters go to
 * whoever listens by semihosting, else through the firmware, which may not have found a
 * console in the same tree; afterwards straight to the UART's transmit register.
 */
#include "arch/riscv64/arch_priv.h"

#define UART_LSR_EMPTY   0x20
#define UART_PATIENCE    100000 /* polls; a UART that never empties loses output, not the kernel */
#define SEMIHOST_WRITEC  0x03
#define SEMIHOST_ISERROR 0x08
#define SEMIHOST_EXIT    0x20
#define SEMIHOST_EXIT_BY 0x20026 /* application exit */

static volatile uint8_t *console_uart;

void arch_console_uart(uintptr_t base)
{
	console_uart = (volatile uint8_t *)base;
}

/* The call comes back as it was when nobody listens. */
static bool semihost_listens(void)
{
	const uint64_t status = (uint64_t)-1;
	return arch_semihost(SEMIHOST_ISERROR, &status) != SEMIHOST_ISERROR;
}

static void console_put_early(char c)
{
	if (semihost_listens())
		arch_semihost(SEMIHOST_WRITEC, &c);
	else
		sbi_call(SBI_PUTCHAR, 0, (unsigned char)c, 0, 0);
}

static void console_put(char c)
{
	if (!console_uart) {
		console_put_early(c);
		return;
	}
	for (unsigned i = 0; i < UART_PATIENCE && !(console_uart[5] & UART_LSR_EMPTY); i++)
		;
	console_uart[0] = (uint8_t)c;
}

void arch_console_write(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n')
			console_put('\r');
		console_put(s.ptr[i]);
	}
}

void arch_exit(int status)
{
	const uint64_t how[2] = {SEMIHOST_EXIT_BY, (uint64_t)status};
	arch_irq_disable();
	arch_semihost(SEMIHOST_EXIT, how); /* returns when nobody listens */
	sbi_call(SBI_EXT_SRST, 0, 0, status != 0, 0);
	arch_halt();
}

void arch_reboot(void)
{
	arch_irq_disable();
	sbi_call(SBI_EXT_SRST, 0, 1, 0, 0);
	arch_halt();
}
