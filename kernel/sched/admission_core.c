/*
 * admission_core.c - exact admission of deadline threads; see admission_core.h.
 *
 * With C the charged runtime, k = 1000 - reserve_permille:
 *
 * Utilization. The sum of C/T against k/1000, first in fractions of 2^-64, each rounded down, so that the
 * sum is too small by less than n units; only when the bound lies within them, by one fraction of big
 * integers: n periods of 40 bits each.
 *
 * Demand. dbf(t), the sum of C * (floor((t - D)/T) + 1) over D <= t, must satisfy 1000 dbf(t) <= k t
 * for every t. Sought is the greatest t that does not (QPA): nothing fails beyond the right bound; if
 * nothing fails beyond t, then all in [s, t] is right as well, where s is the instant by which dbf(t)
 * can be done, because dbf only rises: go on at s. The right bound is the least of two:
 *   - Baruah's: dbf(t) <= sum C/T (t + T - D), so a failing t is below
 *     sum (T - D) C/T / (k/1000 - sum C/T), here rounded up; none if utilization is all that there is;
 *   - the synchronous busy period L, the first instant by which all that was released before it can
 *     be done. A failing t > L would make t - L fail too: what came before L adds at most k L / 1000.
 *     With utilization at capacity it ends with the hyperperiod, or is not found.
 *
 * EDF-VD. Virtual deadlines v = ceil(x T) of HI tasks. LO mode: sum C/D (LO) + sum C/v (HI) <= k/1000,
 * given by x >= U_HI(LO) / (k/1000 - U_LO(LO)). HI mode: x' U_LO(LO) + U_HI(HI) <= k/1000, with x' the
 * greatest v/T. Those are theorems 1 and 2 of the paper for a hart of speed 1 with each utilization
 * divided by k/1000: at speed s a job of C takes C/s, which is what dividing by s says. The proof of
 * theorem 2 uses the scale twice, as the least v/T for what HI tasks run before the change and as the
 * greatest for what LO tasks run, so v/T may differ between tasks.
 *
 * Invariants: every C is at most 2^41, every T and D at most 2^40, every instant at most 2^60.
 *
 * Reference: Baruah, Rosier, Howell, "Algorithms and complexity concerning the preemptive scheduling
 * of periodic, real-time tasks on one processor" (1990); Zhang, Burns, "Schedulability analysis for
 * real-time systems with EDF scheduling" (2009); Baruah and others, "The preemptive uniprocessor
 * scheduling of mixed-criticality implicit-deadline sporadic task systems" (ECRTS 2012).
 */
#include "kernel/sched/admission_core.h"
#include "lib/assert.h"

typedef unsigned __int128 u128;

#define NEVER INT64_MAX
/* n factors of 40 bits, and room for the factor 1000 and the sum of n fractions. */
#define WORDS (ADMISSION_TASKS_MAX * 40 / 64 + 2)

/* A set of tasks, seen with one of their budgets. */
struct model {
	const struct admission_task *task;
	size_t n;
	const struct admission_limits *limits;
	uint32_t capacity; /* permille */
	enum { LOWER, HIGHER, HI_TASKS_HIGHER } budgets;
};

static bool task_is_hi(const struct admission_task *t)
{
	return t->high_runtime_ns != 0;
}

/* C of task i; 0 if it is not in the view. */
static uint64_t model_runtime(const struct model *m, size_t i)
{
	const struct admission_task *t = &m->task[i];
	if (m->budgets == HI_TASKS_HIGHER && !task_is_hi(t))
		return 0;
	bool higher = m->budgets != LOWER && task_is_hi(t);
	return (uint64_t)((higher ? t->high_runtime_ns : t->runtime_ns) + m->limits->charge_ns);
}

/* ---- arithmetic ---- */

/* floor(num * 2^64 / den), den at most 2^40. */
static u128 fraction(uint64_t num, uint64_t den)
{
	u128 q = num / den;
	uint64_t rest = num % den;
	for (unsigned bits = 0; bits < 64; bits += 16) {
		rest <<= 16;
		q = q << 16 | rest / den;
		rest %= den;
	}
	return q;
}

/* floor(num / den), den below 2^127: long division, since libgcc's is not at hand everywhere. */
static u128 divide(u128 num, u128 den)
{
	u128 q = 0, rest = 0;
	assert(den != 0 && den >> 127 == 0);
	for (int bit = 127; bit >= 0; bit--) {
		rest = rest << 1 | (num >> bit & 1);
		q <<= 1;
		if (rest >= den) {
			rest -= den;
			q |= 1;
		}
	}
	return q;
}

