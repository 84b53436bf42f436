// The token in what a person pasted: the token itself, or the whole line or address with it. Null if there is none. Pure.

export function tokenOf(pasted) {
	const text = String(pasted ?? "").trim();
	const found = text.match(/[?&]token=([^&#\s]+)/)?.[1] ?? text;
	return /^[A-Za-z0-9_-]{16,128}$/.test(found) ? found : null;
}
