// A table whose cells change in place, so that a selection and the scroll position stay.
//
// A column: {title, get(row) -> text, num, code, sort(row) -> value, mark(row) -> class or null}.

function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

export class Table {
	constructor(element, columns, { key, sort, down, empty }) {
		Object.assign(this, { columns, key, sort, down: down ?? false, empty, rows: [] });
		this.body = document.createElement("tbody");
		this.cells = new Map();
		element.append(this.makeHead(), this.body);
	}

	makeHead() {
		const head = document.createElement("thead");
		const row = head.insertRow();
		this.heads = this.columns.map((column, i) => {
			const cell = document.createElement("th");
			cell.scope = "col";
			cell.classList.toggle("num", Boolean(column.num));
			if (column.sort) {
				const button = document.createElement("button");
				button.type = "button";
				button.textContent = column.title;
				button.addEventListener("click", () => this.sortBy(i));
				cell.append(button);
			} else {
				cell.textContent = column.title;
			}
			row.append(cell);
			return cell;
		});
		this.showSort();
		return head;
	}

	sortBy(i) {
		this.down = this.sort === i ? !this.down : Boolean(this.columns[i].num);
		this.sort = i;
		this.showSort();
		this.update(this.rows);
	}

	showSort() {
		this.heads.forEach((cell, i) => {
			if (i === this.sort)
				cell.ariaSort = this.down ? "descending" : "ascending";
			else
				cell.removeAttribute("aria-sort");
		});
	}

	sorted(rows) {
		if (this.sort === undefined)
			return rows;
		const value = this.columns[this.sort].sort;
		const sign = this.down ? -1 : 1;
		return [...rows].sort((a, b) => {
			const x = value(a), y = value(b);
			return sign * (x < y ? -1 : x > y ? 1 : 0) || this.key(a) - this.key(b);
		});
	}

	makeRow() {
		const row = document.createElement("tr");
		for (const column of this.columns) {
			const cell = row.insertCell();
			cell.classList.toggle("num", Boolean(column.num));
			cell.classList.toggle("code", Boolean(column.code));
		}
		return row;
	}

	update(rows) {
		this.rows = rows;
		const seen = new Set();
		this.sorted(rows).forEach((data, at) => {
			const key = this.key(data);
			seen.add(key);
			if (!this.cells.has(key))
				this.cells.set(key, this.makeRow());
			const row = this.cells.get(key);
			this.columns.forEach((column, i) => {
				setText(row.cells[i], column.get(data));
				if (column.mark)
					row.cells[i].classList.toggle("high", column.mark(data));
				if (column.state)
					row.cells[i].dataset.state = column.get(data);
			});
			if (this.body.rows[at] !== row)
				this.body.insertBefore(row, this.body.rows[at] ?? null);
		});
		for (const [key, row] of this.cells) {
			if (!seen.has(key)) {
				row.remove();
				this.cells.delete(key);
			}
		}
		this.showEmpty(rows.length === 0);
	}

	showEmpty(isEmpty) {
		if (!isEmpty || this.body.rows.length) {
			if (!isEmpty)
				this.body.querySelector(".none")?.parentElement.remove();
			return;
		}
		const cell = this.body.insertRow().insertCell();
		cell.colSpan = this.columns.length;
		cell.className = "none";
		cell.textContent = this.empty ?? "none";
	}
}
