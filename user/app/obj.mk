obj-$(CONFIG_APP_CONTROL_LOOP) += control_loop.o control_files.o
