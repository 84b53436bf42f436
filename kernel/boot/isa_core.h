/*
 * isa_core.h - what an ISA string of the device tree promises
 * ("rv64imafdc_zicsr_zba_sstc"), compared with what the kernel is compiled for.
 */
#ifndef KERNEL_BOOT_ISA_CORE_H
#define KERNEL_BOOT_ISA_CORE_H

#include "lib/buf.h"

/* A multi-letter extension, in lower case. */
bool isa_has(struct str isa, struct str extension);
/* False when something is missing, with its names, each behind a space, in `missing`. */
must_check bool isa_check(struct str isa, struct str mmu, struct abuf *missing);

#endif
