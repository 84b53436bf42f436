// Colours as canvas and terminal take them: the style sheet's custom properties may hold light-dark(), which only an
// element resolves. And the choice of the scheme: the system's, light or dark, remembered here.

import { effect, signal } from "@preact/signals";

const KEY = "mazu-scheme";
export const SCHEMES = ["auto", "light", "dark"];

function remembered() {
	try {
		const value = localStorage.getItem(KEY);
		return SCHEMES.includes(value) ? value : "auto";
	} catch {
		return "auto";
	}
}

export const scheme = signal(remembered());
export const repaint = signal(0); // grows when colours changed

const probe = document.createElement("i");
probe.hidden = true;
const known = new Map(); // until colours change: to ask for one makes the browser do all the style that is due

export function colour(name) {
	if (!known.has(name)) {
		probe.style.color = `var(${name})`;
		known.set(name, getComputedStyle(probe).color);
	}
	return known.get(name);
}

function changed() {
	known.clear();
	repaint.value = repaint.peek() + 1;
}

export function startTheme() {
	document.body.append(probe);
	effect(() => {
		document.documentElement.style.colorScheme = scheme.value === "auto" ? "" : scheme.value;
		try {
			localStorage.setItem(KEY, scheme.value);
		} catch {
			// not remembered then
		}
		changed();
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}
