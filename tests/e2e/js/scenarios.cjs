// Usage: node scenarios.cjs HOST:PORT TOKENS-JSON. The same scenarios for every client; one output line a check.
'use strict';
const assert = require('node:assert/strict');
const {connect, inbox, within, KINDS} = require('./clients.cjs');

const server = {address: process.argv[2]};
const tokens = JSON.parse(process.argv[3]);
const wanted = process.argv.slice(4);
let failed = 0;

async function check(name, body) {
  if (wanted.length && !wanted.some(w => name.includes(w))) return;
  try {
    await body();
    console.log(`ok js_clients: ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok js_clients: ${name}: ${String(error.message ?? error).replace(/\s+/g, ' ').slice(0, 400)}`);
  }
}

function enter(kind, member, room, more = {}) {
  return connect(kind, server, {token: tokens[member], room, ...more});
}

const TEXTS = ['안녕하세요, 앨리스!', 'plain ASCII', '🎲 1d20+5 → 23 👩‍👩‍👧‍👦', '"quotes" \\ back\\slash : colon', 'two\nlines\r\nand\ttabs',
  'a very long description. '.repeat(400), ' spaces kept ', '<script>alert(1)</script>', '\ud55c\uae00 자모 ㅎㅏㄴ'];

async function main() {
  let n = 0;
  for (const kind of Object.keys(KINDS)) {
    const room = `js-${++n}`;
    await check(`${kind}: two people talk and see the same list`, async () => {
      const alice = await enter(kind, 'alice', room), bob = await enter(kind, 'bob', room);
      const a = inbox(), b = inbox();
      await alice.watch(room, {}, m => a.push(m));
      await bob.watch(room, {}, m => b.push(m));
      for (const [i, text] of TEXTS.entries()) await (i % 2 ? alice : bob).say(room, text, `${room}-m${i}`);
      await Promise.all([a.count(TEXTS.length), b.count(TEXTS.length)]);
      assert.deepEqual(a.items, b.items);
      assert.deepEqual(a.items.map(m => m.content), TEXTS);
      assert.deepEqual(a.items.map(m => m.seq), TEXTS.map((_, i) => i + 1));
      assert.deepEqual(a.items.map(m => m.senderId), TEXTS.map((_, i) => i % 2 ? 'alice' : 'bob'));
      await alice.close();
      await bob.close();
    });
    await check(`${kind}: after a cut line the list goes on where it ended`, async () => {
      const alice = await enter(kind, 'alice', room), bob = await enter(kind, 'bob', room);
      const all = inbox();
      await bob.watch(room, {'after-seq': '0'}, m => all.push(m));
      await all.count(TEXTS.length);
      bob.cut();
      for (let i = 0; i < 30; i++) await alice.say(room, `while away ${i}`, `${room}-away-${i}`);
      const back = await enter(kind, 'bob', room);
      const last = all.items.at(-1).seq;
      await back.watch(room, {'after-seq': String(last)}, m => all.push(m));
      await alice.say(room, 'live again', `${room}-live`);
      await all.count(TEXTS.length + 31);
      assert.deepEqual(all.items.map(m => m.seq), all.items.map((_, i) => i + 1));
      assert.equal(all.items.at(-1).content, 'live again');
      await alice.close();
      await back.close();
    });
    await check(`${kind}: a message sent again with its messageId is stored once`, async () => {
      const alice = await enter(kind, 'alice', room);
      const seen = inbox();
      await alice.watch(room, {}, m => seen.push(m));
      await alice.say(room, 'once', `${room}-once`);
      await alice.say(room, 'once', `${room}-once`);
      await alice.say(room, 'next', `${room}-next`);
      await seen.count(2);
      assert.deepEqual(seen.items.map(m => m.content), ['once', 'next']);
      await alice.close();
    });
    await check(`${kind}: a refused message is told on /user/queue/errors and the connection stays`, async () => {
      const alice = await enter(kind, 'alice', room);
      const errors = inbox();
      await alice.subscribe('/user/queue/errors', {}, e => errors.push(e));
      alice.say(room, '   ', `${room}-blank`).catch(() => {});
      await errors.count(1);
      assert.equal(errors.items[0].code, 'CHAT_INVALID_PAYLOAD');
      await alice.say(room, 'still here', `${room}-still`);
      await alice.close();
    });
    await check(`${kind}: a burst of 500 unawaited messages arrives in order`, async () => {
      const burst = `${room}-burst`;
      const alice = await enter(kind, 'alice', burst), bob = await enter(kind, 'bob', burst);
      const seen = inbox();
      await bob.watch(burst, {}, m => seen.push(m));
      await within(Promise.all(Array.from({length: 500}, (_, i) => alice.say(burst, `#${i}`, `${burst}-${i}`))), 'the burst');
      await seen.count(500);
      assert.deepEqual(seen.items.map(m => m.content), Array.from({length: 500}, (_, i) => `#${i}`));
      await alice.close();
      await bob.close();
    });
    await check(`${kind}: a bad token does not get in`, async () => {
      await assert.rejects(connect(kind, server, {token: 'not.a.token', room}));
    });
  }
  await check('stompjs 7: heart-beats of 400 ms keep the connection for eight intervals', async () => {
    const alice = await enter('stompjs 7 over ws', 'alice', 'js-heart', {heartbeat: 400});
    await new Promise(resolve => setTimeout(resolve, 3200));
    assert.equal(alice.trouble, null);
    assert.ok(alice.connected);
    await alice.close();
  });
  for (const kind of ['stompjs 7 over ws', 'Stomp.over(new SockJS) websocket']) {
    await check(`${kind}: a guest talks on the public profile`, async () => {
      const guest = await connect(kind, server, {path: '/ws', room: 'public'});
      const seen = inbox();
      await guest.subscribe('/topic/public', {}, m => seen.push(m));
      guest.publish('/app/chat.sendMessage', {content: '손님입니다', sender: '길동'});
      const [message] = await seen.count(1);
      assert.equal(message.content, '손님입니다');
      assert.equal(message.senderNickname, '길동');
      assert.match(message.senderId, /^~guest:/);
      await guest.close();
    });
  }
  process.exit(failed ? 1 : 0);
}

main().catch(error => { console.log(`not ok js_clients: the scenarios run: ${error.stack.replace(/\s+/g, ' ')}`); process.exit(1); });
