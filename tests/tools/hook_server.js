// A webhook's receiver for tests: checks each signature, answers 503 as often as it is told, keeps what it took in a file, a line a body.
//   node hook_server.js SECRET FILE REFUSALS [PORT-FILE]
'use strict';
const http = require('http'), crypto = require('crypto'), fs = require('fs');
const [secret, file, refusals, portFile] = process.argv.slice(2);
let left = Number(refusals);
const server = http.createServer((q, r) => {
	const parts = [];
	q.on('data', (d) => parts.push(d));
	q.on('end', () => {
		const body = Buffer.concat(parts);
		const mac = 'sha256=' + crypto.createHmac('sha256', secret).update(body).digest('hex');
		const good = q.method === 'POST' && q.headers['x-whittle-signature'] === mac && !q.headers.authorization;
		const status = !good ? 401 : left-- > 0 ? 503 : 204;
		if (status === 204) fs.appendFileSync(file, body.toString() + '\n');
		fs.appendFileSync(file + '.log', `${q.method} ${q.url} ${status}\n`);
		r.writeHead(status);
		r.end();
	});
});
server.listen(0, '127.0.0.1', () => fs.writeFileSync(portFile, String(server.address().port)));
