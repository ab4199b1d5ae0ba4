# The maintenance worker: what is due gets done by itself in every database that has
# converge, while people edit, and nothing is said of it in the log.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;
use HistoryTest;

my $node = start_node('worker');
my $log = $node->logfile;

$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'converge'
converge.maintenance_interval = 1
converge.pack_keep = 50
converge.pack_batch = 50
log_autovacuum_min_duration = -1
CONF
$node->restart;
my $log_start = -s $log;

is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'converge maintenance launcher'}), 1, 'the launcher runs');

# two databases with a document, one without the extension, and some that cannot be visited:
# one that lets nobody in, a template, one whose DROP was interrupted
for my $dbname ('one', 'two')
{
	$node->safe_psql('postgres', "CREATE DATABASE $dbname");
	$node->safe_psql($dbname, 'CREATE EXTENSION converge');
	sql($node, $dbname, "SELECT converge.create_document('', 'é😀', '" . doc(1) . "'), converge.share('" . doc(1) . "', 'ben é', 'editor');");
}
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->safe_psql('postgres', q{ALTER DATABASE two SET default_transaction_isolation = 'serializable'});
$node->safe_psql('postgres', 'CREATE DATABASE closed WITH ALLOW_CONNECTIONS false');
$node->safe_psql('postgres', 'CREATE DATABASE template WITH IS_TEMPLATE true');
$node->safe_psql('postgres', 'CREATE DATABASE half_dropped');
$node->safe_psql('postgres', q{UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped'});

# somebody edits, a transaction an edit, until the worker has packed some of it twice
my %typing = map {
	my $dbname = $_;
	my %typist = (out => '');

	$node->safe_psql($dbname, q{
		CREATE PROCEDURE type_until_packed(doc uuid) LANGUAGE plpgsql AS $$
		DECLARE
			packed bigint;
			seen bigint[] := '{}';
		BEGIN
			WHILE cardinality(seen) < 3 LOOP
				PERFORM converge.edit(doc, converge.insert(0, '<é>'));
				COMMIT;
				packed := (SELECT packed_version FROM converge.heads WHERE doc_id = doc);
				IF packed <> ALL (seen) THEN
					seen := seen || packed;
				END IF;
			END LOOP;
		END
		$$;});
	$typist{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($dbname), '-c', q{SET converge."user" = 'ann'},
			'-c', q{SET default_transaction_isolation = 'read committed'}, '-c', "CALL type_until_packed('" . doc(1) . "')", '-c', 'SELECT version FROM converge.heads' ],
		'<', \undef, '>', \$typist{out}, '2>', \$typist{log}, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$dbname => \%typist;
} 'one', 'two';
my %edits;

for my $dbname ('one', 'two')
{
	ok($typing{$dbname}{run}->finish, "$dbname: ops get packed, and whoever edits notices nothing") or diag($typing{$dbname}{log});
	chomp($edits{$dbname} = $typing{$dbname}{out});
}
for my $dbname ('one', 'two')
{
	my $edits = $edits{$dbname};

	type_history($node, $dbname, doc(1), $edits + 1, $edits + 1000);	# with enough text for a snapshot
	ok($node->poll_query_until($dbname, q{SELECT count(*) > 0 FROM converge.snapshots WHERE kind = 'due'}), "$dbname: a snapshot gets taken");
	ok($node->poll_query_until($dbname, 'SELECT version - packed_version < 100 FROM converge.heads'), "$dbname: all gets packed that is due");
	is(sql($node, $dbname, "SELECT count(*), min(version), max(version) FROM converge.history('" . doc(1) . "');"), join('|', $edits + 1000, 1, $edits + 1000), "$dbname: every op is there");
	is(problems($node, $dbname), '', "$dbname: nothing to complain of");
}
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'converge'}), 0, 'a database without converge stays so');

# a database whose sessions only read, unless they say otherwise
{
	local $ENV{PGOPTIONS} = '-c default_transaction_read_only=off';

	$node->safe_psql('postgres', 'CREATE DATABASE strict');
	$node->safe_psql('postgres', 'ALTER DATABASE strict SET default_transaction_read_only = on');
	$node->safe_psql('strict', 'CREATE EXTENSION converge');
	sql($node, 'strict', "SELECT converge.create_document('', 'é😀', '" . doc(1) . "'), converge.share('" . doc(1) . "', 'ben é', 'editor');");
	type_history($node, 'strict', doc(1), 1, 300);
}
ok($node->poll_query_until('strict', 'SELECT count(*) > 0 FROM converge.packs'), 'a database that is read by default gets packed');

