// Which records of the log are shown. Pure.

export const LEVELS = ["error", "warning", "info", "debug"]; // the most urgent first

// Those of that level or a more urgent one that have all the words. A level nobody knows is shown.
export function filterLog(entries, level, text) {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	const most = LEVELS.indexOf(level);
	return entries.filter((entry) => LEVELS.indexOf(entry.level) <= most && // unknown: -1
		words.every((word) => entry.text.toLowerCase().includes(word)));
}