static int64_t clamp_i64(u128 v)
{
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

/* a = a * by + b * times, where the result fits. */
static void big_multiply_add(uint64_t *a, uint64_t by, const uint64_t *b, uint64_t times)
{
	uint64_t carry = 0;
	for (size_t w = 0; w < WORDS; w++) {
		u128 sum = (u128)a[w] * by + (u128)b[w] * times + carry;
		a[w] = (uint64_t)sum;
		carry = (uint64_t)(sum >> 64);
	}
	assert(carry == 0);
}

static bool big_is_above(const uint64_t *a, const uint64_t *b)
{
	for (size_t w = WORDS; w-- > 0;)
		if (a[w] != b[w])
			return a[w] > b[w];
	return false;
}

/* ---- utilization ---- */

/* Sum of C/T in 2^-64, too small by less than n units. */
static u128 model_utilization(const struct model *m)
{
	u128 sum = 0;
	for (size_t i = 0; i < m->n; i++)
		sum += fraction(model_runtime(m, i), (uint64_t)m->task[i].period_ns);
	return sum;
}

/* The same without an error: 1000 * num/den <= capacity? */
static bool utilization_fits_exactly(const struct model *m)
{
	uint64_t num[WORDS] = {0}, den[WORDS] = {1};
	for (size_t i = 0; i < m->n; i++) {
		uint64_t period = (uint64_t)m->task[i].period_ns;
		big_multiply_add(num, period, den, model_runtime(m, i));
		big_multiply_add(den, period, den, 0);
	}
	big_multiply_add(num, 1000, num, 0);
	big_multiply_add(den, m->capacity, den, 0);
	return !big_is_above(num, den);
}

static bool utilization_fits(const struct model *m)
{
	u128 low = model_utilization(m), capacity = (u128)m->capacity << 64;
	if (low * 1000 > capacity)
		return false;
	if ((low + m->n) * 1000 <= capacity)
		return true;
	return utilization_fits_exactly(m);
}

/* ---- demand ---- */

/* The charged time of all jobs that are released and due within t. */
static u128 model_demand(const struct model *m, int64_t t)
{
	u128 sum = 0;
	for (size_t i = 0; i < m->n; i++) {
		const struct admission_task *task = &m->task[i];
		if (t >= task->deadline_ns)
			sum += (u128)model_runtime(m, i) *
			       (uint64_t)((t - task->deadline_ns) / task->period_ns + 1);
	}
	return sum;
}

/* The charged time of all jobs that are released before t. */
static u128 model_work(const struct model *m, int64_t t)
{
	u128 sum = 0;
	for (size_t i = 0; i < m->n; i++)
		sum += (u128)model_runtime(m, i) * (uint64_t)div_up(t, m->task[i].period_ns);
	return sum;
}

static bool supply_is_short(const struct model *m, u128 demand, int64_t t)
{
	return demand * 1000 > (u128)t * m->capacity;
}

/* The first instant by which so much has been supplied; NEVER if it lies beyond the horizon. */
static int64_t supply_instant(const struct model *m, u128 demand)
{
	if (supply_is_short(m, demand, ADMISSION_HORIZON_NS))
		return NEVER;
	uint64_t d = (uint64_t)demand;
	return (int64_t)(d / m->capacity * 1000 + div_up(d % m->capacity * 1000, m->capacity));
}

/* The last absolute deadline before t, 0 if there is none. */
static int64_t deadline_before(const struct model *m, int64_t t)
{
	int64_t last = 0;
	for (size_t i = 0; i < m->n; i++) {
		int64_t deadline = m->task[i].deadline_ns, period = m->task[i].period_ns;
		if (deadline < t)
			last = max(last, deadline + (t - 1 - deadline) / period * period);
	}
	return last;
}

static int64_t least_deadline(const struct model *m)
{
	int64_t least = NEVER;
	for (size_t i = 0; i < m->n; i++)
		least = min(least, m->task[i].deadline_ns);
	return least;
}

/* Nothing fails beyond what is returned; NEVER if this says nothing. */
static int64_t baruah_bound(const struct model *m)
{
	u128 sum = 0, used = (model_utilization(m) + m->n) * 1000;
	u128 capacity = (u128)m->capacity << 64;
	if (used >= capacity)
		return NEVER;
	for (size_t i = 0; i < m->n; i++) {
		const struct admission_task *t = &m->task[i];
		u128 share = fraction(model_runtime(m, i), (uint64_t)t->period_ns) + 1;
		sum += share * (uint64_t)(t->period_ns - t->deadline_ns);
	}
	u128 bound = divide(sum * 1000, capacity - used);
	return bound <= ADMISSION_HORIZON_NS ? (int64_t)bound : NEVER;
}

/* The length of the synchronous busy period if that is less than `bound`, else `bound`. */
static int64_t busy_period(const struct model *m, int64_t bound)
{
	int64_t length = supply_instant(m, model_work(m, 1));
	for (uint32_t points = 0; points < m->limits->points_max && length < bound; points++) {
		int64_t next = supply_instant(m, model_work(m, length));
		if (next == length)
			return length;
		assert(next > length);
		length = next;
	}
	return bound;
}

/* Backward from `right` to the greatest instant that is missed, or to none. */
static enum admission_reason demand_search(const struct model *m, int64_t right, int64_t *missed)
{
	int64_t least = least_deadline(m), t = deadline_before(m, right + 1);
	for (uint32_t points = 0; points < m->limits->points_max; points++) {
		int64_t done = supply_instant(m, model_demand(m, t));
		if (done > t) {
			*missed = t;
			return ADMISSION_DEMAND;
		}
		if (done <= least)
			return ADMISSION_ADMITTED;
		t = done < t ? done : deadline_before(m, t);
	}
	return ADMISSION_COMPLEX;
}

static bool model_is_implicit(const struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (model_runtime(m, i) != 0 && m->task[i].deadline_ns != m->task[i].period_ns)
			return false;
	return true;
}

/* The verdict; *missed is set to an instant if one was met on the way. */
static enum admission_reason model_check(const struct model *m, int64_t *missed)
{
	if (!utilization_fits(m))
		return ADMISSION_UTILIZATION;
	if (model_is_implicit(m))
		return ADMISSION_ADMITTED;
	int64_t right = busy_period(m, baruah_bound(m));
	return right == NEVER ? ADMISSION_COMPLEX : demand_search(m, right, missed);
}

/* ---- which instant is missed ---- */

/* Forward over the absolute deadlines: the first that is missed, 0 if not among points_max of them. */
static int64_t first_miss(const struct model *m)
{
	int64_t next[ADMISSION_TASKS_MAX];
	u128 demand = 0;
	for (size_t i = 0; i < m->n; i++)
		next[i] = model_runtime(m, i) != 0 ? m->task[i].deadline_ns : NEVER;
	for (uint32_t points = 0; points < m->limits->points_max; points++) {
		int64_t t = NEVER;
		for (size_t i = 0; i < m->n; i++)
			t = min(t, next[i]);
		for (size_t i = 0; i < m->n; i++) {
			if (next[i] != t)
				continue;
			demand += model_runtime(m, i);
			next[i] += m->task[i].period_ns;
		}
		if (supply_is_short(m, demand, t))
			return t;
	}
	return 0;
}

/*
 * Utilization is above capacity: an instant that is missed for certain, 0 if there is none before the
 * horizon. As dbf(t) > sum C/T (t - D), it fails where (sum C/T - capacity) t >= sum C/T D.
 */
static int64_t certain_miss(const struct model *m)
{
	u128 sum = 0, used = model_utilization(m) * 1000, capacity = (u128)m->capacity << 64;
	for (size_t i = 0; i < m->n; i++) {
		const struct admission_task *t = &m->task[i];
		uint64_t runtime = model_runtime(m, i);
		if (supply_is_short(m, runtime, t->deadline_ns))
			return t->deadline_ns; /* alone; all others use less than the whole hart */
		sum += (fraction(runtime, (uint64_t)t->period_ns) + 1) * (uint64_t)t->deadline_ns;
	}
	if (used <= capacity)
		return 0;
	u128 t = divide(sum * 1000, used - capacity) + 1;
	return t <= ADMISSION_HORIZON_NS ? deadline_before(m, (int64_t)t + 1) : 0;
}

static void report_instant(const struct model *m, int64_t missed, struct admission_report *out)
{
	int64_t first = first_miss(m);
	if (first == 0 && missed == 0 && out->reason == ADMISSION_UTILIZATION)
		missed = certain_miss(m);
	out->instant_ns = first ? first : missed;
	if (out->instant_ns == 0)
		return;
	if (out->reason == ADMISSION_COMPLEX)
		out->reason = ADMISSION_DEMAND;
	out->first = first != 0;
	out->high = m->budgets == HI_TASKS_HIGHER;
	u128 demand = model_demand(m, out->instant_ns);
	assert(supply_is_short(m, demand, out->instant_ns));
	out->demand_ns = clamp_i64(demand);
	out->supply_ns =
		out->instant_ns / 1000 * m->capacity + out->instant_ns % 1000 * m->capacity / 1000;
}

/* ---- mixed criticality ---- */

int64_t admission_virtual_deadline(uint64_t x, int64_t period_ns)
{
	return (int64_t)(((u128)x * (uint64_t)period_ns + ADMISSION_X_ONE - 1) >> 32);
}

/* In 2^-64, none too small. */
struct vd_shares {
	u128 lo;    /* LO tasks, density */
	u128 hi_lo; /* HI tasks with their lower budgets */
	u128 hi_hi; /* HI tasks with their higher budgets */
};

static struct vd_shares vd_shares(const struct model *m)
{
	struct vd_shares s = {0};
	uint64_t charge = (uint64_t)m->limits->charge_ns;
	for (size_t i = 0; i < m->n; i++) {
		const struct admission_task *t = &m->task[i];
		u128 lower =
			fraction((uint64_t)t->runtime_ns + charge, (uint64_t)t->deadline_ns) + 1;
		if (!task_is_hi(t)) {
			s.lo += lower;
			continue;
		}
		s.hi_lo += lower;
		s.hi_hi +=
			fraction((uint64_t)t->high_runtime_ns + charge, (uint64_t)t->period_ns) + 1;
	}
	return s;
}

/* The greatest v/T of all HI tasks, in 2^-32, rounded up. */
static uint64_t vd_greatest_scale(const struct model *m, uint64_t x)
{
	uint64_t greatest = x;
	for (size_t i = 0; i < m->n; i++) {
		const struct admission_task *t = &m->task[i];
		if (!task_is_hi(t))
			continue;
		uint64_t deadline = (uint64_t)admission_virtual_deadline(x, t->period_ns);
		u128 scale = fraction(deadline, (uint64_t)t->period_ns) + 1; /* at most 2^64 + 1 */
		greatest = max(greatest, (uint64_t)(scale >> 32) + 1);
	}
	return min(greatest, ADMISSION_X_ONE);
}

/* The scale of virtual deadlines with which EDF-VD works, 0 if none does. */
static uint64_t vd_scale(const struct model *m)
{
	struct vd_shares s = vd_shares(m);
	u128 capacity = (u128)m->capacity << 64;
	/* Then x is at most 1, and no product below needs more than 128 bits. */
	if ((s.lo + s.hi_lo) * 1000 > capacity || s.hi_hi * 1000 > capacity)
		return 0;
	u128 room = capacity - s.lo * 1000;
	uint64_t x = (uint64_t)divide((s.hi_lo * 1000 << 32) + room - 1, room);
	u128 late = (u128)vd_greatest_scale(m, x) * s.lo / ADMISSION_X_ONE + 1;
	return (late + s.hi_hi) * 1000 <= capacity ? x : 0;
}

/*
 * With HI tasks: EDF alone where all fit with their HI budgets, else EDF-VD. A refusal names an instant
 * if the set misses one whatever the order: with the lower budgets, or HI tasks alone with the higher.
 */
static void check_criticality(struct model *m, struct admission_report *out)
{
	int64_t missed = 0;
	m->budgets = HIGHER;
	out->x = model_check(m, &missed) == ADMISSION_ADMITTED ? ADMISSION_X_ONE : vd_scale(m);
	if (out->x != 0)
		return;
	out->reason = ADMISSION_CRITICALITY;
	for (int step = 0; step < 2 && out->instant_ns == 0; step++) {
		missed = 0;
		m->budgets = step == 0 ? LOWER : HI_TASKS_HIGHER;
		enum admission_reason reason = model_check(m, &missed);
		if (reason == ADMISSION_ADMITTED)
			continue;
		out->reason = reason;
		report_instant(m, missed, out);
	}
}

/* ---- the whole ---- */

enum admission_reason admission_validate(
	const struct admission_task *t, const struct admission_limits *limits)
{
	if (t->period_ns < limits->period_least_ns)
		return ADMISSION_PERIOD_SHORT;
	if (t->period_ns > limits->period_greatest_ns)
		return ADMISSION_PERIOD_LONG;
	if (t->deadline_ns > t->period_ns)
		return ADMISSION_DEADLINE_LONG;
	if (t->runtime_ns < limits->runtime_least_ns)
		return ADMISSION_RUNTIME_SHORT;
	if (t->runtime_ns > t->deadline_ns)
		return ADMISSION_RUNTIME_LONG;
	if (!task_is_hi(t))
		return ADMISSION_ADMITTED;
	if (t->high_runtime_ns < t->runtime_ns)
		return ADMISSION_HI_RUNTIME_SHORT;
	if (t->high_runtime_ns > t->deadline_ns)
		return ADMISSION_HI_RUNTIME_LONG;
	return t->deadline_ns == t->period_ns ? ADMISSION_ADMITTED : ADMISSION_HI_DEADLINE;
}

static void limits_assert(const struct admission_limits *l)
{
	assert(l->runtime_least_ns >= 1 && l->period_least_ns >= 1);
	assert(l->period_greatest_ns <= ADMISSION_CEILING_NS);
	assert(l->charge_ns >= 0 && l->charge_ns <= ADMISSION_CEILING_NS);
	assert(l->reserve_permille < 1000);
	assert(l->points_max >= 1 && l->points_max <= ADMISSION_POINTS_CEILING);
}

/* Rounded up. */
static uint32_t utilization_ppm(u128 utilization)
{
	u128 ppm = (utilization * 1000000 + UINT64_MAX) >> 64; /* below 2^111 * 2^20 */
	return ppm > UINT32_MAX ? UINT32_MAX : (uint32_t)ppm;
}

static bool tasks_are_valid(const struct model *m, struct admission_report *out)
{
	if (m->n > ADMISSION_TASKS_MAX) {
		out->reason = ADMISSION_TASKS;
		return false;
	}
	for (size_t i = 0; i < m->n; i++) {
		out->reason = admission_validate(&m->task[i], m->limits);
		out->task = (uint32_t)i;
		if (out->reason != ADMISSION_ADMITTED)
			return false;
	}
	out->task = 0;
	return true;
}

static bool model_has_hi(const struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (task_is_hi(&m->task[i]))
			return true;
	return false;
}

static struct model model_begin(const struct admission_task *tasks, size_t n,
	const struct admission_limits *limits, struct admission_report *out)
{
	limits_assert(limits);
	struct model m = {tasks, n, limits, 1000 - limits->reserve_permille, LOWER};
	*out = (struct admission_report){.capacity_ppm = m.capacity * 1000, .x = ADMISSION_X_ONE};
	return m;
}

static void model_shares(struct model *m, struct admission_report *out)
{
	m->budgets = LOWER;
	out->utilization_ppm = utilization_ppm(model_utilization(m));
	m->budgets = HI_TASKS_HIGHER;
	if (model_has_hi(m))
		out->hi_utilization_ppm = utilization_ppm(model_utilization(m));
}

void admission_shares(const struct admission_task *tasks, size_t n,
	const struct admission_limits *limits, struct admission_report *out)
{
	struct model m = model_begin(tasks, n, limits, out);
	model_shares(&m, out);
}

bool admission_check(const struct admission_task *tasks, size_t n,
	const struct admission_limits *limits, struct admission_report *out)
{
	struct model m = model_begin(tasks, n, limits, out);
	if (!tasks_are_valid(&m, out))
		return false;
	model_shares(&m, out);
	if (model_has_hi(&m)) {
		check_criticality(&m, out);
	} else {
		int64_t missed = 0;
		m.budgets = LOWER;
		out->reason = model_check(&m, &missed);
		if (out->reason != ADMISSION_ADMITTED)
			report_instant(&m, missed, out);
	}
	return out->reason == ADMISSION_ADMITTED;
}

enum err admission_first_fit(uint64_t harts, admission_try_fn *try, void *arg, struct admission_report *out, uint32_t *hart)
{
	enum err err = ERR_NOSPC;
	*out = (struct admission_report){.reason = ADMISSION_TASKS};
	*hart = ADMISSION_NOWHERE;
	for (; harts != 0 && err == ERR_NOSPC; harts &= harts - 1) {
		*hart = (uint32_t)__builtin_ctzll(harts);
		err = try(arg, *hart, out);
	}
	return err;
}
