// Usage: node streams.cjs HOST:PORT TOKEN [CHROMIUM]. Event streams and long polls as pages and programs use them, over lines that
// are cut while people talk. One output line a check.
'use strict';
const assert = require('node:assert/strict');
const {EventSource} = require('eventsource');
const {chromium} = require('playwright-core');
const {Line} = require('./line.cjs');

const [address, token, executable] = process.argv.slice(2);
const [host, port] = address.split(':');
const COUNT = 150;
let failed = 0;

async function check(name, body) {
  try {
    await body();
    console.log(`ok streams: ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok streams: ${name}: ${String(error.stack ?? error).replace(/\s+/g, ' ').slice(0, 400)}`);
  }
}

async function until(probe, what, limit = 30000) {
  const end = Date.now() + limit;
  while (!await probe()) {
    assert.ok(Date.now() < end, `${what}: not within ${limit} ms`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

async function post(room, content) {
  const answer = await fetch(`http://${address}/api/rooms/${room}/messages`, {
    method: 'POST', headers: {Authorization: `Bearer ${token}`}, body: JSON.stringify({content})});
  assert.equal(answer.status, 201);
}

/** COUNT messages, the line cut three times among them. */
async function talk(room, line) {
  for (let i = 0; i < COUNT; i++) {
    await post(room, `${i}`);
    if (i % 40 === 20) {
      line.cut();
      await post(room, `cut ${i}`);
      line.mend();
    }
  }
  await post(room, 'end');
}

function assertWhole(seqs) {
  assert.deepEqual(seqs, seqs.map((_, i) => i + 1));
}

async function main() {
  await check('npm eventsource: cut lines lose nothing and double nothing', async () => {
    const line = await new Line(host, port).open();
    const seqs = [];
    let connected = 0, end = false;
    const source = new EventSource(`${line.url}api/rooms/s-npm/stream?after=0`, {
      fetch: (url, init) => fetch(url, {...init, headers: {...init.headers, Authorization: `Bearer ${token}`}})});
    source.addEventListener('connected', () => connected++);
    source.onmessage = event => {
      const message = JSON.parse(event.data);
      assert.equal(event.lastEventId, String(message.seq));
      seqs.push(message.seq);
      end = message.content === 'end';
    };
    await until(() => connected, 'connected');
    await talk('s-npm', line);
    await until(() => end, 'the last message');
    source.close();
    line.cut();
    assertWhole(seqs);
    assert.ok(connected > 1, 'it did come back');
  });
  if (executable) await pages();
  process.exit(failed ? 1 : 0);
}

async function pages() {
  const browser = await chromium.launch({executablePath: executable, args: ['--no-sandbox', '--disable-dev-shm-usage']});
  const line = await new Line(host, port).open();
  const page = await (await browser.newContext()).newPage();
  await page.goto(line.url);
  const login = await page.evaluate(async () => {
    const account = {name: `page-${Math.random()}`, password: 'long enough 1!', nickName: '페이지'};
    const json = {headers: {'Content-Type': 'application/json'}, method: 'POST', body: JSON.stringify(account)};
    return [(await fetch('/v1/member/register', json)).status, (await fetch('/v1/auth/login', json)).status];
  });
  await check('a page logs in and has its token in a cookie it cannot read', async () => {
    assert.ok(login.every(status => status < 300), `${login}`);
    assert.ok(!(await page.evaluate(() => document.cookie)).includes('parley_token'));
  });
  await check('Chromium EventSource with nothing but the cookie: cut lines lose nothing and double nothing', async () => {
    await page.evaluate(() => {
      window.seqs = [], window.opened = 0, window.last = '';
      window.source = new EventSource('/api/rooms/s-page/stream?after=0');
      source.addEventListener('connected', () => opened++);
      source.onmessage = event => { last = JSON.parse(event.data).content; seqs.push(Number(event.lastEventId)); };
    });
    await until(() => page.evaluate(() => opened), 'connected');
    await talk('s-page', line);
    await until(() => page.evaluate(() => last === 'end'), 'the last message');
    assertWhole(await page.evaluate(() => seqs));
    assert.ok(await page.evaluate(() => opened) > 1, 'it did come back');
    await page.evaluate(() => source.close());
  });
  for (const [name, room] of [['of one room', 's-poll'], ['of all its rooms', 's-all']]) {
    await check(`a page's fetch long-poll loop ${name} with nothing but the cookie: cut lines lose nothing and double nothing`, async () => {
      const all = room === 's-all';
      await page.evaluate(async ({room, all}) => {
        window.seqs = [], window.last = '', window.stop = false;
        let after = '0';
        if (all) {
          const {url, token} = window.joining;
          await fetch(url, {method: 'POST', headers: {Authorization: `Bearer ${token}`}, body: '{}'});
          after = (await fetch('/api/messages')).headers.get('X-Parley-Cursor');
        }
        (async () => {
          while (!stop) {
            try {
              const answer = await fetch(`/api/messages/longpoll?timeout=5000&after=${after}${all ? '' : `&roomId=${room}`}`);
              if (!answer.ok) continue;
              const messages = await answer.json();
              after = answer.headers.get('X-Parley-Cursor');
              for (const m of messages) { seqs.push(m.seq); last = m.content; }
            } catch { /* the line is down: once more */ }
          }
        })();
      }, {room, all});
      await talk(room, line);
      await until(() => page.evaluate(() => last === 'end'), 'the last message');
      const seqs = await page.evaluate(() => { stop = true; return seqs; });
      assert.deepEqual(seqs, seqs.map((_, i) => i + seqs[0]));
      assert.equal(seqs.length, COUNT + 5);
    });
    if (room === 's-poll') await giveToken(page);
  }
  await check('Chromium EventSource of notifications: connected, and named events', async () => {
    await page.evaluate(() => {
      window.heard = [];
      window.source = new EventSource('/api/notifications/stream');
      for (const name of ['connected', 'notification', 'user-login']) {
        source.addEventListener(name, event => heard.push([name, event.data]));
      }
    });
    await until(() => page.evaluate(() => heard.length), 'connected');
    assert.deepEqual(await page.evaluate(() => heard[0]), ['connected', 'SSE 연결 성공']);
    await inviteMember(await page.evaluate(() => window.member));
    await until(() => page.evaluate(() => heard.length > 1), 'the invitation');
    const [name, data] = await page.evaluate(() => heard[1]);
    assert.deepEqual([name, JSON.parse(data).notification], ['notification', 'invitation']);
  });
  await browser.close();
  line.cut();
}

/** Joining needs more than a cookie, which goes along with GETs only. */
async function giveToken(page) {
  await page.evaluate(async () => {
    const account = {name: `page-${Math.random()}`, password: 'long enough 1!', nickName: '페이지'};
    const json = {headers: {'Content-Type': 'application/json'}, method: 'POST', body: JSON.stringify(account)};
    await fetch('/v1/member/register', json);
    const {data} = await (await fetch('/v1/auth/login', json)).json();
    window.joining = {url: '/api/rooms/s-all/join', token: data.accessToken};
    window.member = data.id;
  });
}

async function inviteMember(member) {
  const headers = {Authorization: `Bearer ${token}`};
  const made = await fetch(`http://${address}/api/rooms`, {method: 'POST', headers, body: JSON.stringify({roomId: 's-private', visibility: 'private'})});
  assert.equal(made.status, 201);
  const invited = await fetch(`http://${address}/api/rooms/s-private/members`, {method: 'POST', headers, body: JSON.stringify({memberId: member})});
  assert.equal(invited.status, 201);
}

main().catch(error => { console.log(`not ok streams: the scenarios run: ${error.stack.replace(/\s+/g, ' ')}`); process.exit(1); });
