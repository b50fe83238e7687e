// The STOMP and SockJS clients other people wrote, behind one small face, so that a scenario reads the same for each:
//   const c = await connect(kind, server, {member, room, token});
//   await c.watch(room, headers, onMessage);   resolves on the RECEIPT
//   await c.say(room, content, messageId);     resolves on the RECEIPT
'use strict';
const {Client} = require('@stomp/stompjs');
const OldStomp = require('stompjs');
const SockJS = require('sockjs-client');
const WebSocket = require('ws');

const LIMIT_MS = 15000;

const KINDS = {
  'stompjs 7 over ws': {make: newClient, socket: s => new WebSocket(s.ws, ['v12.stomp', 'v11.stomp', 'v10.stomp'])},
  'stompjs 7 over SockJS websocket': {make: newClient, socket: s => sockjs(s, 'websocket')},
  'stompjs 7 over SockJS xhr-streaming': {make: newClient, socket: s => sockjs(s, 'xhr-streaming')},
  'stompjs 7 over SockJS xhr-polling': {make: newClient, socket: s => sockjs(s, 'xhr-polling')},
  'Stomp.over(new SockJS) websocket': {make: oldClient, socket: s => sockjs(s, 'websocket')},
  'Stomp.over(new SockJS) xhr-streaming': {make: oldClient, socket: s => sockjs(s, 'xhr-streaming')},
  'Stomp.over(new SockJS) xhr-polling': {make: oldClient, socket: s => sockjs(s, 'xhr-polling')},
};

function sockjs(where, transport) {
  return new SockJS(where.http, null, {transports: [transport], timeout: LIMIT_MS});
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`${what}: not within ${LIMIT_MS} ms`)), LIMIT_MS); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function base(kind) {
  let receipts = 0;
  const waiting = new Map();
  return {
    kind,
    connected: false,
    trouble: null,
    receiptFor(what) {
      const id = `r-${++receipts}`;
      return [id, within(new Promise((resolve, reject) => waiting.set(id, {resolve, reject})), `${kind}: RECEIPT for ${what}`)];
    },
    onReceipt(id) { waiting.get(id)?.resolve(); waiting.delete(id); },
    fail(error) {
      this.connected = false;
      this.trouble ??= error;
      for (const {reject} of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}

function chatBody(room, content, messageId, type = 'TALK') {
  return JSON.stringify({type, roomId: room, content, messageId});
}

function newClient(kind, socket, options) {
  const self = base(kind);
  const client = new Client({
    webSocketFactory: socket, reconnectDelay: 0, heartbeatIncoming: options.heartbeat ?? 0, heartbeatOutgoing: options.heartbeat ?? 0,
  });
  client.onUnhandledReceipt = frame => self.onReceipt(frame.headers['receipt-id']);
  self.watch = (room, headers, onMessage) => self.subscribe(`/sub/chat/room/${room}`, headers, onMessage);
  self.subscribe = (destination, headers, onMessage) => {
    const [receipt, done] = self.receiptFor(`SUBSCRIBE ${destination}`);
    client.subscribe(destination, frame => onMessage(JSON.parse(frame.body), frame.headers, frame), {...headers, receipt});
    return done;
  };
  self.say = (room, content, messageId, type) => {
    const [receipt, done] = self.receiptFor(`SEND ${messageId}`);
    client.publish({destination: '/pub/chat/send', body: chatBody(room, content, messageId, type), headers: {receipt}});
    return done;
  };
  self.publish = (destination, body) => client.publish({destination, body: JSON.stringify(body)});
  self.close = () => client.deactivate();
  self.cut = () => client.forceDisconnect();
  const ready = new Promise((resolve, reject) => {
    client.onConnect = () => { self.connected = true; resolve(self); };
    client.onStompError = frame => { const e = new Error(`ERROR ${frame.headers.message}`); self.fail(e); reject(e); };
    client.onWebSocketClose = event => { const e = new Error(`closed ${event.code} ${event.reason}`); self.fail(e); reject(e); };
  });
  client.activate();
  return within(ready, `${kind}: CONNECTED`);
}

function oldClient(kind, socket) {
  const self = base(kind);
  const client = OldStomp.over(socket());
  client.debug = null;
  client.heartbeat.outgoing = client.heartbeat.incoming = 0;
  client.onreceipt = frame => self.onReceipt(frame.headers['receipt-id']);
  self.watch = (room, headers, onMessage) => self.subscribe(`/sub/chat/room/${room}`, headers, onMessage);
  self.subscribe = (destination, headers, onMessage) => {
    const [receipt, done] = self.receiptFor(`SUBSCRIBE ${destination}`);
    client.subscribe(destination, frame => onMessage(JSON.parse(frame.body), frame.headers, frame), {...headers, receipt});
    return done;
  };
  self.say = (room, content, messageId, type) => {
    const [receipt, done] = self.receiptFor(`SEND ${messageId}`);
    client.send('/pub/chat/send', {receipt}, chatBody(room, content, messageId, type));
    return done;
  };
  self.publish = (destination, body) => client.send(destination, {}, JSON.stringify(body));
  self.close = () => within(new Promise(resolve => client.disconnect(resolve)), `${kind}: DISCONNECT`);
  self.cut = () => client.ws.close();
  const ready = new Promise((resolve, reject) => {
    client.connect({}, () => { self.connected = true; resolve(self); }, problem => {
      const e = new Error(`${kind}: ${problem.headers ? problem.headers.message : problem}`);
      self.fail(e);
      reject(e);
    });
  });
  return within(ready, `${kind}: CONNECTED`);
}

/** server: {address: 'HOST:PORT'}; options: {token, room, path?, heartbeat?} */
function connect(kind, server, options) {
  const path = options.path ?? '/ws-chat';
  const query = options.token ? `?token=${encodeURIComponent(options.token)}&roomId=${encodeURIComponent(options.room)}` : '';
  const where = {ws: `ws://${server.address}${path}${query}`, http: `http://${server.address}${path}${query}`};
  const {make, socket} = KINDS[kind];
  return make(kind, () => socket(where), options);
}

/** A list that can be waited on. */
function inbox() {
  const items = [];
  let wake = () => {};
  return {
    items,
    push(item) { items.push(item); wake(); },
    async count(n) {
      const end = Date.now() + LIMIT_MS;
      while (items.length < n) {
        if (Date.now() > end) throw new Error(`only ${items.length} of ${n} messages came`);
        await Promise.race([new Promise(resolve => { wake = resolve; }), new Promise(resolve => setTimeout(resolve, 200))]);
      }
      return items;
    },
  };
}

module.exports = {connect, inbox, within, KINDS};
