// Two people in two browsers on the real page. Usage: node page.cjs HOST:PORT SCREENSHOT-DIR CHROMIUM.
// Prints `! apart` to ask whether the two are at servers of their own, so far as there are several, and `! restart` when a
// server is to be killed and started again; each waits for a line on stdin.
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const readline = require('node:readline');
const {chromium} = require('playwright-core');
const {Line} = require('./line.cjs');

const [address, shots, executable] = process.argv.slice(2);
const [host, port] = address.split(':');
const LIMIT_MS = 15000;
const answers = readline.createInterface({input: process.stdin})[Symbol.asyncIterator]();
let failed = 0;

class Person {
  constructor(browser, name, nickname) { Object.assign(this, {browser, name, nickname, problems: []}); }

  async open() {
    this.line = await new Line(host, port).open();
    this.context = await this.browser.newContext({locale: 'ko-KR', viewport: {width: 1100, height: 760}});
    this.context.setDefaultTimeout(LIMIT_MS);
    this.page = await this.context.newPage();
    this.page.on('pageerror', error => this.problems.push(String(error)));
    this.page.on('dialog', dialog => { this.problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    await this.page.goto(this.line.url);
    return this;
  }
  at(id) { return this.page.getByTestId(id); }

  async register() {
    await this.at('register-toggle').click();
    await this.at('login-name').fill(this.name);
    await this.at('login-nickname').fill(this.nickname);
    await this.at('login-password').fill('비밀번호 long enough 1');
    await this.at('login-submit').click();
    await this.at('room-list').waitFor();
    await this.online();
  }
  online() { return this.page.locator('[data-testid=connection-state][data-state=online]').first().waitFor({state: 'attached'}); }
  async makeRoom(id, name, visibility) {
    await this.at('create-room').click();
    await this.at('create-room-name').fill(name);
    await this.at('create-room-id').fill(id);
    await this.page.locator('label', {has: this.at(`create-room-${visibility}`)}).click();
    await this.at('create-room-submit').click();
    await this.entered(id);
  }
  async joinRoom(id) {
    await this.at('join-by-id').click();
    await this.at('join-room-id').fill(id);
    await this.at('join-by-id-submit').click();
    await this.entered(id);
  }
  async entered(id) {
    // The address changes before the page does: until then the input is the room's before.
    await this.page.locator('.room-title', {hasText: ` · ${id}`}).waitFor();
    await this.at('message-input').waitFor();
  }
  async say(text) {
    await this.at('message-input').fill(text);
    await this.at('message-send').click();
  }
  /** Says it and waits until the page shows it as stored. */
  async tell(text) {
    await this.say(text);
    await this.sees(text);
  }
  sees(text) {
    return this.page.locator('[data-testid=message][data-seq]', {hasText: text.split('\n')[0]}).last().waitFor();
  }
  /** The conversation as shown: [{seq, text}] of stored messages. */
  list() {
    return this.page.locator('[data-testid=message][data-seq]').evaluateAll(nodes => nodes.map(n => ({seq: Number(n.dataset.seq), text: n.innerText, state: n.dataset.state})));
  }
  async shows(texts) {
    const shown = await this.list();
    const seqs = shown.map(m => m.seq);
    assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), 'each line once and in order');
    const at = texts.map(text => shown.findIndex(m => m.text.includes(text)));
    assert.ok(!at.includes(-1), `missing: ${texts[at.indexOf(-1)]}`);
    assert.deepEqual(at, [...at].sort((a, b) => a - b), 'order of the lines');
    for (const text of texts) assert.equal(shown.filter(m => m.text.includes(text)).length, 1, `"${text}" is shown once`);
  }
  shot(name) { return this.page.screenshot({path: path.join(shots, `page-${name}.png`)}); }
}

async function check(name, body, ...people) {
  try {
    await body();
    console.log(`ok browser: ${name}`);
  } catch (error) {
    failed++;
    const place = `failed-${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 30)}`;
    for (const p of people) await p.shot(`${place}-${p.name}`).catch(() => {});
    console.log(`not ok browser: ${name}: ${String(error.message ?? error).replace(/\s+/g, ' ').slice(0, 400)}`);
  }
}

