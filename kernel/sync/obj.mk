obj-y += condvar.o
obj-y += event.o
obj-y += mqueue.o
obj-y += mutex.o
obj-y += pipe.o
obj-y += sem.o
obj-y += waitq.o
obj-y += softcall.o
