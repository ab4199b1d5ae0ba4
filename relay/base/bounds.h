/*
 * base/bounds.h: every bound of the relay that is not an option, in one place.
 *
 * What a user of the relay may want to change stands in the option table of
 * config.c; what is here follows from the design and needs no turning.
 */
#ifndef RELAY_BOUNDS_H
#define RELAY_BOUNDS_H

/* what a session may have under way before it is asked to slow down */
#define LIMIT_SESSION_OPS			64

/* messages waiting for one socket, beside the log, before it is closed */
#define LIMIT_SESSION_FRAMES		256

/* a frame of ops is closed at this size and the next one begun */
#define LIMIT_FRAME_BYTES			(256 * 1024)

/* longest token, user id and document title that are looked at */
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

/* pieces of one message, and how long it may take until it is whole */
#define LIMIT_MESSAGE_FRAMES		4096
#define LIMIT_MESSAGE_S				60

/* longest message that is compressed, which nobody else is served meanwhile */
#define LIMIT_DEFLATE_BYTES			(1024 * 1024)

/* clients whose messages may come compressed: some 40 KB each */
#define LIMIT_DEFLATE_CLIENTS		4096

/* how long a closing connection has for its last words */
#define LIMIT_CLOSING_S				5

/* a client's checksums that it was not asked for are looked into this often, and so many of all at a time */
#define LIMIT_CHECKSUM_S			10
#define LIMIT_CHECKSUMS				4

/* seconds on the wheel of tokens that run out */
#define LIMIT_EXPIRY_SLOTS			512

/* addresses remembered before those without a connection are forgotten */
#define LIMIT_ADDRESSES				16384

/* one batch of submissions */
#define LIMIT_BATCH_OPS				1024
#define LIMIT_BATCH_BYTES			(4 * 1024 * 1024)

/* bytes of submissions held while PostgreSQL is away */
#define LIMIT_HELD_BYTES			(256L * 1024 * 1024)

/* statements under way on one connection that reads */
#define LIMIT_READS_PER_LINK		16

/*
 * Calls for HTTP: how many wait for a connection, how long, how long one may
 * take in PostgreSQL and wait for a lock there, and how often one is tried
 */
#define LIMIT_CALLS_WAITING			1024
#define LIMIT_CALL_WAIT_MS			10000
#define LIMIT_CALL_MS				"30000"
#define LIMIT_CALL_LOCK_MS			"2000"
#define LIMIT_CALL_ATTEMPTS			4

/* a request's line and headers together */
#define LIMIT_HEAD_BYTES			32768

/* a request over HTTP: its path and its arguments, and how many */
#define LIMIT_PATH_BYTES			1024
#define LIMIT_ARGUMENT_BYTES		1024
#define LIMIT_ARGUMENTS				16

/* an answer over HTTP that is given however much waits for slow readers */
#define LIMIT_SHORT_ANSWER_BYTES	(64 * 1024)

/* a file of the web folder */
#define LIMIT_WEB_BYTES				(32L * 1024 * 1024)

/* what one client is sent to catch up with, before it gets the whole text instead; and how often the tables are asked */
#define LIMIT_CATCH_UP_BYTES		(128UL * 1024 * 1024)
#define LIMIT_CATCH_UP_ATTEMPTS		2

/* rooms asked about in one statement after a reconnection */
#define LIMIT_SWEEP_ROOMS			256

/* times a document's submissions are tried against a PostgreSQL in trouble */
#define LIMIT_WRITE_ATTEMPTS		6

/* connecting anew: first and longest pause */
#define LIMIT_BACKOFF_FIRST_MS		50
#define LIMIT_BACKOFF_LAST_MS		3000

/* a connection begins again with the first pause when it has done work for so long, or was there for as long as the last */
#define LIMIT_BACKOFF_PROOF_MS		1000

/* a message that comes again and again is logged this often, with a count */
#define LIMIT_REPEAT_MS				60000

/* how long one lock is waited for before the next document has its turn */
#define LIMIT_LOCK_WAIT_MS			1000

/* PostgreSQL is asked how it is this often, and is silent when it does not answer for so long */
#define LIMIT_PROBE_MS				1000
#define LIMIT_PROBE_ANSWER_MS		5000

/* progress is reported to the walsender this often */
#define LIMIT_PROGRESS_MS			10000

/* ... and answered; a walsender that says nothing for so long is gone */
#define LIMIT_STREAM_SILENCE_MS		30000

/* rooms are read from the tables this often while there is no stream */
#define LIMIT_SWEEP_MS				1000

/* what is held here, or by who joins, and not in the tables is looked for so often, each time twice as late */
#define LIMIT_UNSEEN_ATTEMPTS		8

/* a version seen on the stream is looked for in the tables this often */
#define LIMIT_GAP_RETRY_MS			5

/* ... and given up after so many looks, each twice as late up to 64 times */
#define LIMIT_GAP_ATTEMPTS			64

/* what a client may say of itself; a text has no more code points than that */
#define LIMIT_NAME_CHARACTERS		100
#define LIMIT_POSITION				67108864

/* a document's presence is shown this often, and as much less often as it has this many clients */
#define LIMIT_PRESENCE_MS			50
#define LIMIT_PRESENCE_CROWD		500

/* clients of a document whom the others are shown, those with cursors first */
#define LIMIT_PRESENCE_SHOWN		100

/* presence waiting for its time is looked at this often */
#define LIMIT_PRESENCE_TICK_MS		10

/* other relays, and clients of theirs that are remembered */
#define LIMIT_PEERS					256
#define LIMIT_PEERS_CLIENTS			200000

/* longest --presence-timeout */
#define LIMIT_PRESENCE_TIMEOUT_S	3600

/* a message between relays before it is sealed, and messages in one statement; PostgreSQL takes payloads below 8000 bytes */
#define LIMIT_NEWS_BYTES			5800
#define LIMIT_NEWS_BATCH			64

/* rows of presence written by one statement */
#define LIMIT_PRESENCE_ROWS			1000

/* other relays are told, and rows written, no more often than that */
#define LIMIT_ANNOUNCE_MS			20
#define LIMIT_PRESENCE_WRITE_MS		200

#endif							/* RELAY_BOUNDS_H */
