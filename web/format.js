// Numbers as people read them, always with their unit.

const THIN = "\u202f";

export function bytes(n) {
	const units = ["B", "KiB", "MiB", "GiB"];
	let i = 0;
	while (n >= 1024 && i < units.length - 1) {
		n /= 1024;
		i++;
	}
	return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

export function count(n) {
	return Math.round(n).toLocaleString("en-US").replaceAll(",", THIN);
}

export function percent(share) {
	const p = 100 * share;
	return `${p > 0 && p < 9.95 ? p.toFixed(1) : Math.round(p)} %`;
}

export function duration(ns) {
	if (ns < 0)
		return `−${duration(-ns)}`;
	const units = [["ns", 1], ["µs", 1e3], ["ms", 1e6], ["s", 1e9]];
	const [unit, of] = units.findLast(([, of]) => ns >= of) ?? units[0];
	const n = ns / of;
	return `${of === 1 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${unit}`;
}

// For what is set and not measured: no decimal that says nothing.
export const exact = (text) => text.replace(".0", "");

export function uptime(ns) {
	const s = Math.floor(ns / 1e9);
	const pad = (n) => String(n).padStart(2, "0");
	const clock = `${pad(Math.floor(s / 3600) % 24)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
	return s >= 86400 ? `${Math.floor(s / 86400)} d ${clock}` : clock;
}
