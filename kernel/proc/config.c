/*
 * config.c - /proc/config: the options that the image was built with, one a line. The
 * build links the text in, as scripts/kconfig.py wrote it for this image.
 */
#include "kernel/proc/proc_priv.h"

extern const char config_text_start[], config_text_end[];

void procfs_config(struct abuf *out)
{
	abuf_bytes_add(out, config_text_start, (size_t)(config_text_end - config_text_start));
}
