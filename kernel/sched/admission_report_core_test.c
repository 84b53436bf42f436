/* Host tests of admission_report_core.c. */
#include "tests/host/admission_sets.h"

static void check_words(const struct set *s, const char *expected)
{
	uint8_t text[300];
	struct abuf out = abuf_of(text, sizeof(text));
	struct admission_report r;
	(void)!set_check(s, &r);
	admission_report_render(&r, 0, &out);
	CHECK(abuf_ok(&out));
	CHECK_STR(abuf_str(&out), str_of_cstr(expected, 300));
}

TEST(admission_report_is_a_sentence)
{
	struct set s = {.limits = limits_of(50, 0, 100)};
	set_add(&s, 5000000, 10000000, 10000000);
	check_words(&s, "admitted on hart 0: every deadline is met (50% of the hart is asked for, "
			"95% is there)");
	set_add(&s, 5400000, 10000000, 10000000);
	check_words(&s, "refused on hart 0: 10.4 ms are due within 10 ms, which give 9.5 ms "
			"(104% of the hart is asked for, 95% is there)");
	s.task[1] = (struct admission_task){100, 0, 100, 500};
	check_words(&s, "refused on hart 0: 100 ns are due within 100 ns, which give 95 ns "
			"(70% of the hart is asked for, 95% is there)");
	s.task[1] = (struct admission_task){2000000, 9000000, 10000000, 10000000};
	s.task[0].high_runtime_ns = 6000001;
	check_words(&s, "refused on hart 0: with the critical threads at their higher budgets "
			"15.000001 ms are due within 10 ms, which give 9.5 ms "
			"(150.0001% of the hart is asked for, 95% is there)");
	s.task[0].high_runtime_ns = 0;
	check_words(&s,
		"refused on hart 0: critical threads could be late once one exceeds its lower "
		"budget (70% of the hart is asked for, 95% is there)");
	s.task[1] = (struct admission_task){20, 0, 10, 10};
	check_words(&s, "refused on hart 0: the runtime is longer than the deadline");
}

TEST(admission_has_words_for_every_reason)
{
	for (int reason = 0; reason <= ADMISSION_HI_DEADLINE; reason++)
		CHECK(admission_reason_text((enum admission_reason)reason).len > 10);
	CHECK_ASSERTS(admission_reason_text((enum admission_reason)(ADMISSION_HI_DEADLINE + 1)));
}
