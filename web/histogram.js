// Histograms of the API: {le_ns: [b0, b1, ...], count: [...one more], max_ns, total}. count[i] is how many were at
// most le_ns[i] and more than the bound before; the last count has no bound.

export function sum(histograms) {
	if (!histograms.length)
		return null;
	const all = { le_ns: histograms[0].le_ns, count: histograms[0].count.map(() => 0), max_ns: 0, total: 0 };
	for (const h of histograms) {
		h.count.forEach((n, i) => { all.count[i] += n; });
		all.max_ns = Math.max(all.max_ns, h.max_ns);
		all.total += h.total;
	}
	return all;
}

// What came in between. Counts that went back say that the machine was started anew: then all of it did.
export function since(now, before) {
	if (!before || before.length !== now.length || now.some((n, i) => n < before[i]))
		return [...now];
	return now.map((n, i) => n - before[i]);
}

// The bound that this share of all lies within; null when there is none. No bound is above the longest seen.
export function quantile(h, share) {
	if (!h || h.total === 0)
		return null;
	let left = Math.ceil(share * h.total);
	for (let i = 0; i < h.le_ns.length; i++) {
		left -= h.count[i];
		if (left <= 0)
			return Math.min(h.le_ns[i], h.max_ns);
	}
	return h.max_ns;
}

// Heights of bars, 0 to 1. Logarithmic, for the few in the tail are those that matter; one alone is still seen.
export function heights(counts, most = Math.max(...counts)) {
	return counts.map((n) => (n > 0 ? Math.max(0.04, Math.log1p(n) / Math.log1p(Math.max(most, 1))) : 0));
}