async function ask(what) {
  console.log(`! ${what}`);
  return (await answers.next()).value;
}

/** Moves one of them until each is at a server of its own. */
async function part(who) {
  for (let i = 0; await ask('apart') === 'no'; i++) {
    assert.ok(i < 20, 'both stay at one server');
    await who.page.reload();
    await who.at('message-input').waitFor();
    await who.online();
  }
}

async function main() {
  const browser = await chromium.launch({executablePath: executable, args: ['--no-sandbox', '--disable-dev-shm-usage']});
  const alice = await new Person(browser, 'alice', '앨리스').open();
  const bob = await new Person(browser, 'bob', 'Bob').open();
  const both = [alice, bob];
  try {
    await check('two people register and enter', async () => { await alice.register(); await bob.register(); }, ...both);
    await check('one makes a room, the other joins, and they talk', async () => {
      await alice.makeRoom('tavern', '주점 The Tavern', 'public');
      await bob.joinRoom('tavern');
      await alice.tell('안녕하세요, Bob!');
      await bob.sees('안녕하세요, Bob!');
      await bob.tell('Hello 앨리스 🎲👩‍👩‍👧‍👦');
      await alice.sees('Hello 앨리스');
      await alice.shows(['안녕하세요, Bob!', 'Hello 앨리스']);
      await bob.shows(['안녕하세요, Bob!', 'Hello 앨리스']);
    }, ...both);
    await check('text of others is only ever text', async () => {
      await alice.tell('<img src=x onerror=alert(1)><b>bold</b>');
      await bob.sees('<img src=x onerror=alert(1)><b>bold</b>');
      assert.equal(await bob.page.locator('[data-testid=message] img, [data-testid=message] b').count(), 0);
    }, ...both);
    await check('a line turns from sending to sent on the receipt', async () => {
      await alice.say('watch my state');
      const line = alice.page.locator('[data-testid=message]', {hasText: 'watch my state'}).last();
      await alice.page.locator('[data-testid=message][data-state=sent]', {hasText: 'watch my state'}).waitFor();
      assert.ok(Number(await line.getAttribute('data-seq')) > 0);
    }, ...both);
    await check('a cut line comes back without a missing or doubled line', async () => {
      bob.line.cut();
      const away = Array.from({length: 8}, (_, i) => `while Bob is away, line ${i} of eight`);
      for (const text of away) await alice.tell(text);
      await bob.say('said into the dead line');
      bob.line.mend();
      await bob.page.getByTestId('reconnect').click({timeout: 500}).catch(() => {}); // else it comes back by itself
      await bob.sees(away.at(-1));
      await bob.page.locator('[data-testid=message][data-state=sent]', {hasText: 'said into the dead line'}).waitFor({timeout: 40000});
      await alice.sees('said into the dead line');
      await bob.shows(away);
      for (const p of both) await p.shows(['said into the dead line']);
    }, ...both);
    await check('killed and started again: the talk is there, and what was being sent arrives once', async () => {
      await part(bob);
      const burst = Array.from({length: 10}, (_, i) => `around the kill, line ${i} of ten`);
      for (const text of burst.slice(0, 5)) await alice.say(text);
      await ask('restart');
      for (const text of burst.slice(5)) await alice.say(text);
      for (const text of burst) {
        await alice.page.locator('[data-testid=message][data-state=sent]', {hasText: text}).waitFor({timeout: 40000});
        await bob.page.locator('[data-testid=message][data-seq]', {hasText: text}).waitFor({timeout: 40000});
      }
      for (const p of both) for (const text of burst) await p.shows([text]);
      const [a, b] = [await alice.list(), await bob.list()];
      assert.deepEqual(a.map(m => m.seq), b.map(m => m.seq));
    }, ...both);
    await check('a reload keeps who is logged in and shows the same conversation', async () => {
      const before = (await bob.list()).map(m => m.seq);
      await bob.page.reload();
      await bob.at('message-input').waitFor();
      await bob.online();
      await bob.sees('line 9 of ten');
      const after = (await bob.list()).map(m => m.seq);
      assert.deepEqual(after.slice(-10), before.slice(-10));
    }, ...both);
    await check('who is here is shown, and goes when they leave', async () => {
      for (const p of both) if (!(await p.at('member-list').isVisible())) await p.at('toggle-members').click();
      await alice.page.locator('[data-testid^="member-"][data-present=true]', {hasText: 'Bob'}).waitFor();
    }, ...both);
    await check('a private room: only who is invited sees it', async () => {
      await alice.makeRoom('secret', '비밀 회의', 'private');
      await alice.tell('just for us');
      assert.equal(await bob.at('room-item-secret').count(), 0);
      await alice.at('invite').click();
      await alice.at('invite-name').fill('bob');
      await alice.at('invite-submit').click();
      await alice.page.keyboard.press('Escape');
      await bob.page.reload();
      await bob.at('room-item-secret').click();
      await bob.at('join-room').waitFor();
      await bob.page.waitForTimeout(700); // as long as a person needs to find the button
      await bob.at('join-room').click();
      await bob.sees('just for us');
      await bob.tell('thanks 감사합니다');
      await alice.sees('thanks 감사합니다');
    }, ...both);
    await check('the owner opens and closes the room and removes somebody; nobody else is offered it', async () => {
      await alice.at('make-public').waitFor();
      for (const what of ['[data-testid=invite]', '[data-testid=make-public]', '.kick']) assert.equal(await bob.page.locator(what).count(), 0, what);
      await alice.at('make-public').click();
      await alice.at('visibility-submit').click();
      await alice.at('make-private').waitFor();
      await alice.shot('owner');
      await alice.page.locator('.person', {hasText: 'Bob'}).locator('.kick').click();
      await alice.at('kick-submit').click();
      await bob.page.waitForFunction(() => location.hash !== '#/room/secret');
    }, ...both);
    await check('history scrolls back to the first line', async () => {
      await alice.makeRoom('long', '긴 이야기', 'public');
      for (let i = 1; i <= 130; i++) await alice.say(`story line ${String(i).padStart(3, '0')}`);
      await alice.sees('story line 130');
      await bob.joinRoom('long');
      await bob.sees('story line 130');
      const list = bob.page.getByRole('log');
      for (let i = 0; i < 40 && !(await bob.list()).some(m => m.text.includes('story line 001')); i++) {
        await list.evaluate(node => { node.scrollTop = 0; node.dispatchEvent(new Event('scroll')); });
        await bob.page.waitForTimeout(150);
      }
      await bob.shows(Array.from({length: 130}, (_, i) => `story line ${String(i + 1).padStart(3, '0')}`));
    }, ...both);
    await check('the page speaks Korean and English', async () => {
      const before = await alice.page.evaluate(() => document.documentElement.lang);
      await alice.at('switch-language').first().click();
      await alice.page.waitForFunction(lang => document.documentElement.lang !== lang, before);
      await alice.shot('other-language');
    }, ...both);
    await check('a dead server is shown as such, and the page recovers by itself', async () => {
      alice.line.cut();
      await alice.page.locator('[data-testid=connection-state]:not([data-state=online])').first().waitFor({state: 'attached'});
      await alice.shot('offline');
      alice.line.mend();
      await alice.page.locator('[data-testid=connection-state][data-state=online]').first().waitFor({state: 'attached', timeout: 40000});
    }, ...both);
    await check('logging out leads to the door, and the token is of no use any more', async () => {
      await alice.at('log-out').click();
      await alice.at('login-name').waitFor();
      await alice.page.reload();
      await alice.at('login-name').waitFor();
    }, ...both);
    await check('no script error and no dialog in either browser', async () => {
      assert.deepEqual(both.flatMap(p => p.problems), []);
    }, ...both);
    await bob.shot('end');
  } finally {
    await browser.close();
  }
  process.exit(failed ? 1 : 0);
}

main().catch(error => { console.log(`not ok browser: the script runs: ${String(error.stack).replace(/\s+/g, ' ').slice(0, 500)}`); process.exit(1); });
