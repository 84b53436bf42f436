obj-y += callout.o
obj-y += callout_core.o
obj-y += deadline.o
obj-y += wall.o
