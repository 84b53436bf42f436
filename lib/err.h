/*
 * err.h - an error code in words. Any context.
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include "lib/str.h"

/* One line that a person can act on: "no such file, thread or entry". */
struct str err_text(enum err e);
/* The symbol of the C library: "ENOENT". */
struct str err_name(enum err e);

#endif
