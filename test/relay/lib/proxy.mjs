// A network between a relay and PostgreSQL that one can cut, or let hang.

import net from 'node:net'

export class Proxy {
  static async before (cluster) {
    const proxy = new Proxy()
    proxy.pairs = new Set()
    proxy.server = net.createServer(client => proxy.join(client, net.connect(`${cluster.sockets}/.s.PGSQL.5432`)))
    await new Promise(resolve => proxy.server.listen(0, '127.0.0.1', resolve))
    proxy.dsn = `host=127.0.0.1 port=${proxy.server.address().port} user=${process.env.CONVERGE_TEST_ROLE}`
    return proxy
  }

  join (client, server) {
    const pair = { client, server }
    // the first that a client says may be a request for TLS
    client.on('data', data => { pair.replicates ||= data.includes('\0replication\0') })
    this.pairs.add(pair)
    client.pipe(server)
    server.on('data', data => { if (!pair.mute) client.write(data) })
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on('error', () => {})
      one.on('close', () => { other.destroy(); this.pairs.delete(pair) })
    }
  }

  // What PostgreSQL says on these connections, all that are there, is lost; it hears everything.
  lose (which = () => true) {
    this.pairs.forEach(pair => { pair.mute = which(pair) })
  }

  // Every connection breaks; new ones are as good as ever.
  cut () {
    for (const { client, server } of this.pairs) {
      client.destroy()
      server.destroy()
    }
    this.pairs.clear()
  }

  async end () {
    this.cut()
    await new Promise(resolve => this.server.close(resolve))
  }
}
