// Makes xterm.js work under a policy of style-src 'self', which forbids <style> elements and style attributes in markup,
// but not what the object model does. Its <style> elements become style sheets of the document, and what it writes to
// the attribute `style` goes through the element's `style`. xterm has an option for a document of its own but does not
// keep to it everywhere, so it is document.createElement that is replaced; the rest of the page does not use it for these.

function makeStyle(doc, create) {
	const node = create("template"); // never shown; marks the place that xterm removes again
	const sheet = new CSSStyleSheet();
	Object.defineProperty(node, "textContent", { set: (css) => sheet.replaceSync(css) });
	node.remove = () => {
		Element.prototype.remove.call(node);
		doc.adoptedStyleSheets = doc.adoptedStyleSheets.filter((other) => other !== sheet);
	};
	doc.adoptedStyleSheets = [...doc.adoptedStyleSheets, sheet];
	return node;
}

function setAttribute(name, value) {
	if (name === "style")
		this.style.cssText = value;
	else
		Element.prototype.setAttribute.call(this, name, value);
}

export function strictDocument(doc) {
	const create = doc.createElement.bind(doc);
	doc.createElement = (tag, ...more) => {
		if (tag === "style")
			return makeStyle(doc, create);
		const node = create(tag, ...more);
		if (tag === "span")
			node.setAttribute = setAttribute;
		return node;
	};
}
