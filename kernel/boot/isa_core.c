/*
 * isa_core.c - reads ISA strings: "rv64", single letters up to the first '_' or
 * 's', 'x', 'z', then extensions separated by '_'. Case does not matter.
 */
#include "kernel/boot/isa_core.h"

static const struct str isa_needed[] = {STR_INIT("zba"), STR_INIT("zbb"), STR_INIT("zbs")};
static const struct str isa_paged[] = {
	STR_INIT("riscv,sv39"), STR_INIT("riscv,sv48"), STR_INIT("riscv,sv57")};

bool isa_has(struct str isa, struct str extension)
{
	while (isa.len > 0)
		if (str_eq_nocase(str_cut(&isa, '_'), extension))
			return true;
	return false;
}

static void isa_miss(struct abuf *missing, struct str what)
{
	abuf_char_add(missing, ' ');
	abuf_str_add(missing, what);
}

static bool isa_has_letter(struct str isa, char letter)
{
	struct str rest = isa;
	struct str letters = str_slice(str_cut(&rest, '_'), 4, isa.len);
	for (size_t i = 0; i < letters.len; i++) {
		char c = str_lower(letters.ptr[i]);
		if (c == letter || (c == 'g' && (letter == 'i' || letter == 'm' || letter == 'a')))
			return true;
		if (c == 's' || c == 'x' || c == 'z')
			return false;
	}
	return false;
}

bool isa_check(struct str isa, struct str mmu, struct abuf *missing)
{
	size_t before = missing->len;
	if (!str_eq_nocase(str_slice(isa, 0, 4), S("rv64")))
		isa_miss(missing, S("rv64"));
	for (const char *c = "imac"; *c; c++)
		if (!isa_has_letter(isa, *c))
			isa_miss(missing, str_of(c, 1));
	for (size_t i = 0; i < countof(isa_needed); i++)
		if (!isa_has(isa, isa_needed[i]))
			isa_miss(missing, isa_needed[i]);
	bool paged = false;
	for (size_t i = 0; i < countof(isa_paged); i++)
		paged |= str_eq(mmu, isa_paged[i]);
	if (!paged)
		isa_miss(missing, S("sv39"));
	return missing->len == before && !missing->overflow;
}
