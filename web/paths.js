// Absolute paths of the machine's tree. Pure.

export const join = (folder, name) => (folder === "/" ? `/${name}` : `${folder}/${name}`);

// The folders on the way, the root first: [name, path].
export function crumbs(path) {
	const parts = path.split("/").filter(Boolean);
	return [["/", "/"], ...parts.map((name, i) => [name, `/${parts.slice(0, i + 1).join("/")}`])];
}

// Folders first, each by name.
export const ordered = (entries) => [...entries].sort((a, b) =>
	Number(b.type === "dir") - Number(a.type === "dir") || (a.name < b.name ? -1 : 1));
