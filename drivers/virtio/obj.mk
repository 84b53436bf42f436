obj-$(CONFIG_DRIVER_VIRTIO) += virtio_mmio.o virtq_core.o
obj-$(CONFIG_DRIVER_VIRTIO_NET) += virtio_net.o
obj-$(CONFIG_DRIVER_VIRTIO_RNG) += virtio_rng.o
