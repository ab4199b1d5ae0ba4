# The output plugin, as pg_recvlogical shows it: which changes give which lines.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('decode');

sub sql
{
	return $node->safe_psql('postgres', join("\n", @_));
}

# Run statements as ann and take the lines they give.
sub events_of
{
	sql(q{SET converge."user" = 'ann';}, @_);
	return events($node, 'slot');
}

command_ok(
	[
		'pg_recvlogical', '--dbname', $node->connstr('postgres'), '--slot', 'slot', '--create-slot',
		'--plugin=converge'
	],
	'pg_recvlogical creates a slot for the plugin');

# ---- what gives nothing ----

my ($d1, $d2) = (doc(1), doc(2));
is_deeply(
	[ events_of(
		"SELECT converge.create_document('Grüße 😀', 'aéह😀', '$d1'), converge.create_document('', '', '$d2');",
		"SELECT converge.share('$d1', 'Zoë \"quoted\" 😀', 'editor'), converge.share('$d2', 'ben', 'editor');") ],
	[
		qq({"type":"member","documentId":"$d1","userId":"ann","role":"owner"}),
		qq({"type":"member","documentId":"$d2","userId":"ann","role":"owner"}),
		qq({"type":"member","documentId":"$d1","userId":"Zoë \\"quoted\\" 😀","role":"editor"}),
		qq({"type":"member","documentId":"$d2","userId":"ben","role":"editor"})
	],
	'new documents and their texts give no lines, members do');

# ---- one op ----

my $one = op_id(1);
my @lines = events_of("SELECT converge.apply_op('$d1', '$one', 0, '[1,\"\\u00e9\\\"\\\\\\n😀\",{\"d\":2}]');");
is_deeply(
	[ plain_events(@lines) ],
	[
		qq({"type":"op","documentId":"$d1","version":1,"sequenceId":N,"operationId":"$one","userId":"ann",)
		  . q("baseVersion":0,"at":T,"op":[1,"é\"\\\\\n😀",{"d":2}]})
	],
	'one op is one line');
is_deeply(\@lines, [ stored_events($node, 'version = 1') ], 'it says what the row says');

# whoever asks, and however the session is set up
$node->append_conf('postgresql.conf', "timezone = 'Asia/Kathmandu'\ndatestyle = 'SQL, DMY'\nbytea_output = 'escape'\n");
$node->reload;
ok($node->poll_query_until('postgres', 'SHOW TimeZone', 'Asia/Kathmandu'), 'the time zone is another');
@lines = events_of(
	qq{SET converge."user" = 'Zoë "quoted" 😀';},
	"SELECT converge.edit('$d1', '[3,\"!\"]');");
is_deeply(\@lines, [ stored_events($node, 'version = 2') ], 'time zone and names make no difference');

# the same text as the answer of submit
my $answer = sql("SELECT event FROM converge.submit(ARRAY['$d2']::uuid[], '{ben}', ARRAY['$one']::uuid[], '{0}', ARRAY['[\"😀\"]'])");
is_deeply(
	[ events($node, 'slot') ],
	[ qq({"type":"op","documentId":"$d2",) . substr($answer, 1) ],
	'the line is the entry that submit answered, with type and document');

# ---- transactions ----

@lines = events_of('BEGIN;',
	(map { "SELECT converge.edit('" . ($_ % 2 ? $d1 : $d2) . "', converge.insert(0, 'é$_'));" } 1 .. 20), 'COMMIT;');
is(scalar(@lines), 20, 'a transaction of many ops gives as many lines and nothing around them');
is_deeply(\@lines, [ stored_events($node, "created_at > (SELECT created_at FROM converge.ops WHERE doc_id = '$d2' AND version = 1)") ],
	'in their order');

is_deeply(
	[ events_of('BEGIN;', "SELECT converge.edit('$d1', '[\"never\"]');", 'ROLLBACK;') ],
	[], 'a transaction that was rolled back gives none');

@lines = events_of(
	'BEGIN;', "SELECT converge.edit('$d2', '[\"1 kept \"]');",
	'SAVEPOINT s1;', "SELECT converge.edit('$d2', '[\"2 lost \"]');",
	'SAVEPOINT s2;', "SELECT converge.edit('$d2', '[\"3 lost \"]');",
	'RELEASE s2;', 'ROLLBACK TO s1;',
	'SAVEPOINT s3;', "SELECT converge.edit('$d2', '[\"4 kept \"]');",
	'RELEASE s3;', "SELECT converge.edit('$d2', '[\"5 kept \"]');", 'COMMIT;');
is_deeply([ map { /"op":\["(.*) "\]/ } @lines ], [ '1 kept', '4 kept', '5 kept' ],
	'of subtransactions, what was kept');
is_deeply([ map { /"version":(\d+)/ } @lines ], [ 12, 13, 14 ], 'under the versions it has');

sql(qq{SELECT count(*) FROM converge.submit(array_fill('$d2'::uuid, '{2000}'), array_fill('ben'::text, '{2000}'),
	ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 2000)), array_fill(14::bigint, '{2000}'), array_fill('["batch 😀"]'::text, '{2000}'))});
