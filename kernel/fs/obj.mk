obj-y += ramfs_image_core.o
obj-y += vfs_core.o
