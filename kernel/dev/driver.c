/*
 * driver.c - finds for each device of the device tree the driver that takes it.
 *
 * A driver whose `compatible` is one of the device's strings is asked by probe();
 * ERR_NODEV passes the device on to the next. Devices are probed in the order of
 * the device tree table, which boot sorts by address. Their registers are mapped before.
 *
 * Context: the boot thread; early drivers before the scheduler runs.
 */
#include "kernel/dev/dev.h"
#include "kernel/diag/diag.h"
#include "lib/err.h"
#include "lib/initcall.h"

extern const struct driver driver_start[], driver_end[];

static bool driver_matches(const struct driver *drv, const struct machine_device *d)
{
	struct str wanted = str_of_cstr(drv->compatible, 64), rest = d->compatible;
	while (rest.len > 0)
		if (str_eq(str_cut(&rest, '\0'), wanted))
			return true;
	return false;
}

static enum err driver_map(const struct machine_device *d)
{
	uintptr_t base = align_down(d->base, PAGE_SIZE);
	size_t size = align_up(d->base + d->size, PAGE_SIZE) - base;
	if (d->size == 0 || arch_prot_at((vaddr){d->base}) != PROT_NONE)
		return OK;
	return arch_map((vaddr){base}, (paddr){base}, size, PROT_R | PROT_W | PROT_DEVICE);
}

static void driver_probe(const struct machine_device *d, bool early)
{
	for (const struct driver *drv = driver_start; drv < driver_end; drv++) {
		if (drv->early != early || !driver_matches(drv, d))
			continue;
		enum err e = driver_map(d);
		if (e == OK)
			e = drv->probe(d);
		if (e == ERR_NODEV)
			continue;
		struct str why = err_text(e);
		if (e != OK)
			klog(LOG_ERR, "%s: %.*s not usable: %.*s", drv->name, STR_ARG(d->node),
				STR_ARG(why));
		return;
	}
}

void drivers_probe(bool early)
{
	for (size_t i = 0; i < machine.device_count; i++)
		driver_probe(&machine.device[i], early);
}
