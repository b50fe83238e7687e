'use strict';
const net = require('node:net');

/** A line between a client and the server at `port` that can be cut and mended. */
class Line {
  constructor(host, port) {
    this.sockets = new Set();
    this.up = true;
    this.server = net.createServer(client => {
      if (!this.up) return client.destroy();
      const upstream = net.connect(Number(port), host);
      for (const [from, to] of [[client, upstream], [upstream, client]]) {
        this.sockets.add(from);
        from.on('error', () => to.destroy()).on('close', () => { this.sockets.delete(from); to.destroy(); });
        from.pipe(to);
      }
    });
  }
  async open() {
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}/`;
    return this;
  }
  cut() { this.up = false; for (const s of this.sockets) s.destroy(); }
  mend() { this.up = true; }
}

module.exports = {Line};
