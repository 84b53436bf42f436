obj-$(CONFIG_DRIVER_VIRTIO) += virtq_core.o
