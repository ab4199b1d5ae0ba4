# The extension itself: where it may be created, and that sessions which know its tables
# notice when they change under them.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('extension');
my $doc = doc(1);
my $as_ann = q{SET converge."user" = 'ann'; };

# What a statement fails with: SQLSTATE, message and the rest.
sub failure
{
	my ($dbname, $statement, %options) = @_;
	my ($ret, $stdout, $stderr) = $node->psql($dbname, $statement, extra_params => [ '-v', 'VERBOSITY=verbose' ], %options);

	return $stderr;
}

# ---- where it may be created ----

for my $encoding ('LATIN1', 'SQL_ASCII')
{
	$node->safe_psql('postgres', "CREATE DATABASE \L$encoding\E ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	like(failure(lc $encoding, 'CREATE EXTENSION converge'),
		qr/ERROR:  0A000: converge needs a database with encoding UTF8\nDETAIL:  The encoding of this database is $encoding\.\nHINT: /,
		"not in a database with encoding $encoding");
	is($node->safe_psql(lc $encoding, "SELECT count(*) FROM pg_namespace WHERE nspname = 'converge'"), '0', 'and nothing of it stays');
}
$node->safe_psql('postgres', 'CREATE ROLE ben LOGIN; CREATE DATABASE bens OWNER ben');
like(failure('bens', 'CREATE EXTENSION converge', connstr => $node->connstr('bens') . ' user=ben'),
	qr/ERROR:  42501: permission denied to create extension "converge"/, 'not by a plain user, not even in his own database');
like(failure('postgres', 'CREATE SCHEMA another; ALTER EXTENSION converge SET SCHEMA another'),
	qr/ERROR:  0A000: extension "converge" does not support SET SCHEMA/, 'its schema is fixed');
my $script = $node->config_data('--sharedir') . '/extension/converge--1.0.sql';
my ($stdout, $stderr) = run_command([ 'psql', '-X', '-d', $node->connstr('bens'), '-f', $script ]);
is($stdout, 'Use "CREATE EXTENSION converge" to load this file.', 'the script does not run by itself');

# ---- tables that change under sessions that know them ----

$node->safe_psql('postgres', "${as_ann}SELECT converge.create_document('', 'é', '$doc')");
my $session = $node->background_psql('postgres');
my $count = 0;

# One edit in the session that stays open; its text after it.
sub edit_in_session
{
	my $text = ++$count;

	return $session->query_safe("SELECT converge.edit('$doc', '[\"$text\"]'); SELECT converge.content('$doc')");
}

$session->query_safe(q{SET converge."user" = 'ann'});
is(edit_in_session(), "1\n1é", 'an open session edits');
for my $statement (
	'VACUUM FULL converge.heads', 'VACUUM FULL converge.ops', 'CLUSTER converge.ops USING ops_pkey', 'REINDEX TABLE converge.heads',
	'REINDEX SCHEMA converge', 'VACUUM converge.heads', 'ANALYZE converge.ops', 'CREATE INDEX ON converge.ops (created_at)',
	'ALTER TABLE converge.ops ADD COLUMN note text', "ALTER TABLE converge.heads ADD COLUMN note text DEFAULT 'é'",
	'ALTER TABLE converge.members ADD COLUMN note text', 'ALTER TABLE converge.snapshots ADD COLUMN note text',
	'ALTER TABLE converge.ops DROP COLUMN note', 'ALTER TABLE converge.heads DROP COLUMN note', 'ALTER TABLE converge.heads ADD COLUMN n int DEFAULT 1', 'ALTER TABLE converge.ops ALTER COLUMN op SET STORAGE EXTERNAL')
{
	my $before = join('', reverse 1 .. $count);

	$node->safe_psql('postgres', $statement);
	is(edit_in_session(), "$count\n$count${before}é", "and after $statement");
}
$node->safe_psql('postgres', "DROP EXTENSION converge; CREATE EXTENSION converge; ${as_ann}SELECT converge.create_document('', '😀', '$doc')");
$count = 0;
is(edit_in_session(), "1\n1😀", 'the extension dropped and created again, the session goes on');
$session->query_safe("DROP EXTENSION converge; CREATE EXTENSION converge; SELECT converge.create_document('', '', '$doc')");
is($session->query_safe("SELECT converge.edit('$doc', '[\"own\"]'); SELECT converge.content('$doc')"), "1\nown", 'also where it did so itself');
$session->quit;
like(failure('postgres', 'DROP EXTENSION converge; SELECT converge.content(gen_random_uuid())'), qr/ERROR:  42883: function converge.content\(uuid\) does not exist/, 'dropped, it is gone');

# what a build asks of the server must be there in its older minor releases, too
my $nm = join(' ', 'nm', '-D', '--undefined-only', $node->config_data('--pkglibdir') . '/converge.so');
my @asked = map { /\bU (\w+)/ ? $1 : () } split(/\n/, `$nm`);
cmp_ok(scalar(@asked), '>', 100, 'the library asks for names of the server');
is_deeply([ grep { $_ eq 'heap_datum_check' } @asked ], [], 'and for none that a minor release brought');

# ---- the recipe that keeps it ----

my ($recipe) = slurp_file("$FindBin::Bin/../../doc/operating.md") =~ /```sql\n(CREATE FUNCTION keep_converge\(\).*?)```/s;

$node->safe_psql('postgres', "CREATE EXTENSION converge; ${as_ann}SELECT converge.create_document('', 'kept', '$doc')");
$node->safe_psql('postgres', 'CREATE EXTENSION pgcrypto; CREATE TABLE converge_notes (n int)');
$node->safe_psql('postgres', $recipe);
for my $statement ('DROP EXTENSION converge', 'DROP EXTENSION IF EXISTS pgcrypto, converge CASCADE', 'DROP SCHEMA converge CASCADE')
{
	like(failure('postgres', $statement), qr/ERROR:  P0001: the extension converge holds documents.*ALTER EVENT TRIGGER keep_converge DISABLE/s, "refused: $statement");
}
is($node->safe_psql('postgres', "${as_ann}SELECT converge.content('$doc')"), 'kept', 'and nothing is lost');
$node->safe_psql('postgres', 'DROP EXTENSION pgcrypto; DROP TABLE converge_notes');
pass('what is not converge is dropped');
$node->safe_psql('postgres', 'ALTER EVENT TRIGGER keep_converge DISABLE; DROP EXTENSION converge');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'converge'"), 0, 'and converge too where that is wanted');

$node->stop;
done_testing();
