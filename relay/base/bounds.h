/*
 * base/bounds.h: all limits of the relay that are not options.
 *
 * Limits that an operator may want to change are in the option table of
 * config.c; the ones here follow from the design.
 */
#ifndef RELAY_BOUNDS_H
#define RELAY_BOUNDS_H

/* unanswered operations of one session before it is asked to slow down */
#define LIMIT_SESSION_OPS			64

/* comments, suggestions and chat messages of one session that are not answered */
#define LIMIT_SESSION_TALK			16

/* when the numbers of talk are asked for once more, after the stream came up: as operations are read again */
#define LIMIT_TALK_AGAIN_S			2

/* messages other than operations waiting for one socket before it is closed */
#define LIMIT_SESSION_FRAMES		256

/* size at which a frame of ops is finished and the next one begun */
#define LIMIT_FRAME_BYTES			(256 * 1024)

/* longest token, user id and document title that are accepted */
#define LIMIT_TOKEN_BYTES			8192
#define LIMIT_SECRET_BYTES_LEAST	16
#define LIMIT_KEY_FILE_BYTES		(256 * 1024)
#define LIMIT_KEYS					256
#define LIMIT_RSA_BYTES				1024
#define LIMIT_USER_BYTES			256
#define LIMIT_ROLE_BYTES			16

/* longest reason of a close; a close frame has room for 123 bytes */
#define LIMIT_CLOSE_REASON_BYTES	120

/* documents without a room whose last version on the stream is remembered */
#define LIMIT_SEEN_DOCUMENTS		8192

/* most fragments of one message, and the time within which it must be complete */
#define LIMIT_MESSAGE_FRAMES		4096
#define LIMIT_MESSAGE_S				60

/* longest message that is compressed; no other client is served meanwhile */
#define LIMIT_DEFLATE_BYTES			(1024 * 1024)

/* most that a compressed message may unpack to: so many times its size, beside so many bytes */
#define LIMIT_INFLATED_RATIO		256
#define LIMIT_INFLATED_FREE			(64 * 1024)

/* most clients that may send compressed messages: some 40 KB each */
#define LIMIT_DEFLATE_CLIENTS		4096

/* time for a closing connection to send its last messages */
#define LIMIT_CLOSING_S				5

/* interval of checking a client's unasked checksums, and most checks at the same time */
#define LIMIT_CHECKSUM_S			10
#define LIMIT_CHECKSUMS				4

/* slots, of one second each, of the timing wheel for expiring tokens */
#define LIMIT_EXPIRY_SLOTS			512

/* addresses stored before those without a connection are removed */
#define LIMIT_ADDRESSES				16384

/* one batch of submissions */
#define LIMIT_BATCH_OPS				1024
#define LIMIT_BATCH_BYTES			(4 * 1024 * 1024)

/* most bytes of submissions that wait while PostgreSQL is unavailable */
#define LIMIT_HELD_BYTES			(256L * 1024 * 1024)

/* most unanswered statements on one reading connection */
#define LIMIT_READS_PER_LINK		16

/*
 * Calls for HTTP: how many wait for a connection, how long, how long one may
 * take in PostgreSQL and wait for a lock there, and how often one is tried
 */
#define LIMIT_CALLS_WAITING			1024
#define LIMIT_CALLS_A_USER			512
#define LIMIT_CALL_WAIT_MS			10000
#define LIMIT_CALL_MS				"30000"
#define LIMIT_CALL_LOCK_MS			"2000"
#define LIMIT_CALL_ATTEMPTS			4

/* longest time that a join, a catch-up or a batch of edits may take in PostgreSQL */
#define LIMIT_READ_MS				"60000"
#define LIMIT_SUBMIT_MS				"30000"

/* a request's line and headers together */
#define LIMIT_HEAD_BYTES			32768

/* an HTTP request: bytes of its path and its arguments, and number of arguments */
#define LIMIT_PATH_BYTES			1024
#define LIMIT_ARGUMENT_BYTES		1024
#define LIMIT_ARGUMENTS				16

