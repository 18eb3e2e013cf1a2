// Node's own http module, on whatever socket it is given: says who answers, and sends back what it
// is sent.
const http = require("http");

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    response.setHeader("Content-Type", "application/json");
    const body = Buffer.concat(parts);
    response.end(body.length ? body : JSON.stringify({ application: "node", pid: process.pid }));
  });
});

if (process.env.LISTEN_FDS) {
  server.listen({ fd: 3 });
} else if (process.env.POOLWARDEN_SOCKET) {
  server.listen(process.env.POOLWARDEN_SOCKET);
} else {
  server.listen(Number(process.env.PORT), process.env.HOST);
}
process.on("SIGTERM", () => server.close(() => process.exit(0)));
