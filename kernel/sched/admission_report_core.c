/* admission_report_core.c - what admission said, in words; see admission_core.h. */
#include "kernel/sched/admission_core.h"
#include "lib/assert.h"
#include "lib/fmt.h"

struct str admission_reason_text(enum admission_reason reason)
{
#define ADMISSION_TEXT(name, text) STR_INIT(text),
	static const struct str texts[] = {ADMISSION_REASONS(ADMISSION_TEXT)};
#undef ADMISSION_TEXT
	assert((size_t)reason < countof(texts));
	return texts[reason];
}

/* value / 10^places, with no digit more than it has. */
static void render_decimal(struct abuf *out, uint64_t value, unsigned places)
{
	uint64_t one = 1;
	for (unsigned i = 0; i < places; i++)
		one *= 10;
	fmt_u64(out, value / one);
	if (value % one != 0)
		abuf_char_add(out, '.');
	for (value %= one; value != 0; value %= one) {
		one /= 10;
		abuf_char_add(out, (char)('0' + value / one));
	}
}

static void render_duration(struct abuf *out, int64_t ns)
{
	static const struct str unit[] = {
		STR_INIT(" ns"), STR_INIT(" us"), STR_INIT(" ms"), STR_INIT(" s")};
	unsigned i = ns < NS_PER_US ? 0 : ns < NS_PER_MS ? 1 : ns < NS_PER_S ? 2 : 3;
	render_decimal(out, (uint64_t)ns, 3 * i);
	abuf_str_add(out, unit[i]);
}

static void render_percent(struct abuf *out, uint32_t ppm)
{
	render_decimal(out, ppm, 4);
	abuf_char_add(out, '%');
}

static void render_shares(const struct admission_report *r, struct abuf *out)
{
	bool high = r->high;
	abuf_str_add(out, S(" ("));
	render_percent(out, high ? r->hi_utilization_ppm : r->utilization_ppm);
	abuf_str_add(out, S(" of the hart is asked for, "));
	render_percent(out, r->capacity_ppm);
	abuf_str_add(out, S(" is there)"));
}

static void render_miss(const struct admission_report *r, struct abuf *out)
{
	if (r->high)
		abuf_str_add(out, S("with the critical threads at their higher budgets "));
	render_duration(out, r->demand_ns);
	abuf_str_add(out, S(" are due within "));
	render_duration(out, r->instant_ns);
	abuf_str_add(out, S(", which give "));
	render_duration(out, r->supply_ns);
}

void admission_report_render(const struct admission_report *r, uint32_t hart, struct abuf *out)
{
	bool admitted = r->reason == ADMISSION_ADMITTED;
	abuf_str_add(out, admitted ? S("admitted") : S("refused"));
	if (hart != ADMISSION_NOWHERE)
		fmt(out, " on hart %u", hart);
	abuf_str_add(out, S(": "));
	if (r->instant_ns != 0)
		render_miss(r, out);
	else
		abuf_str_add(out, admission_reason_text(r->reason));
	if (r->capacity_ppm != 0 && r->reason < ADMISSION_TASKS)
		render_shares(r, out);
}
