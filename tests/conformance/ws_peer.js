// ws_peer.js PORT: an echo with the npm package ws, for calibrate.py, which says where the package is (NODE_PATH).
const { WebSocketServer } = require("ws");
const server = new WebSocketServer({
	host: "127.0.0.1", port: Number(process.argv[2]), path: "/api/ws/test", maxPayload: 65536, perMessageDeflate: false,
});
server.on("connection", (socket) => {
	socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
	socket.on("error", () => {}); // it has closed with the right code
});
