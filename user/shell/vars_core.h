/* vars_core.h - the variables of a session: names and values, as many as fit. */
#ifndef USER_SHELL_VARS_CORE_H
#define USER_SHELL_VARS_CORE_H

#include "lib/str.h"

#define VARS_BYTES    1024
#define VARS_NAME_MAX 63

struct vars {
	size_t len;
	char bytes[VARS_BYTES]; /* each: length of the name (1 byte), of the value (2), name, value */
};

void vars_init(struct vars *v);
/* ERR_NOSPC: nothing is changed. ERR_NAMETOOLONG. */
must_check enum err vars_set(struct vars *v, struct str name, struct str value);
void vars_unset(struct vars *v, struct str name);
/* False: there is none. The text lives until the next change. */
must_check bool vars_get(const struct vars *v, struct str name, struct str *value);
must_check bool vars_at(const struct vars *v, size_t i, struct str *name, struct str *value);

#endif
