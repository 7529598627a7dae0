// A stand-in for those that notifications go to: HTTP (webhook and robots) and an SMTP relay, on free ports of this machine.
// Prints {"http":PORT,"smtp":PORT}; appends one JSON line a message to the file named. /fail answers 503, the first two
// times to each path that ends with "twice" too; /refuse answers as a robot that does not take it.
import { appendFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createTcp } from 'node:net';

const log = process.argv[2];
const seen = new Map();
const note = (row) => appendFileSync(log, JSON.stringify(row) + '\n');

const http = createHttp((request, response) => {
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    const path = request.url.split('?')[0];
    const times = (seen.get(path) ?? 0) + 1;
    seen.set(path, times);
    const failing = path === '/fail' || (path.endsWith('twice') && times <= 2);
    note({ path, url: request.url, headers: request.headers, body, times, failing });
    response.statusCode = failing ? 503 : 200;
    response.setHeader('Content-Type', 'application/json');
    response.end(path === '/refuse' ? '{"errcode":310000,"errmsg":"sign not match"}' : '{"errcode":0,"code":0,"errmsg":"ok"}');
  });
});

const smtp = createTcp((socket) => {
  let text = '', inData = false, mail = { to: [] };
  socket.write('220 stand-in\r\n');
  socket.on('error', () => {});
  socket.on('data', (part) => {
    text += part;
    for (let at; (at = text.indexOf('\r\n')) >= 0; ) {
      const line = text.slice(0, at);
      text = text.slice(at + 2);
      if (inData) {
        if (line === '.') {
          inData = false;
          note({ path: 'smtp', ...mail });
          mail = { to: [] };
          socket.write('250 kept\r\n');
        } else mail.text = (mail.text ?? '') + line + '\n';
      } else if (/^(EHLO|HELO)/i.test(line)) socket.write('250 stand-in\r\n');
      else if (/^MAIL FROM:/i.test(line)) { mail.from = line.slice(10); socket.write('250 ok\r\n'); }
      else if (/^RCPT TO:/i.test(line)) { mail.to.push(line.slice(8)); socket.write('250 ok\r\n'); }
      else if (/^DATA/i.test(line)) { inData = true; socket.write('354 go on\r\n'); }
      else if (/^QUIT/i.test(line)) { socket.end('221 bye\r\n'); }
      else socket.write('250 ok\r\n');
    }
  });
});

http.listen(0, '127.0.0.1', () => smtp.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ http: http.address().port, smtp: smtp.address().port }))));
