# pg_upgrade --link into a fresh cluster: documents and their past are there, and editing
# goes on.  Only one major version is at hand, so this is from it to itself; what a new
# one changes about files is PostgreSQL's, what the extension stores is tables alone.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;
use HistoryTest;

my $conf = <<'CONF';
shared_preload_libraries = 'converge'
converge.maintenance_interval = 1
converge.pack_keep = 100
converge.pack_batch = 100
CONF
my $old = start_node('upgrade_old');
my $new = PostgreSQL::Test::Cluster->new('upgrade_new');

sql($old, 'postgres', "SELECT converge.create_document('Grüße 😀', E'na\\u0301ह😀', '" . doc(1) . "'), converge.create_document('', '', '" . doc(2) . "');",
	"SELECT converge.share(id, 'ben é', 'editor') FROM converge.documents;");
is(type_history($old, 'postgres', doc(1), 1, 500), 'applied|500', 'a past');
sql($old, 'postgres', "SELECT converge.snapshot('" . doc(1) . "', 'named é');", "SELECT converge.pack('" . doc(1) . "', 300);", "SELECT converge.undo_last('" . doc(1) . "');",
	"SELECT converge.prune('" . doc(1) . "', 50);");
$old->safe_psql('postgres', 'CREATE ROLE relay LOGIN; SELECT converge.allow_relay(\'relay\')');
my $past = past_of($old, 'postgres');

# with work left to do, and the worker to do it, which must keep out of the upgrade
$old->append_conf('postgresql.conf', $conf);
$new->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--locale=C' ]);
$new->append_conf('postgresql.conf', $conf);
$old->stop;

my $bin = $old->config_data('--bindir');
my @upgrade = ('pg_upgrade', '--no-sync', '--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir,
	'--old-bindir', $bin, '--new-bindir', $bin, '--socketdir', $new->host, '--old-port', $old->port, '--new-port', $new->port, '--link');

chdir PostgreSQL::Test::Utils::tempdir;
command_ok([ @upgrade, '--check' ], 'pg_upgrade --check has no objection');
command_ok(\@upgrade, 'pg_upgrade --link');
$new->append_conf('postgresql.conf', 'converge.maintenance = off');
$new->start;
is($new->safe_psql('postgres', 'SELECT packed_version FROM converge.heads WHERE version > 0'), 200, 'the worker kept out of it');
$new->append_conf('postgresql.conf', 'converge.maintenance = on');
$new->reload;
ok($new->poll_query_until('postgres', 'SELECT max(version - packed_version) <= 200 FROM converge.heads'), 'the worker does what was left to do');
ok(past_of($new, 'postgres') eq $past, 'all of the past is the same');
is(problems($new, 'postgres'), '', 'nothing to complain of');
is($new->safe_psql('postgres', 'SELECT extversion FROM pg_extension WHERE extname = \'converge\''), '1.0', 'the extension is one');

# it goes on: below the packs and above, known ops are known, sequence ids rise
my $last = $new->safe_psql('postgres', 'SELECT max(seq) FROM converge.heads');
is(type_history($new, 'postgres', doc(1), 300, 500), 'duplicate|201', 'each op is known');
is(type_history($new, 'postgres', doc(1), 49, 49), 'stale|1', 'what is forgotten is not done again');
is(sql($new, 'postgres', "SELECT version, seq > $last FROM converge.apply_op('" . doc(1) . "', '" . op_id(1) . "', 60, '[\"old base 😀\"]');"), '502|t', 'editing goes on');
is(sql($new, 'postgres', "SELECT converge.edit('" . doc(2) . "', '[\"é\"]'), converge.undo('" . doc(1) . "', (SELECT op_id FROM converge.history('" . doc(1) . "', 501, 501)));"), '1|503', 'so does undoing');
is($new->safe_psql('postgres', "SELECT version FROM converge.join_document('ann', '" . doc(2) . "')", extra_params => [ '-U', 'relay' ]), 1, 'the role of the relay may what it might');
is(problems($new, 'postgres'), '', 'and nothing to complain of');

my @said = grep { /\b(?:WARNING|ERROR|FATAL|PANIC):/ } split(/\n/, slurp_file($new->logfile));
is(join("\n", @said), '', 'nothing is said of it in the log');

$new->stop;
done_testing();
