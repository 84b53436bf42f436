// The last samples of some figures, in the columns that the charts take.

export class Series {
	constructor(samples) {
		this.samples = samples;
		this.clear();
	}

	clear() {
		this.columns = [];
	}

	// x and one figure for each line. A figure that was not there before is absent in what is past; so is now one that
	// is no more.
	add(x, figures) {
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