/* longest answer over HTTP */
#define LIMIT_ANSWER_BYTES			(128UL * 1024 * 1024)

/* a message or an answer is written in pieces of this size: libwebsockets copies what the kernel does not take */
#define LIMIT_PIECE_BYTES			(64 * 1024)

/* what a connection takes by itself, about: in the process, with its buffers of libwebsockets */
#define LIMIT_CONNECTION_BYTES		(4 * 1024)
#define LIMIT_HTTP_CONNECTION_BYTES	(8 * 1024)

/* longest body, and first message, that are read before there is a valid token */
#define LIMIT_STRANGER_BYTES		(32 * 1024)

/* largest file of the web folder */
#define LIMIT_WEB_BYTES				(32L * 1024 * 1024)

/* most bytes that a client gets to catch up before it gets the whole text instead; and most queries for that */
#define LIMIT_CATCH_UP_BYTES		(128UL * 1024 * 1024)
#define LIMIT_CATCH_UP_ATTEMPTS		2

/* rooms asked about in one statement after a reconnection */
#define LIMIT_BACKFILL_ROOMS			256

/* attempts to submit a document's operations while PostgreSQL reports errors */
#define LIMIT_WRITE_ATTEMPTS		6

/* reconnecting: first and longest pause */
#define LIMIT_BACKOFF_FIRST_MS		50
#define LIMIT_BACKOFF_LAST_MS		3000

/* after working for this long, or existing for the longest pause, a connection starts again with the first pause */
#define LIMIT_BACKOFF_PROOF_MS		1000

/* interval of logging a repeated message, with a count */
#define LIMIT_REPEAT_MS				60000

/* time to wait for one document's lock before the next document's turn */
#define LIMIT_LOCK_WAIT_MS			300

/* versions that an operation may be behind and still go together with other documents */
#define LIMIT_NEAR_VERSIONS			1000

/* interval of probing PostgreSQL, and the time without an answer after which it counts as silent */
#define LIMIT_PROBE_MS				1000
#define LIMIT_PROBE_ANSWER_MS		5000

/* interval of reporting progress to the walsender */
#define LIMIT_PROGRESS_MS			10000

/* ... which it answers; after this time without an answer it counts as gone */
#define LIMIT_STREAM_SILENCE_MS		30000

/* rooms are read from the tables this often while there is no stream */
#define LIMIT_BACKFILL_MS				1000

/* attempts to find a version in the tables that a room or a joining client has, each pause twice the last */
#define LIMIT_UNSEEN_ATTEMPTS		8

/* first pause before looking again for a version in the tables that the stream delivered */
#define LIMIT_GAP_RETRY_MS			5

/* ... and number of attempts, each pause twice the last, up to 64 times the first */
#define LIMIT_GAP_ATTEMPTS			64

/* longest name of a client, and largest position in a text */
#define LIMIT_NAME_CHARACTERS		100
#define LIMIT_POSITION				67108864

/* interval of sending a document's presence, once more for each so many clients */
#define LIMIT_PRESENCE_MS			50
#define LIMIT_PRESENCE_CROWD		500

/* most clients of a document that are shown to others, those with cursors first */
#define LIMIT_PRESENCE_SHOWN		100

/* interval of checking for presence that is due */
#define LIMIT_PRESENCE_TICK_MS		10

/* most other relays, and most of their clients, that are stored */
#define LIMIT_PEERS					256
#define LIMIT_PEERS_CLIENTS			200000

/* longest --presence-timeout */
#define LIMIT_PRESENCE_TIMEOUT_S	3600

/* a message between relays before it is sealed, and messages in one statement; PostgreSQL takes payloads below 8000 bytes */
#define LIMIT_PEER_MESSAGE_BYTES		5800
#define LIMIT_PEER_MESSAGES			64

/* rows of presence written by one statement */
#define LIMIT_PRESENCE_ROWS			1000

/* shortest interval of messages to other relays, and of writing rows */
#define LIMIT_ANNOUNCE_MS			20
#define LIMIT_PRESENCE_WRITE_MS		200

#endif							/* RELAY_BOUNDS_H */
