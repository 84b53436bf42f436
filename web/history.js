// The load of each hart over the last two minutes, as lines on a canvas.

const SAMPLES = 120;
const LEFT = 44, TOP = 6, BOTTOM = 6;

export class History {
	constructor(canvas) {
		this.canvas = canvas;
		this.series = [];
		new ResizeObserver(() => this.draw()).observe(canvas);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
	}

	clear() {
		this.series = [];
	}

	add(loads) {
		loads.forEach((load, i) => {
			this.series[i] ??= [];
			this.series[i].push(load);
			if (this.series[i].length > SAMPLES)
				this.series[i].shift();
		});
		this.draw();
	}

	draw() {
		const { clientWidth: width, clientHeight: height } = this.canvas;
		const scale = devicePixelRatio || 1;
		const style = getComputedStyle(this.canvas);
		this.canvas.width = Math.round(width * scale);
		this.canvas.height = Math.round(height * scale);
		const c = this.canvas.getContext("2d");
		c.scale(scale, scale);
		const y = (load) => TOP + (1 - load) * (height - TOP - BOTTOM);
		this.drawGrid(c, style, width, y);
		this.series.forEach((loads, i) => {
			c.strokeStyle = style.getPropertyValue(`--hart-${i % 8}`);
			c.lineWidth = 1.6;
			c.lineJoin = "round";
			c.beginPath();
			const step = (width - LEFT - 2) / (SAMPLES - 1);
			loads.forEach((load, k) => {
				const x = width - 2 - (loads.length - 1 - k) * step;
				c[k ? "lineTo" : "moveTo"](x, y(load));
			});
			c.stroke();
		});
	}

	drawGrid(c, style, width, y) {
		c.font = `11px ${style.fontFamily}`;
		c.textAlign = "right";
		c.textBaseline = "middle";
		c.lineWidth = 1;
		for (const load of [0, 0.5, 1]) {
			c.strokeStyle = style.getPropertyValue("--line");
			c.beginPath();
			c.moveTo(LEFT, Math.round(y(load)) + 0.5);
			c.lineTo(width, Math.round(y(load)) + 0.5);
			c.stroke();
			c.fillStyle = style.getPropertyValue("--soft");
			c.fillText(`${100 * load} %`, LEFT - 6, y(load));
		}
	}
}
