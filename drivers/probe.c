/* probe.c - the point of the boot at which all drivers but the early ones are probed. */
#include "kernel/dev/dev.h"
#include "lib/initcall.h"

static enum err drivers_init(void)
{
	drivers_probe(false);
	return OK;
}
INITCALL(drivers, drivers_init, "packet", "rng", "netdev", "net_loopback");
