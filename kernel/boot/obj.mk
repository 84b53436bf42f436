obj-y += fdt_core.o
obj-y += initcall.o
obj-y += initcall_core.o
obj-y += isa_core.o
obj-y += machine.o
obj-y += main.o
obj-y += options_core.o
