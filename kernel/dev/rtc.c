/*
 * rtc.c - the real-time clock: one, the first that registers. Its time at that instant makes the wall clock
 * (kernel/time), which goes on with the monotonic clock; the device is not asked again, but by who compares.
 */
#include "kernel/dev/dev.h"
#include "kernel/time/time.h"

static const struct rtc *rtc_first; /* written at boot */

enum err rtc_register(const struct rtc *rtc)
{
	if (rtc_first)
		return ERR_EXIST;
	clock_wall_set(rtc->read(), clock_now());
	__atomic_store_n(&rtc_first, rtc, __ATOMIC_RELEASE);
	return OK;
}

struct i64_result rtc_now(void)
{
	const struct rtc *rtc = __atomic_load_n(&rtc_first, __ATOMIC_ACQUIRE);
	return rtc ? OK_RESULT(i64_result, rtc->read()) : ERR_RESULT(i64_result, ERR_NODEV);
}
