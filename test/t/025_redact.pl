# What was redacted is in no file of the tables after VACUUM FULL, and in no dump; likewise a
# user who was erased. The stream says that the past was changed.
use strict;
use warnings;

use File::Find;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('redact');
my $doc = doc(1);
my $secret = "hunter2-p\xc3\xa4ss";
my $user = 'wilhelmina';
my $end = 'a text that stays';

# Run statements as a user.
sub sql
{
	my ($who, $statements) = @_;

	return $node->safe_psql('postgres', "SET converge.\"user\" = '$who'; SET client_min_messages = warning; $statements");
}

# How many files of the database have these bytes, in what PostgreSQL stores as it is: the texts
# here are too short to be compressed.
sub files_with
{
	my ($bytes) = @_;
	my $count = 0;

	$node->safe_psql('postgres', 'CHECKPOINT');
	find({ no_chdir => 1, wanted => sub { $count++ if -f && index(slurp_file($_), $bytes) >= 0 } }, $node->data_dir . '/base');
	return $count;
}

# Does a dump have them?
sub dumped
{
	my ($bytes) = @_;
	my $dump = PostgreSQL::Test::Utils::tempdir . '/dump.sql';

	$node->command_ok([ 'pg_dump', '--no-sync', '-f', $dump, $node->connstr('postgres') ], 'a dump');
	return index(slurp_file($dump), $bytes) >= 0;
}

sql('ann', "SELECT converge.create_document('about $secret', '$secret. $end', '$doc');");
sql('ann', "SELECT converge.share('$doc', '$user', 'editor');");
sql($user, "SELECT converge.edit('$doc', '[\"$secret, \"]');");
sql($user, "SELECT converge.snapshot('$doc', 'with $secret');");

# letter by letter
sql('ann', "SELECT converge.edit('$doc', format('[%s, \"%s\"]', n - 1, substr('$secret', n, 1))::converge.op) FROM generate_series(1, length('$secret')) AS n;");
sql('ann', "SELECT converge.edit('$doc', '[{\"d\": 3}]'); SELECT converge.snapshot('$doc');");
cmp_ok(files_with($secret), '>', 0, 'the secret is in files');
ok(dumped($secret), 'and in a dump');

$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('slot', 'converge')");
sql('ann', "SELECT converge.pack('$doc', 5);");
is(sql('ann', "SELECT converge.redact('$doc', '$secret');"), 3 * 12, 'it is redacted');
$node->safe_psql('postgres', 'VACUUM FULL converge.ops, converge.packs, converge.snapshots, converge.documents, converge.labels');
is(files_with($secret), 0, 'no file has it after VACUUM FULL');
cmp_ok(files_with($end), '>', 0, 'though they have what stays');
ok(!dumped($secret), 'nor has a dump');
is(sql('ann', "SELECT count(*) FROM converge.changes('$doc') WHERE content LIKE '%hunter%' OR content LIKE '%p\xc3\xa4ss%';"), 0, 'nor what is packed');
is(sql('ann', "SELECT count(*) FROM converge.verify('$doc');"), 0, 'nothing came to harm');

my @events = events($node, 'slot');
my ($renewed) = grep { /"renewed":true/ } @events;
like($renewed // '', qr/^\{"type":"document","documentId":"\Q$doc\E","renewed":true,"life":"[0-9a-f-]{36}"\}$/, 'the stream says so');
ok(!(grep { /"deleted"/ } @events), 'and nothing of a document that was deleted');
ok(!(grep { /\Q$secret\E/ } @events), 'and nothing of the secret');
$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('slot')");

# a user
cmp_ok(files_with($user), '>', 0, 'the user is in files');
is($node->safe_psql('postgres', "SELECT converge.erase_user('$user')"), 1, 'the user is erased');
$node->safe_psql('postgres', 'VACUUM FULL');
is(files_with($user), 0, 'no file has them');
ok(!dumped($user), 'nor has a dump');
is(sql('ann', "SELECT string_agg(DISTINCT user_id, ',' ORDER BY user_id) FROM converge.history('$doc');"), 'ann,erased', 'nor what is packed');
is(sql('ann', "SELECT count(*) FROM converge.verify('$doc');"), 0, 'nothing came to harm');

# what is dumped and restored is the same past
$node->safe_psql('postgres', 'CREATE DATABASE again');
$node->command_ok([ 'bash', '-c', "pg_dump --no-sync '" . $node->connstr('postgres') . "' | psql -Xq -v ON_ERROR_STOP=1 '" . $node->connstr('again') . "' >/dev/null" ], 'a dump and restore');
is($node->safe_psql('again', "SELECT count(*) FROM converge.verify('$doc')"), 0, 'it verifies');

$node->stop;
done_testing();
