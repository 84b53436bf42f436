/*
 * virtio_priv.h - what the virtio drivers share: a device found behind the MMIO
 * transport, its features, its queues.
 *
 *	virtio_open       is it a device of this kind? reset, features negotiated
 *	virtio_queue_init one queue, its memory taken
 *	virtio_ready      the device may start
 *	virtio_fail       on any error in between: tells the device, resets it
 *
 * Only version 2 (modern) devices are driven; a legacy one is refused with a log line.
 */
#ifndef DRIVERS_VIRTIO_PRIV_H
#define DRIVERS_VIRTIO_PRIV_H

#include "drivers/virtio/virtq_core.h"
#include "kernel/dev/dev.h"

enum virtio_id { VIRTIO_ID_NET = 1, VIRTIO_ID_RNG = 4 };

#define VIRTIO_F_INDIRECT   (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX  (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1  (UINT64_C(1) << 32)

struct virtio_dev {
	volatile uint8_t *regs;
	struct str node;
	uint32_t irq;
	uint64_t features; /* negotiated */
};

/* ERR_NODEV: empty, or another kind. ERR_NOTSUP: legacy, or without VERSION_1. */
must_check enum err virtio_open(struct virtio_dev *v, const struct machine_device *d, enum virtio_id id,
	uint64_t wanted);
/* size: a power of two, made smaller when the device's limit is. ERR_NOMEM, ERR_NXIO. */
must_check enum err virtio_queue_init(struct virtio_dev *v, uint32_t index, uint16_t size,
	struct virtq *q, struct virtq_slot *slots);
void virtio_ready(struct virtio_dev *v);
/* False: it does not leave off, and may write to the memory it was given. */
bool virtio_fail(struct virtio_dev *v);
void virtio_notify(struct virtio_dev *v, uint32_t queue);
/* In the interrupt handler, before the queues are looked at: used buffers and a changed configuration are acknowledged. */
void virtio_interrupt_ack(struct virtio_dev *v);
/* One is raised that nobody has acknowledged yet. Slow: a register is read. Any context. */
must_check bool virtio_interrupt_pending(const struct virtio_dev *v);
/* Bytes of the configuration space. */
void virtio_config_read(struct virtio_dev *v, size_t offset, struct wbuf to);

#endif
