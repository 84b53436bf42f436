/* proc_priv.h - what the files of this folder share. */
#ifndef KERNEL_PROC_PROC_PRIV_H
#define KERNEL_PROC_PROC_PRIV_H

#include "lib/buf.h"

/* config.c, with CONFIG_PROC_CONFIG */
void procfs_config(struct abuf *out);

#endif
