// uPlot in a component: lines over the last two minutes. Redrawn when the samples, the size or the colours change.

import { useEffect, useRef } from "preact/hooks";
import { html } from "htm/preact";
import uPlot from "uplot";
import { SAMPLES, view } from "./state.js";
import { colour, repaint } from "./theme.js";

const ago = (u, splits) => splits.map((x) => {
	const s = Math.round(u.scales.x.max - x);
	return s === 0 ? "now" : `−${s} s`;
});

// What the lines are at the cursor, in words.
function reading(u, lines, format) {
	const i = u.cursor.idx;
	if (i === null || i === undefined || u.cursor.left < 0)
		return "";
	const figures = lines.map(({ label }, k) => `${label} ${u.data[k + 1][i] === null ? "–" : format(u.data[k + 1][i])}`);
	return [`−${Math.round(u.scales.x.max - u.data[0][i])} s`, ...figures].join("\u2003");
}

function options(parent, { lines, top, format, read, incrs, tip }) {
	const style = getComputedStyle(parent);
	const font = `11px ${style.fontFamily}`;
	const axis = { stroke: () => colour("--soft"), font, grid: { stroke: () => colour("--line"), width: 1 }, ticks: { show: false } };
	return {
		width: parent.clientWidth, height: parent.clientHeight, legend: { show: false }, padding: [8, 14, 0, 0],
		cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: "time" } },
		scales: {
			x: { time: false, range: (u, min, max) => [max - SAMPLES, max] },
			y: { range: (u, min, max) => [0, top ?? Math.max(1024, 1.15 * (max ?? 0))] },
		},
		hooks: { setCursor: [(u) => { tip.textContent = reading(u, lines, read); }] },
		axes: [
			{ ...axis, size: 24, splits: (u) => [120, 90, 60, 30, 0].map((s) => u.scales.x.max - s), values: ago },
			{ ...axis, size: 66, space: 30, incrs, values: (u, splits) => splits.map(format) },
		],
		series: [{}, ...lines.map(({ label, name }) => ({
			label, stroke: () => colour(name), width: 1.5, points: { show: false }, spanGaps: false,
		}))],
	};
}

export function Chart({ series, lines, top, format, read = format, incrs, label }) {
	const box = useRef();
	const tip = useRef();
	const key = view.value ? lines.map((line) => line.label).join() : "";
	useEffect(() => {
		if (!key)
			return undefined; // figures first
		const none = [[], ...lines.map(() => [])];
		const plot = new uPlot(options(box.current, { lines, top, format, read, incrs, tip: tip.current }), none, box.current);
		const watcher = new ResizeObserver(([{ contentRect: { width, height } }]) => plot.setSize({ width, height }));
		watcher.observe(box.current);
		const stops = [
			view.subscribe(() => plot.setData(series.columns.length === none.length ? series.columns : none)),
			repaint.subscribe(() => plot.redraw(false)),
		];
		return () => {
			stops.forEach((stop) => stop());
			watcher.disconnect();
			plot.destroy();
		};
	}, [key]);
	return html`<div class="chart" role="img" aria-label=${label} ref=${box}><span class="chart-tip" ref=${tip}></span></div>`;
}
