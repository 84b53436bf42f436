// A TCP proxy that can be cut: what goes through it vanishes, and nothing gets through, until it is mended.

import { connect, createServer } from "node:net";

export async function startProxy(to) {
	const open = new Set();
	const server = createServer((client) => {
		const guest = connect(to.port, to.host);
		for (const [socket, other] of [[client, guest], [guest, client]]) {
			open.add(socket);
			socket.setNoDelay(true);
			socket.pipe(other);
			socket.on("error", () => other.destroy());
			socket.on("close", () => {
				open.delete(socket);
				other.destroy();
			});
		}
	});
	const listen = (port) => new Promise((done) => server.listen(port, "127.0.0.1", done));
	await listen(0);
	const { port } = server.address();
	const cut = () => new Promise((done) => {
		server.close(done);
		for (const socket of open)
			socket.destroy();
	});
	return { port, cut, mend: () => listen(port), close: cut };
}
