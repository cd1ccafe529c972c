// Reads a page of metrics as Prometheus' text format 0.0.4 has it, and refuses what a scraper or promtool would:
//   node prometheus_check.js URL [METRIC…]: prints the values of METRICs; exits with 1 and the first fault.
'use strict';
const http = require('http');
const [url, ...wanted] = process.argv.slice(2);
const fault = (why) => { console.log('fault: ' + why); process.exit(1); };
http.get(url, (r) => {
	const parts = [];
	r.on('data', (d) => parts.push(d));
	r.on('end', () => {
		const text = Buffer.concat(parts).toString('utf8');
		if (r.statusCode !== 200) fault('status ' + r.statusCode);
		if (!/^text\/plain; version=0\.0\.4/.test(r.headers['content-type'] || '')) fault('type ' + r.headers['content-type']);
		if (Number(r.headers['content-length']) !== Buffer.byteLength(text)) fault('length');
		if (!text.endsWith('\n')) fault('the last line has no end');
		const types = new Map(), helps = new Set(), seen = new Map(), closed = new Set();
		let current = null;
		for (const line of text.slice(0, -1).split('\n')) {
			let m;
			if ((m = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line))) {
				if (helps.has(m[1])) fault('two HELP of ' + m[1]);
				helps.add(m[1]);
			} else if ((m = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line))) {
				if (types.has(m[1])) fault('two TYPE of ' + m[1]);
				if (m[2] === 'counter' && !m[1].endsWith('_total')) fault('a counter without _total: ' + m[1]);
				if (m[2] !== 'counter' && m[1].endsWith('_total')) fault('_total that is no counter: ' + m[1]);
				types.set(m[1], m[2]);
			} else if ((m = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|NaN|[+-]Inf)(?: -?[0-9]+)?$/.exec(line))) {
				if (!types.has(m[1]) || !helps.has(m[1])) fault('a sample before its TYPE and HELP: ' + line);
				if (m[1] !== current) { if (closed.has(m[1])) fault('samples of ' + m[1] + ' stand apart'); if (current) closed.add(current); current = m[1]; }
				const key = m[1] + (m[2] || '');
				if (seen.has(key)) fault('twice: ' + key);
				seen.set(key, m[3]);
			} else fault('no line of the format: ' + line);
		}
		for (const t of types.keys()) if (![...seen.keys()].some((k) => k === t || k.startsWith(t + '{'))) fault('no sample of ' + t);
		for (const w of wanted) console.log(w + ' ' + seen.get(w));
	});
}).on('error', (e) => fault(e.message));
