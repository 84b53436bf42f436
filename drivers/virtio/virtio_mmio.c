/*
 * virtio_mmio.c - the MMIO transport (virtio 1.2 section 4.2).
 *
 * Locks: none: set-up runs in the boot thread; afterwards no register is touched whose reading
 * changes anything, or that is written in two steps.
 */
#include "drivers/virtio/virtio_priv.h"
#include "kernel/diag/diag.h"
#include "kernel/mm/mm.h"
#include "lib/assert.h"

enum virtio_reg {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080,
	REG_QUEUE_DRIVER = 0x090,
	REG_QUEUE_DEVICE = 0x0a0,
	REG_CONFIG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

#define VIRTIO_MAGIC          0x74726976 /* "virt" */
#define STATUS_ACKNOWLEDGE    1
#define STATUS_DRIVER         2
#define STATUS_DRIVER_OK      4
#define STATUS_FEATURES_OK    8
#define STATUS_FAILED         128
#define INTERRUPT_USED        1
#define INTERRUPT_CONFIG      2
#define VIRTIO_RESET_TRIES    1000
#define VIRTIO_CONFIG_TRIES   8

static uint32_t virtio_get(const struct virtio_dev *v, enum virtio_reg r)
{
	uint32_t value = *(volatile uint32_t *)(v->regs + r);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return value;
}

static void virtio_set(const struct virtio_dev *v, enum virtio_reg r, uint32_t value)
{
	*(volatile uint32_t *)(v->regs + r) = value;
}

static void virtio_set64(const struct virtio_dev *v, enum virtio_reg r, const void *ptr)
{
	uint64_t value = (uintptr_t)ptr;
	virtio_set(v, r, (uint32_t)value);
	*(volatile uint32_t *)(v->regs + r + 4) = (uint32_t)(value >> 32);
}

static void virtio_status_add(struct virtio_dev *v, uint32_t bit)
{
	virtio_set(v, REG_STATUS, virtio_get(v, REG_STATUS) | bit);
}

static enum err virtio_reset(struct virtio_dev *v)
{
	virtio_set(v, REG_STATUS, 0);
	for (int i = 0; i < VIRTIO_RESET_TRIES; i++)
		if (virtio_get(v, REG_STATUS) == 0)
			return OK;
	klog(LOG_ERR, "virtio: %.*s does not leave reset", STR_ARG(v->node));
	return ERR_IO;
}

bool virtio_fail(struct virtio_dev *v)
{
	virtio_status_add(v, STATUS_FAILED);
	return virtio_reset(v) == OK; /* logged if not; there is nothing more to do with the device */
}

static uint64_t virtio_features_offered(struct virtio_dev *v)
{
	virtio_set(v, REG_DEVICE_FEATURES_SEL, 0);
	uint64_t low = virtio_get(v, REG_DEVICE_FEATURES);
	virtio_set(v, REG_DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)virtio_get(v, REG_DEVICE_FEATURES) << 32;
}

static enum err virtio_negotiate(struct virtio_dev *v, uint64_t wanted)
{
	uint64_t offered = virtio_features_offered(v);
	if ((offered & VIRTIO_F_VERSION_1) == 0)
		return ERR_NOTSUP;
	v->features = offered & (wanted | VIRTIO_F_VERSION_1);
	virtio_set(v, REG_DRIVER_FEATURES_SEL, 0);
	virtio_set(v, REG_DRIVER_FEATURES, (uint32_t)v->features);
	virtio_set(v, REG_DRIVER_FEATURES_SEL, 1);
	virtio_set(v, REG_DRIVER_FEATURES, (uint32_t)(v->features >> 32));
	virtio_status_add(v, STATUS_FEATURES_OK);
	return (virtio_get(v, REG_STATUS) & STATUS_FEATURES_OK) != 0 ? OK : ERR_NOTSUP;
}

enum err virtio_open(struct virtio_dev *v, const struct machine_device *d, enum virtio_id id,
	uint64_t wanted)
{
	*v = (struct virtio_dev){.regs = (volatile uint8_t *)d->base, .node = d->node, .irq = d->irq};
	if (d->size < REG_CONFIG || virtio_get(v, REG_MAGIC) != VIRTIO_MAGIC)
		return ERR_NODEV;
	if (virtio_get(v, REG_DEVICE_ID) != id)
		return ERR_NODEV;
	if (virtio_get(v, REG_VERSION) != 2) {
		klog(LOG_ERR, "virtio: %.*s is a legacy device (version %u): start QEMU with "
			"-global virtio-mmio.force-legacy=false", STR_ARG(v->node),
			virtio_get(v, REG_VERSION));
		return ERR_NOTSUP;
	}
	if (d->irq == 0)
		return ERR_INVAL;
	enum err e = virtio_reset(v);
	if (e != OK)
		return e;
	virtio_status_add(v, STATUS_ACKNOWLEDGE);
	virtio_status_add(v, STATUS_DRIVER);
	e = virtio_negotiate(v, wanted);
	if (e != OK)
		virtio_fail(v);
	return e;
}

static unsigned virtio_page_order(size_t bytes)
{
	unsigned order = 0;
	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

enum err virtio_queue_init(struct virtio_dev *v, uint32_t index, uint16_t size, struct virtq *q,
	struct virtq_slot *slots)
{
	virtio_set(v, REG_QUEUE_SEL, index);
	if (virtio_get(v, REG_QUEUE_READY) != 0)
		return ERR_BUSY;
	uint32_t limit = virtio_get(v, REG_QUEUE_NUM_MAX);
	while (size > limit)
		size /= 2;
	if (size == 0)
		return ERR_NXIO;
	bool indirect = (v->features & VIRTIO_F_INDIRECT) != 0;
	size_t bytes = virtq_layout(size, indirect).total;
	/* Kept for ever: a device that was used once may still write to it. */
	void *mem = page_alloc(virtio_page_order(bytes));
	if (mem == NULL)
		return ERR_NOMEM;
	memset(mem, 0, bytes);
	virtq_init(q, size, mem, slots, indirect, (v->features & VIRTIO_F_EVENT_IDX) != 0);
	virtio_set(v, REG_QUEUE_NUM, size);
	virtio_set64(v, REG_QUEUE_DESC, q->desc);
	virtio_set64(v, REG_QUEUE_DRIVER, q->avail);
	virtio_set64(v, REG_QUEUE_DEVICE, q->used);
	virtio_set(v, REG_QUEUE_READY, 1);
	return OK;
}

void virtio_ready(struct virtio_dev *v)
{
	virtio_status_add(v, STATUS_DRIVER_OK);
}

/* Everything written to memory before is seen before the notification. */
void virtio_notify(struct virtio_dev *v, uint32_t queue)
{
	__asm__ volatile("fence iorw, iorw" : : : "memory");
	virtio_set(v, REG_QUEUE_NOTIFY, queue);
}

/* Which of the two it was is not asked: no driver here follows its configuration, and a read of a register is slow. */
void virtio_interrupt_ack(struct virtio_dev *v)
{
	virtio_set(v, REG_INTERRUPT_ACK, INTERRUPT_USED | INTERRUPT_CONFIG);
	__asm__ volatile("fence iorw, iorw" : : : "memory");
}

bool virtio_interrupt_pending(const struct virtio_dev *v)
{
	__asm__ volatile("fence iorw, iorw" : : : "memory"); /* behind what was found in the rings */
	return (virtio_get(v, REG_INTERRUPT_STATUS) & INTERRUPT_USED) != 0;
}

void virtio_config_read(struct virtio_dev *v, size_t offset, struct wbuf to)
{
	uint32_t before = 0, after = 0;
	for (int i = 0; i < VIRTIO_CONFIG_TRIES; i++) {
		before = virtio_get(v, REG_CONFIG_GENERATION);
		for (size_t k = 0; k < to.len; k++)
			to.ptr[k] = v->regs[REG_CONFIG + offset + k];
		after = virtio_get(v, REG_CONFIG_GENERATION);
		if (before == after)
			return;
	}
	klog(LOG_WARN, "virtio: the configuration of %.*s does not hold still", STR_ARG(v->node));
}
