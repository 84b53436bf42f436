obj-y += ramfs.o
obj-y += ramfs_image_core.o
obj-y += vfs.o
obj-y += vfs_core.o
obj-$(CONFIG_RAMFS_WRITE) += ramfs_write.o
obj-$(CONFIG_RAMFS_WRITE) += ramfs_core.o