@lines = events($node, 'slot');
is_deeply([ map { /"version":(\d+)/ } @lines ], [ 15 .. 2014 ], 'a batch that spills to disk comes whole and in order');

# two documents: the order of the stream is that of the commits
my $first = $node->background_psql('postgres');
$first->query_safe("SET converge.\"user\" = 'ann'; BEGIN; SELECT converge.edit('$d1', '[\"began first\"]')");
sql("SET converge.\"user\" = 'ann'; SELECT converge.edit('$d2', '[\"committed first\"]')");
$first->query_safe('COMMIT');
$first->quit;
@lines = events($node, 'slot');
is_deeply([ map { /"op":\["([a-z ]+)"\]/ } @lines ], [ 'committed first', 'began first' ],
	'lines come in commit order');
my @seq = map { /"sequenceId":(\d+)/ } @lines;
cmp_ok($seq[0], '>', $seq[1], 'though their sequence ids do not');

# ---- large ops ----

my %large = (
	compressible => "repeat('aéह😀', 100000)",
	incompressible => "(SELECT string_agg(md5(n::text) || '😀', '') FROM generate_series(1, 20000) AS n)",
	short => "repeat('é', 1500)",	# compressed, but not out of line
);
my $version = sql("SELECT version FROM converge.heads WHERE doc_id = '$d1'");
for my $kind (sort keys %large)
{
	$version++;
	@lines = events_of("SELECT converge.edit('$d1', converge.insert(1, $large{$kind}));");
	is(scalar(@lines), 1, "$kind: one line");
	ok($lines[0] eq (stored_events($node, "doc_id = '$d1' AND version = $version"))[0], "$kind: the whole op is in it");
	is(sql("SELECT converge.content_at('$d1', $version) = converge.apply(converge.content_at('$d1', $version - 1), converge.insert(1, $large{$kind}))
		FROM set_config('converge.user', 'ann', true)"), 't', "$kind: and in the document");
}
is(sql(q{SELECT count(DISTINCT chunk_id) FROM } . sql("SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'converge.ops'::regclass")),
	2, 'two of them were out of line');
@lines = events_of('BEGIN;', (map { "SELECT converge.edit('$d1', converge.insert($_, $large{incompressible}));" } 1 .. 3),
	"SELECT converge.edit('$d1', '[\"small\"]');", 'COMMIT;');
is_deeply(
	[ map { length($_) > 600000 } @lines ],
	[ 1, 1, 1, '' ],
	'several large ops in one transaction each come whole');
sql('ALTER TABLE converge.ops ALTER COLUMN op SET STORAGE EXTERNAL');
@lines = events_of("SELECT converge.edit('$d1', converge.insert(0, $large{compressible}));");
is(length($lines[0]) > 1000000, 1, 'out of line without compression');
sql('ALTER TABLE converge.ops ALTER COLUMN op SET STORAGE EXTENDED');

# ---- tables that are not ours ----

is_deeply(
	[ events_of(
		'CREATE SCHEMA mine;',
		'CREATE TABLE mine.ops (LIKE converge.ops);', 'CREATE TABLE public.ops (n int, t text);',
		'CREATE TABLE converge.mine (LIKE converge.ops);',
		'CREATE TEMP TABLE ops (LIKE converge.ops);',
		'INSERT INTO mine.ops TABLE converge.ops;', 'INSERT INTO converge.mine TABLE converge.ops;',
		'INSERT INTO ops TABLE converge.ops;',
		"INSERT INTO public.ops SELECT n, repeat('é', 5000) || md5(n::text) FROM generate_series(1, 3000) AS n;",
		'UPDATE public.ops SET n = -n;', 'DELETE FROM mine.ops;', 'TRUNCATE converge.mine;',
		'DROP TABLE converge.mine;') ],
	[], 'tables of others give nothing, look as they may');
is_deeply(
	[ events_of(
		"UPDATE converge.ops SET created_at = created_at WHERE doc_id = '$d2';",
		"DELETE FROM converge.ops WHERE doc_id = '$d2';", "DELETE FROM converge.heads WHERE doc_id = '$d2';",
		"INSERT INTO converge.snapshots SELECT doc_id, version, seq, now(), 'due', 'é' FROM converge.heads;",
		"DELETE FROM converge.snapshots WHERE kind = 'due' AND version > 0;") ],
	[], 'of ops, only inserted ones do, and of heads and snapshots none');
@lines = events_of('BEGIN;', 'INSERT INTO public.ops VALUES (1);', "SELECT converge.edit('$d1', '[\"ours\"]');",
	'INSERT INTO public.ops VALUES (2);', 'COMMIT;');
is_deeply([ map { /"op":(.*)\}/ } @lines ], ['["ours"]'], 'an op among changes of others');

# ---- members and documents ----

my $d3 = doc(3);
events_of("SELECT converge.create_document('', '', '$d3');");
is_deeply(
	[ plain_events(events_of(
		'BEGIN;', "SELECT converge.share('$d3', 'ben', 'editor');", "SELECT converge.edit('$d3', '[\"é\"]');",
		"SELECT converge.share('$d3', '*', 'viewer');", "SELECT converge.rename_document('$d3', E'😀\"\\n');",
		"SELECT converge.share('$d3', 'ben', 'viewer');", "SELECT converge.unshare('$d3', 'ben');", 'COMMIT;')) ],
	[
		qq({"type":"member","documentId":"$d3","userId":"ben","role":"editor"}),
		(plain_events(stored_events($node, "doc_id = '$d3'")))[0],
		qq({"type":"member","documentId":"$d3","userId":"*","role":"viewer"}),
		qq({"type":"document","documentId":"$d3","title":"😀\\"\\n"}),
		qq({"type":"member","documentId":"$d3","userId":"ben","role":"viewer"}),
		qq({"type":"member","documentId":"$d3","userId":"ben","role":null})
	],
	'roles, titles and ops come in the order in which they were made');
is_deeply(
	[ events_of("SELECT converge.unshare('$d3', 'nobody');", 'BEGIN;', "SELECT converge.unshare('$d3', '*');", 'ROLLBACK;',
		"UPDATE converge.members SET role = 'owner' WHERE user_id = 'nobody';") ],
	[], 'what changed nothing gives none');
my $title = sql("SELECT string_agg(chr(128512 + n * n % 61), '') FROM generate_series(1, 1000) AS n");
is_deeply(
	[ events_of("SELECT converge.rename_document('$d3', '$title');", "ALTER TABLE converge.documents ALTER COLUMN title SET STORAGE EXTERNAL;",
		"SELECT converge.rename_document('$d3', '$title');", "UPDATE converge.documents SET owner = 'ben' WHERE id = '$d3';",
		"ALTER TABLE converge.documents ALTER COLUMN title SET STORAGE EXTENDED;") ],
	[ (qq({"type":"document","documentId":"$d3","title":"$title"})) x 2 ],
	'a long title comes whole, and not at all where it stayed as it was');
ok(sql(q{SELECT pg_relation_size(reltoastrelid) > 0 FROM pg_class WHERE oid = 'converge.documents'::regclass}) eq 't', 'it had been out of line');
my $life = sql("SELECT life FROM converge.documents WHERE id = '$d3'");
is_deeply(
	[ events_of("SELECT converge.delete_document('$d3');") ],
	[
		qq({"type":"document","documentId":"$d3","deleted":true,"life":"$life"}),
		qq({"type":"member","documentId":"$d3","userId":"ann","role":null}),
		qq({"type":"member","documentId":"$d3","userId":"*","role":null})
	],
	'a deleted document says so before its members go');

# ---- a table whose shape changes ----

@lines = events_of(
	"SELECT converge.edit('$d1', '[\"before\"]');",
	'ALTER TABLE converge.ops ADD COLUMN note text;', "SELECT converge.edit('$d1', '[\"behind\"]');",
	'BEGIN;', "SELECT converge.edit('$d1', '[\"in one\"]');", "ALTER TABLE converge.ops ALTER COLUMN note SET DEFAULT 'é';",
	"SELECT converge.edit('$d1', '[\"transaction\"]');", 'COMMIT;',
	'ALTER TABLE converge.ops DROP COLUMN note;', "SELECT converge.edit('$d1', '[\"after\"]');",
	'ALTER TABLE converge.ops ADD COLUMN other int DEFAULT 1;', "SELECT converge.edit('$d1', '[\"another\"]');",
	'ALTER TABLE converge.ops DROP COLUMN other;');
is_deeply([ map { /"op":\["([a-z ]+)"\]/ } @lines ], [ 'before', 'behind', 'in one', 'transaction', 'after', 'another' ],
	'each row is read by the shape its table had');

# as an upgrade may do it: another column under the old name
@lines = events_of(
	"SELECT converge.edit('$d1', '[\"old\"]');",
	'ALTER TABLE converge.ops RENAME COLUMN base_version TO old_base;',
	'ALTER TABLE converge.ops ADD COLUMN base_version bigint DEFAULT 7;',
	"INSERT INTO converge.ops (doc_id, version, seq, created_at, op_id, submitted_hash, user_id, op, old_base)",
	"SELECT doc_id, -1, seq, created_at, gen_random_uuid(), 0, 'é', '[\"new\"]', 5 FROM converge.ops LIMIT 1;",
	'DELETE FROM converge.ops WHERE version = -1;',
	'ALTER TABLE converge.ops DROP COLUMN base_version;',
	'ALTER TABLE converge.ops RENAME COLUMN old_base TO base_version;',
	"SELECT converge.edit('$d1', '[\"old again\"]');");
like($lines[0], qr/"baseVersion":[1-9]\d+,.*"op":\["old"\]/, 'a column is found by its name before,');
like($lines[1], qr/"baseVersion":7,.*"op":\["new"\]/, 'after,');
like($lines[2], qr/"baseVersion":[1-9]\d+,.*"op":\["old again"\]/, 'and after the next change');

# ---- other ways to read ----

$version = sql("SELECT version FROM converge.heads WHERE doc_id = '$d1'") + 1;
sql("SET converge.\"user\" = 'ann'; SELECT converge.edit('$d1', '[\"peek\"]')");
is(sql("SELECT string_agg(data, '|') FROM pg_logical_slot_peek_changes('slot', NULL, NULL)"),
	(stored_events($node, "doc_id = '$d1' AND version = $version"))[0], 'SQL shows the same line');
is(sql(map { "SELECT count(*) FROM pg_logical_slot_peek_changes('slot', NULL, NULL);" } 1 .. 30),
	join("\n", (1) x 30), 'one session may decode many times');
is(scalar(events($node, 'slot')), 1, 'and pg_recvlogical takes it after that');

$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->safe_psql('plain',
	"SELECT pg_create_logical_replication_slot('plain', 'converge'); CREATE SCHEMA converge; CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
is($node->safe_psql('plain', "SELECT count(*) FROM pg_logical_slot_get_changes('plain', NULL, NULL)"),
	'0', 'a database without the extension gives nothing');

$node->stop;
done_testing();
