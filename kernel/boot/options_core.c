/*
 * options_core.c - reads the command line. The last of two options of one name counts.
 */
#include "kernel/boot/options_core.h"

static bool options_number(struct str text, uint64_t *out)
{
	struct u64_result n = str_to_u64(text, 10);
	if (n.err == OK)
		*out = n.value;
	return n.err == OK;
}

struct boot_options options_parse(struct str cmdline)
{
	struct boot_options o = {.mode = MODE_NORMAL};
	for (struct str word = str_word(&cmdline); word.len > 0; word = str_word(&cmdline)) {
		struct str value = word;
		struct str name = str_cut(&value, '=');
		if (str_eq(name, S("selftest"))) {
			o.mode = MODE_SELFTEST;
			o.what = value;
		} else if (str_eq(name, S("bench"))) {
			o.mode = MODE_BENCH;
			o.what = value;
		} else if (str_eq(name, S("run"))) {
			o.mode = MODE_RUN;
			o.what = value;
			o.args = str_trim(cmdline);
			return o;
		} else if (str_eq(name, S("loglevel"))) {
			o.loglevel = value;
		} else if (str_eq(word, S("idle=busy"))) {
			o.idle_busy = true;
		} else if (str_eq(name, S("failalloc")) && options_number(value, &o.fail_alloc)) {
			continue;
		} else if (str_eq(name, S("ip")) || str_eq(name, S("url"))) {
			continue; /* net/iface.c and net/web_access.c look for them themselves */
		} else if (o.unknown.len == 0) {
			o.unknown = word;
		}
	}
	return o;
}
