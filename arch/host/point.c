/*
 * point.c - the counter behind every point. Alone, so that programs that compile kernel files
 * but run no harts link nothing else of arch/host: the counter starts at 0 and is never 0 again.
 */
#include "arch/arch.h"

uint64_t arch_host_countdown;
ktime arch_host_now;
void (*arch_host_look)(void);