# held up in the middle: it is seen at work, and editing goes on
$node->safe_psql('one', q{
	CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
	CREATE TRIGGER pause BEFORE INSERT ON converge.packs FOR EACH ROW EXECUTE FUNCTION pause();});
my ($holder_in, $holder_out) = ("SELECT pg_advisory_lock(1), 'held';\n", '');
my $holder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('one') ], '<', \$holder_in, '>', \$holder_out, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$holder->pump until $holder_out =~ /held/;

type_history($node, 'one', doc(1), $edits{one} + 1001, $edits{one} + 1200);
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = 'one' AND application_name = 'converge maintenance' AND wait_event_type = 'Lock'}), 'it waits');
is($node->safe_psql('two', q{SELECT database, application_name, state, query FROM converge.maintenance}),
	'one|converge maintenance|active|maintaining document ' . doc(1), 'and is seen, with the document it is at');
is($node->safe_psql('one', q{SELECT backend_type FROM pg_stat_activity JOIN converge.maintenance USING (pid)}), 'converge maintenance', 'as what it is');
is(type_history($node, 'one', doc(1), $edits{one} + 1201, $edits{one} + 1210), 'applied|10', 'editing goes on');

# done by hand meanwhile: the document is left to the worker
is(sql($node, 'one', 'SELECT ops_packed FROM converge.maintain_document(\'' . doc(1) . '\');'), 0, 'whoever comes second leaves it');
$holder_in = "SELECT pg_advisory_unlock(1);\n\\q\n";
$holder->finish;
ok($node->poll_query_until('one', 'SELECT version - packed_version < 100 FROM converge.heads'), 'let go, it goes on');
is(problems($node, 'one'), '', 'nothing to complain of');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'converge maintenance' AND state = 'active'}), 'then it rests');

# databases come and go
$node->safe_psql('postgres', 'CREATE DATABASE late');
$node->safe_psql('late', 'CREATE EXTENSION converge');
sql($node, 'late', "SELECT converge.create_document('', 'é😀', '" . doc(1) . "'), converge.share('" . doc(1) . "', 'ben é', 'editor');");
type_history($node, 'late', doc(1), 1, 300);
ok($node->poll_query_until('late', 'SELECT count(*) > 0 FROM converge.packs'), 'a new database is found');
$node->safe_psql('postgres', 'DROP DATABASE late');
$node->safe_psql('plain', 'CREATE EXTENSION converge');

my $said = slurp_file($log, $log_start);
# (that a database went just when it was to be visited is PostgreSQL's to tell)
my @unexpected = grep { /\b(?:WARNING|ERROR|FATAL|PANIC):/ && !/FATAL:  database \d+ does not exist/ } split(/\n/, $said);
is(join("\n", @unexpected), '', 'nothing is said of it in the log');

# a document that is damaged is told of, and does not hinder the next
sql($node, 'two', "SELECT converge.create_document('', 'é😀', '" . doc(2) . "'), converge.share('" . doc(2) . "', 'ben é', 'editor');");
type_history($node, 'two', doc(2), 1, 99);
$node->safe_psql('two', "DELETE FROM converge.ops WHERE doc_id = '" . doc(1) . "' AND version = (SELECT packed_version + 1 FROM converge.heads WHERE doc_id = '" . doc(1) . "')");
$log_start = -s $log;
type_history($node, 'two', doc(1), $edits{two} + 1001, $edits{two} + 1100);
type_history($node, 'two', doc(2), 100, 200);
ok($node->poll_query_until('two', "SELECT packed_version >= 100 FROM converge.heads WHERE doc_id = '" . doc(2) . "'"), 'the next one is packed');
$node->wait_for_log(qr/ERROR:  version \d+ is missing in the log of document @{[ doc(1) ]}/, $log_start);
pass('the damaged one is told of');
isnt(problems($node, 'two'), '', 'by verify too');

# the end: also for one that waits
$holder_in = "SELECT pg_advisory_lock(1), 'held';\n";
$holder_out = '';
$holder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('one') ], '<', \$holder_in, '>', \$holder_out, '2>', \my $ignored, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$holder->pump until $holder_out =~ /held/;
type_history($node, 'one', doc(1), $edits{one} + 1211, $edits{one} + 1400);
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'converge maintenance' AND wait_event_type = 'Lock'}), 'it waits again');
$node->stop('fast');
pass('a fast shutdown does not wait for it');
$holder->finish;
$node->start;
ok($node->poll_query_until('one', 'SELECT version - packed_version < 100 FROM converge.heads'), 'and it takes up its work where it left it');
is(problems($node, 'one'), '', 'nothing is lost');

$node->stop;
done_testing();
