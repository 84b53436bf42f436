// The last samples of some figures, in the columns that the charts take.

export class Series {
	constructor(samples, gap = Infinity) {
		Object.assign(this, { samples, gap });
		this.clear();
	}

	clear() {
		this.columns = [];
	}

	// x and one figure for each line. Nobody knows what was in a gap: the lines are interrupted there.
	add(x, figures) {
		const last = this.columns[0]?.at(-1);
		if (x - last > this.gap)
			this.push((last + x) / 2, figures.map(() => null));
		this.push(x, figures);
	}

	// A figure that was not there before is absent in what is past; so is now one that is no more.
	push(x, figures) {
		const past = this.length;
		[x, ...figures].forEach((value, i) => {
			this.columns[i] ??= new Array(past).fill(null);
			this.columns[i].push(value);
		});
		for (const column of this.columns) {
			if (column.length === past)
				column.push(null);
			if (column.length > this.samples)
				column.shift();
		}
	}

	get length() {
		return this.columns[0]?.length ?? 0;
	}
}
