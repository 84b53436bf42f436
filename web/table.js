// A table whose rows keep their elements, so that a selection and the scroll position stay while figures change.
//
// A column: {title, text(row), num, code, hint, order(row), mark(row) -> true: out of the ordinary, bar(row) -> 0..1,
// state(row) -> a word for the style sheet}. One with `order` can be sorted by.

import { useSignal } from "@preact/signals";
import { html } from "htm/preact";

function sorted(rows, column, down, keyOf) {
	if (!column?.order)
		return rows;
	const sign = down ? -1 : 1;
	return [...rows].sort((a, b) => {
		const x = column.order(a), y = column.order(b);
		if (x !== y)
			return x < y ? -sign : sign;
		return keyOf(a) < keyOf(b) ? -1 : 1;
	});
}

const classes = (column, row) => [column.num && "num", column.code && "code", column.bar && "bar-cell", row && column.mark?.(row) && "high"]
	.filter(Boolean).join(" ") || undefined;

function Head({ columns, sort }) {
	const by = (i) => {
		const same = sort.value.by === i;
		sort.value = { by: i, down: same ? !sort.value.down : Boolean(columns[i].num) };
	};
	const order = (i) => (sort.value.by !== i ? undefined : sort.value.down ? "descending" : "ascending");
	return html`<thead><tr>${columns.map((column, i) => html`
		<th key=${column.title} scope="col" class=${classes(column)} aria-sort=${order(i)} title=${column.hint}>
			${column.order ? html`<button type="button" onClick=${() => by(i)}>${column.title}</button>` : column.title}
		</th>`)}</tr></thead>`;
}

// No component: there are hundreds.
function cell(column, row) {
	const text = column.text(row);
	const bar = column.bar?.(row);
	return html`<td key=${column.title} class=${classes(column, row)} data-state=${column.state?.(row)}>${bar === undefined ? text : html`
		<span class="gauge"><span class="gauge-track"><span class="gauge-fill" style=${{ width: `${100 * Math.min(1, bar)}%` }}></span></span>${text}</span>`}</td>`;
}

export function Table({ label, columns, rows, keyOf, sort: by, down = false, empty = "none", most = 200, className = "" }) {
	const sort = useSignal({ by, down });
	const shown = sorted(rows ?? [], columns[sort.value.by], sort.value.down, keyOf).slice(0, most);
	return html`<div class=${`scroll ${className}`} tabindex="0" role="region" aria-label=${label}>
		<table>
			<${Head} columns=${columns} sort=${sort} />
			<tbody>
				${shown.map((row) => html`<tr key=${keyOf(row)}>${columns.map((column) => cell(column, row))}</tr>`)}
				${rows && !shown.length && html`<tr key="none"><td class="none" colspan=${columns.length}>${empty}</td></tr>`}
			</tbody>
		</table>
		${rows?.length > most && html`<p class="more">and ${rows.length - most} more</p>`}
	</div>`;
}

// Names and figures side by side.
export const Pairs = ({ entries }) => html`<dl class="pairs">${entries.filter(Boolean).map(([name, value, state, hint]) => html`
	<div key=${name} title=${hint}><dt>${name}</dt><dd data-state=${state}>${value}</dd></div>`)}</dl>`;

export const Panel = ({ id, title, note, wide, tools, children }) => html`
	<section id=${id} class=${`panel ${wide ?? ""}`} aria-labelledby=${`t-${id}`}>
		<header><h2 id=${`t-${id}`}>${title}</h2>${note && html`<span class="note">${note}</span>`}${tools}</header>
		${children}
	</section>`;
