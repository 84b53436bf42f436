/*
 * virtio_rng.c - entropy from the host: 64 bytes at boot, and again each
 * VIRTIO_RNG_PERIOD. A host that does not answer delays nothing.
 *
 * Context: probe in the boot thread; afterwards a soft callout takes and asks. The device raises no
 * interrupt: a minute more or less does not matter.
 */
#include "drivers/virtio/virtio_priv.h"
#include "kernel/diag/diag.h"
#include "kernel/time/time.h"

#define VIRTIO_RNG_BYTES     64
#define VIRTIO_RNG_QUEUE     8
#define VIRTIO_RNG_PERIOD_NS (600 * NS_PER_S)

static struct {
	struct virtio_dev dev;
	struct virtq queue; /* soft callout and boot thread, one after the other */
	struct virtq_slot slots[VIRTIO_RNG_QUEUE];
	uint8_t bytes[VIRTIO_RNG_BYTES] aligned_to(CACHE_LINE); /* the device's while it is out */
	struct callout timer;
	bool open;
} vrng;

static void virtio_rng_request(void)
{
	struct virtq_buf b = {(uintptr_t)vrng.bytes, sizeof(vrng.bytes)};
	if (virtq_add(&vrng.queue, &b, 0, 1, vrng.bytes) == OK && virtq_kick(&vrng.queue))
		virtio_notify(&vrng.dev, 0);
}

/* Takes what has come, if it has, and asks again; soon while the first has not come. */
static void virtio_rng_poll(void *arg)
{
	void *token;
	uint32_t len;
	(void)arg;
	int64_t again = NS_PER_S;
	if (virtq_take(&vrng.queue, &token, &len)) {
		rng_add_entropy(rbuf_of(vrng.bytes, len));
		memset(vrng.bytes, 0, sizeof(vrng.bytes));
		virtio_rng_request();
		again = VIRTIO_RNG_PERIOD_NS;
	}
	if (callout_start(&vrng.timer, ktime_add(clock_now(), again)) != OK)
		klog(LOG_WARN, "virtio_rng: no callout is free, entropy is not renewed");
}

static enum err virtio_rng_probe(const struct machine_device *d)
{
	if (vrng.open)
		return ERR_NODEV;
	enum err e = virtio_open(&vrng.dev, d, VIRTIO_ID_RNG, VIRTIO_F_EVENT_IDX);
	if (e != OK)
		return e;
	e = virtio_queue_init(&vrng.dev, 0, VIRTIO_RNG_QUEUE, &vrng.queue, vrng.slots);
	if (e != OK) {
		virtio_fail(&vrng.dev);
		return e;
	}
	vrng.open = true;
	virtio_ready(&vrng.dev);
	virtio_rng_request();
	callout_init(&vrng.timer, CALLOUT_SOFT, virtio_rng_poll, NULL);
	klog(LOG_INFO, "virtio_rng: %.*s feeds the random pool", STR_ARG(d->node));
	return callout_start(&vrng.timer, ktime_add(clock_now(), NS_PER_MS));
}
DRIVER(virtio_rng, .compatible = "virtio,mmio", .probe = virtio_rng_probe);
