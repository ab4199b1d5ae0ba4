// A bare relay to measure against: for every edit the least durable work in
// PostgreSQL (bench/lib/least.c made its tables and statement), and when that has
// committed, the edit to all clients of the document.  No transformation, no
// deduplication, no permissions, no history to join with.
//
// It is meant to be as fast as honest work with these libraries can be: prepared
// statements, pipelined on a pool of connections, a document always on the same one,
// so that no two of them wait for one row; one buffer for all receivers; no
// compression.
//
//   node relay.mjs PORT CONNECTIONS     (PostgreSQL from the PG* environment)

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';
import { WebSocketServer } from 'ws';

const port = Number(process.argv[2]);
const size = Number(process.argv[3]);

// One edit's work on a connection; the new version.
async function work(client, values)
{
	const result = await client.query({ name: 'work', text: sql, values, rowMode: 'array' });

	return result.rows.length > 0 ? result.rows[0][0] : null;
}

let sql;
const pool = await Promise.all(
	Array.from({ length: size }, async () => {
		const client = new pg.Client({ pipeline: true });

		await client.connect();
		await client.query('SET plan_cache_mode = force_generic_plan');
		sql = (await client.query('SELECT sql FROM least.statement')).rows[0].sql;
		// prepared before anything else is in the pipeline
		await work(client, [randomUUID(), randomUUID(), '', 0, '[]']);
		return client;
	})
);

const rooms = new Map();
let nextConnection = 0;

// The clients of a document, and the connection that does its work.
function roomOf(documentId)
{
	let room = rooms.get(documentId);

	if (room === undefined) {
		room = { clients: new Set(), client: pool[nextConnection++ % size] };
		rooms.set(documentId, room);
	}
	return room;
}

// Make one edit durable, then show it to everybody.
async function takeEdit(room, documentId, userId, edit)
{
	const op = JSON.stringify(edit.op);
	const version = await work(room.client,
		[documentId, edit.operationId, userId, edit.baseVersion, op]);
	const frame = Buffer.from(
		`{"type":"ops","ops":[{"version":${version},"sequenceId":${version},` +
		`"operationId":"${edit.operationId}","userId":"${userId}",` +
		`"baseVersion":${edit.baseVersion},"at":"${new Date().toISOString()}","op":${op}}]}`
	);

	for (const client of room.clients)
		client.send(frame, { binary: false });
}

const server = createServer((request, response) => {
	response.writeHead(200).end();
});
const sockets = new WebSocketServer({
	server,
	perMessageDeflate: false,
	skipUTF8Validation: true
});

sockets.on('connection', (socket, request) => {
	const documentId = request.url.slice('/v1/collab/'.length);
	const room = roomOf(documentId);
	const userId = 'ann';

	room.clients.add(socket);
	socket.on('close', () => room.clients.delete(socket));
	socket.on('message', (data) => {
		const message = JSON.parse(data);

		if (message.type === 'op')
			takeEdit(room, documentId, userId, message);
		else if (message.type === 'hello')
			socket.send('{"type":"joined","version":0,"resumed":true}');
	});
});

process.on('SIGTERM', () => process.exit(0));
server.listen(port, '127.0.0.1');
