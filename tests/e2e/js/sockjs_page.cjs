// sockjs-client in Chromium, forced to each of its transports, on a page of the server's own origin and on one of another.
// Usage: node sockjs_page.cjs HOST:PORT TOKEN CHROMIUM [PART-OF-A-NAME…]
'use strict';
const assert = require('node:assert/strict');
const http = require('node:http');
const path = require('node:path');
const {chromium} = require('playwright-core');

const [address, token, executable, ...wanted] = process.argv.slice(2);
const LIMIT_MS = 20000;
const TRANSPORTS = ['websocket', 'xhr-streaming', 'eventsource', 'iframe-eventsource', 'htmlfile', 'iframe-htmlfile', 'xhr-polling',
  'iframe-xhr-polling', 'jsonp-polling'];
const PAGE = '<!doctype html><meta charset=utf-8><title>sockjs</title><body></body>';
let failed = 0;

async function check(name, body) {
  if (wanted.length && !wanted.some(w => name.includes(w))) return;
  try {
    await body();
    console.log(`ok sockjs_browser: ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok sockjs_browser: ${name}: ${String(error.message ?? error).replace(/\s+/g, ' ').slice(0, 400)}`);
  }
}

/** In the page: talks to itself in a room over one transport and answers what came back. */
async function talk({url, transport, room, texts, limit}) {
  const socket = new SockJS(url, null, {transports: [transport], timeout: limit});
  const client = new StompJs.Client({webSocketFactory: () => socket, reconnectDelay: 0, heartbeatIncoming: 0, heartbeatOutgoing: 0});
  const got = [];
  let used = null;
  try {
    await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`${got.length} of ${texts.length} messages`)), limit);
      client.onStompError = frame => reject(new Error(frame.headers.message));
      client.onWebSocketClose = event => reject(new Error(`closed ${event.code} ${event.reason}`));
      client.onUnhandledReceipt = () => texts.forEach((content, i) => client.publish({
        destination: '/pub/chat/send', body: JSON.stringify({type: 'TALK', roomId: room, content, messageId: `${room}-${i}`})}));
      client.onConnect = () => {
        used = socket.transport;
        client.subscribe(`/sub/chat/room/${room}`, frame => {
          got.push(JSON.parse(frame.body));
          if (got.length === texts.length) resolve();
        }, {receipt: 'live'});
      };
      client.activate();
    });
  } finally {
    client.onWebSocketClose = () => {};
    await client.deactivate();
  }
  return {used, got: got.map(m => m.content), seqs: got.map(m => m.seq)};
}

// More than one streaming response holds, and what would be a script if anybody took it for one.
const TEXTS = ['안녕하세요 👩‍👩‍👧‍👦', '</script><script>alert(1)</script>', '"quotes" \\ and\nlines\u2028\u2029',
  ...Array.from({length: 30}, (_, i) => `${i} ${'열 글자 정도. '.repeat(400)}`)];

async function main() {
  const other = http.createServer((_, answer) => answer.writeHead(200, {'Content-Type': 'text/html'}).end(PAGE));
  await new Promise(resolve => other.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({executablePath: executable, args: ['--no-sandbox']});
  const context = await browser.newContext();
  const places = {
    'a page of the own origin': {url: `http://${address}/ws-chat`, transports: TRANSPORTS},
    // sockjs-client has htmlfile for its own origin only
    'a page of another origin': {url: `http://localhost:${other.address().port}/`, transports: TRANSPORTS.filter(t => t !== 'htmlfile')},
  };
  let rooms = 0;
  for (const [place, {url, transports}] of Object.entries(places)) {
    for (const transport of transports) {
      await check(`${transport}: ${place} sends and gets ${TEXTS.length} messages in order`, async () => {
        const page = await context.newPage();
        let alerts = 0;
        page.on('dialog', dialog => { alerts++; dialog.dismiss(); });
        try {
          await page.goto(url);
          await page.addScriptTag({url: `http://${address}/sockjs-1.6.1.min.js`});
          await page.addScriptTag({path: path.join(__dirname, 'node_modules/@stomp/stompjs/bundles/stomp.umd.min.js')});
          const room = `sockjs-${++rooms}`;
          const service = `http://${address}/ws-chat?token=${encodeURIComponent(token)}&roomId=${room}`;
          const {used, got, seqs} = await page.evaluate(talk, {url: service, transport, room, texts: TEXTS, limit: LIMIT_MS});
          assert.equal(used, transport);
          assert.deepEqual(got, TEXTS);
          assert.deepEqual(seqs, TEXTS.map((_, i) => i + 1));
          assert.equal(alerts, 0, 'a message ran as a script');
        } finally {
          await page.close();
        }
      });
    }
  }
  await check('the iframe page shows in a page of an allowed origin only', async () => {
    for (const [host, shows] of [['localhost', 1], ['127.0.0.1', 0]]) {
      const page = await context.newPage();
      await page.goto(`http://${host}:${other.address().port}/`);
      await page.evaluate(src => new Promise(resolve => {
        const frame = document.createElement('iframe');
        frame.src = src;
        frame.onload = resolve;
        document.body.append(frame);
      }), `http://${address}/ws-chat/iframe.html`);
      assert.equal(page.frames().filter(f => f.url().endsWith('/ws-chat/iframe.html')).length, shows, host);
      await page.close();
    }
  });
  await browser.close();
  other.close();
  process.exit(failed ? 1 : 0);
}

main().catch(error => { console.log(`not ok sockjs_browser: the scenarios run: ${String(error.stack).replace(/\s+/g, ' ').slice(0, 400)}`); process.exit(1); });
