obj-y += buf.o
obj-y += err.o
obj-y += fmt.o
obj-y += mem.o
obj-y += str.o
