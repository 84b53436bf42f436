// What is shown of a file: its text, or, when it is none, its first bytes as numbers. Pure.

const TEXT_MAX = 256 * 1024;
const BYTES_MAX = 4096;
const ROW = 16;

const hex = (n, digits) => n.toString(16).padStart(digits, "0");

function row(bytes, at) {
	const part = [...bytes.subarray(at, at + ROW)];
	const text = part.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : ".")).join("");
	return `${hex(at, 6)}  ${part.map((b) => hex(b, 2)).join(" ").padEnd(3 * ROW)} ${text}`;
}

function textOf(bytes) {
	try {
		const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
		return text.includes("\0") ? null : text;
	} catch {
		return null;
	}
}

export function contentOf(bytes) {
	const text = textOf(bytes);
	if (text !== null)
		return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}\n[cut]` : text;
	const shown = bytes.subarray(0, BYTES_MAX);
	const rows = Array.from({ length: Math.ceil(shown.length / ROW) }, (_, i) => row(shown, ROW * i));
	return [...rows, `[no text: ${bytes.length} bytes]`].join("\n");
}
