// Plays some people's part of the evening. Stdin: {address, events, people: [{id, kind, token, home, rooms}], counts: {room: n}}.
// Stdout: one JSON line for each person and room: {who, kind, room, count, hash, problems}.
'use strict';
const fs = require('node:fs');
const {createHash} = require('node:crypto');
const {connect} = require('./clients.cjs');

const PATIENCE_MS = 60000;
const FIELDS = ['seq', 'messageId', 'roomId', 'senderId', 'senderNickname', 'type', 'createdAt', 'content'];
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

class Person {
  constructor(part, address, counts) {
    Object.assign(this, part);
    this.address = address;
    this.lists = Object.fromEntries(part.rooms.map(room => [room, {hash: Buffer.alloc(32), last: 0, wanted: counts[room]}]));
    this.unacknowledged = new Map();
    this.problems = [];
    this.lives = 0;
  }

  take(room, message) {
    const list = this.lists[room];
    if (message.seq !== list.last + 1) this.problems.push(`seq ${message.seq} after ${list.last} in ${room}`);
    list.last = message.seq;
    list.hash = createHash('sha256').update(list.hash).update(FIELDS.map(f => String(message[f])).join('\n')).digest();
  }

  async enter() {
    for (let tries = 0; ; tries++) {
      const life = ++this.lives;
      try {
        this.client = await connect(this.kind, {address: this.address}, {token: this.token, room: this.home});
        for (const room of this.rooms) {
          const listen = message => { if (life === this.lives) this.take(room, message); };
          await this.client.watch(room, {'after-seq': String(this.lists[room].last)}, listen);
        }
        break;
      } catch (error) {
        if (tries === 5) throw error;
        await sleep(100 * (tries + 1));
      }
    }
    for (const event of this.unacknowledged.values()) this.post(event);
  }

  say(event) {
    this.unacknowledged.set(event.messageId, event);
    this.post(event);
  }

  post(event) {
    try {
      this.client.say(event.room, event.content, event.messageId).then(() => this.unacknowledged.delete(event.messageId), () => {});
    } catch { /* the line is down: what is unacknowledged is sent again after coming back */ }
  }

  async play(events, began) {
    await this.enter();
    for (const event of events) {
      const wait = began + event.at - Date.now();
      if (wait > 0) await sleep(wait);
      if (event.cut) {
        this.lives++;
        this.client.cut();
        await this.enter();
      } else {
        this.say(event);
      }
    }
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end && (this.unacknowledged.size || this.rooms.some(r => this.lists[r].last < this.lists[r].wanted))) {
      if (!this.client.connected) await this.enter();
      await sleep(50);
    }
    if (this.unacknowledged.size) this.problems.push(`${this.unacknowledged.size} messages without receipt`);
    await this.client.close();
    for (const [room, list] of Object.entries(this.lists)) {
      console.log(JSON.stringify({who: this.id, kind: this.kind, room, count: list.last, hash: list.hash.toString('hex'), problems: this.problems.slice(0, 5)}));
    }
  }
}

async function main() {
  const task = JSON.parse(fs.readFileSync(0, 'utf8'));
  const events = JSON.parse(fs.readFileSync(task.events, 'utf8'));
  const people = task.people.map(part => new Person(part, task.address, task.counts));
  await Promise.all(people.map(p => p.play(events.filter(e => e.who === p.id), task.began)));
  process.exit(0);
}

main().catch(error => { console.error(error); process.exit(1); });
