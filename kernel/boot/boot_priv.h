/*
 * boot_priv.h - what the files of kernel/boot share.
 */
#ifndef KERNEL_BOOT_BOOT_PRIV_H
#define KERNEL_BOOT_BOOT_PRIV_H

#include "arch/arch.h"

/* machine.c: fills `machine` from the tree or refuses the boot. The boot hart is machine.hart_id[0] already. */
void machine_read(const void *fdt);
/* Harts that the tree has and the configuration leaves out. */
uint32_t machine_harts_left_out(void);
/* Lowest byte of the stack on which a hart but the first starts; the page below is a guard. */
void *machine_idle_stack(uint32_t cpu);

/* initcall.c: runs all init functions in order, or refuses the boot. */
void initcalls_run(bool apps); /* all, or all but those that begin with app_ */

#endif
