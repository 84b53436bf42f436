/* Host tests of lib/err.c. */
#include "tests/host/test.h"
#include "lib/err.h"

TEST(err_every_code_has_words_of_its_own)
{
#define ERR_ONE(name, number, symbol, text) name,
	static const enum err all[] = {ERR_LIST(ERR_ONE)};
#undef ERR_ONE
	for (size_t i = 0; i < countof(all); i++) {
		CHECK(err_text(all[i]).len > 0);
		CHECK(err_name(all[i]).len > 0);
		CHECK(!str_eq(err_text(all[i]), S("unknown error")));
		for (size_t j = 0; j < i; j++) {
			CHECK(!str_eq(err_text(all[i]), err_text(all[j])));
			CHECK(!str_eq(err_name(all[i]), err_name(all[j])));
		}
	}
	CHECK(str_eq(err_name(ERR_NOENT), S("ENOENT")));
}

TEST(err_unknown_code)
{
	CHECK(str_eq(err_text((enum err)9999), S("unknown error")));
	CHECK(str_eq(err_name((enum err)9999), S("E?")));
}
