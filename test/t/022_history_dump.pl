# pg_dump carries the past too, whole or as data alone into a fresh extension; editing,
# undoing and packing go on there; and maintenance that runs beside a restore spoils
# nothing.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;
use HistoryTest;

my $node = start_node('history_dump');
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
my ($packed, $pruned, $short, $empty) = map { doc($_) } 1 .. 4;

$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('slot', 'converge')");

# one packed in the middle, with snapshots of all kinds and undos; one that was pruned; two
# that nothing ever happened to
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET converge.pack_keep = 40');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET converge.pack_batch = 40');
sql($node, 'postgres', "SELECT converge.create_document('Grüße 😀', E'na\\u0301ह😀', '$packed'), converge.create_document('', 'é😀', '$pruned');",
	"SELECT converge.create_document('', 'é', '$short'), converge.create_document('', '', '$empty');",
	"SELECT converge.share(id, 'ben é', 'editor') FROM converge.documents;");
for my $doc ($packed, $pruned)
{
	is(type_history($node, 'postgres', $doc, 1, 300), 'applied|300', 'a past');
	sql($node, 'postgres', "SELECT converge.snapshot('$doc', 'named é'), converge.snapshot('$doc', 'named twice');", 'CALL converge.maintain();');
	type_history($node, 'postgres', $doc, 301, 700);
	sql($node, 'postgres', "SELECT converge.undo_last('$doc'), converge.undo_last('$doc', 'ben é'), converge.undo('$doc', md5('50')::uuid);", 'CALL converge.maintain();');
}
sql($node, 'postgres', "SELECT converge.undo('$packed', op_id) FROM converge.history('$packed', 701, 701);", "SELECT converge.prune('$pruned', 400);", "SELECT converge.edit('$short', '[\"x\"]');");
is(sql($node, 'postgres', "SELECT count(DISTINCT kind) FROM converge.snapshots;"), 4, 'snapshots of all kinds');
is(problems($node, 'postgres'), '', 'nothing to complain of');

# what is packed and pruned is no news to those who listen: they hear of each op once
my @ops = grep { /^\{"type":"op"/ } events($node, 'slot');
is(scalar(@ops), sql($node, 'postgres', 'SELECT sum(version) FROM converge.heads;'), 'the stream has as many ops');
is(scalar(keys %{ { map { /"documentId":"([^"]*)","version":(\d+)/ ? ("$1 $2" => 1) : () } @ops } }), scalar(@ops), 'each once');
$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('slot')");

# Every row that there is.
sub rows_of
{
	my ($dbname) = @_;

	return join("\n", map { $node->safe_psql($dbname, "SET TimeZone = 'UTC'; SELECT * FROM converge.$_ AS t ORDER BY t::text COLLATE \"C\"") }
		qw(comments documents heads labels last_read members messages ops packs snapshots suggestions talks threads undos))
	  . $node->safe_psql($dbname, 'SELECT last_value, is_called FROM converge.op_seq');
}

# Editing goes on in a restored database, below the packs and above.
sub goes_on
{
	my ($name, $dbname) = @_;
	my $last = $node->safe_psql($dbname, 'SELECT max(seq) FROM converge.heads');

	is(type_history($node, $dbname, $packed, 1, 700), 'duplicate|700', "$name: packed or not, each op is known");
	is(type_history($node, $dbname, $pruned, 420, 420), 'duplicate|1', "$name: where the beginning is forgotten, too");
	is(type_history($node, $dbname, $pruned, 399, 399), 'stale|1', "$name: what is forgotten is not done again");
	is(sql($node, $dbname, "SELECT version, seq > $last, converge.content_at('$packed', 704) = converge.content('$packed') FROM converge.apply_op('$packed', '" . op_id(1) . "', 3, '[\"old base\"]');"),
		'705|t|t', "$name: the next version, a rising sequence id");
	isnt($node->psql($dbname, "SET converge.\"user\" = 'ann'; SELECT converge.undo('$packed', md5('50')::uuid)"), 0, "$name: what is undone is not undone again");
	is(sql($node, $dbname, "SELECT converge.pack('$packed', 0) > 0, converge.prune('$packed', 333);"), 't|333', "$name: packed, and pruned");
	is(sql($node, $dbname, "SELECT converge.edit('$empty', '[\"😀\"]'), converge.edit('$short', '[\"é\"]');"), '1|2', "$name: the short ones too");
	is(problems($node, $dbname), '', "$name: and nothing to complain of");
}

my $rows = rows_of('postgres');
my $past = past_of($node, 'postgres');
my %formats = ('plain' => '', 'custom' => '', 'directory' => '');

for my $format (sort keys %formats)
{
	for my $part ('all', 'data-only')
	{
		my $name = "$format, $part";
		my $target = "restored_$format" . ($part eq 'all' ? '' : '_data');

		command_ok([ 'pg_dump', '--format', $format, '--file', "$dump.$target", $part eq 'all' ? () : '--data-only', $node->connstr('postgres') ], "$name: pg_dump");
		$node->safe_psql('postgres', "CREATE DATABASE $target TEMPLATE template0");
		$node->safe_psql($target, 'CREATE EXTENSION converge') if $part ne 'all';
		command_ok(
			$format eq 'plain'
			? [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($target), '-f', "$dump.$target" ]
			: [ 'pg_restore', '--exit-on-error', $format eq 'directory' ? ('--jobs', 2) : (), '--dbname', $node->connstr($target), "$dump.$target" ],
			"$name: restored");
		ok(rows_of($target) eq $rows, "$name: every row is the same");
		ok(past_of($node, $target) eq $past, "$name: and all of the past");
		is(problems($node, $target), '', "$name: nothing to complain of");
		goes_on($name, $target);
	}
}

# Maintenance after each table of a restore, as a worker might do it: it complains, at
# most, and when all is there, all is well.
my $plain = slurp_file("$dump.restored_plain_data");
my @steps = split(/^(?=COPY converge\.)/m, $plain);
my $complaints = 0;

cmp_ok(scalar(@steps), '>=', 8, 'a restore in steps');
$node->safe_psql('postgres', 'CREATE DATABASE beside TEMPLATE template0');
$node->safe_psql('postgres', "ALTER DATABASE beside SET $_ = 5") for 'converge.pack_keep', 'converge.pack_batch';
$node->safe_psql('beside', 'CREATE EXTENSION converge');

# all that is due, and more than is
my $header = shift @steps;
for my $step (@steps)
{
	my ($table) = $step =~ /^COPY converge\.(\w+)/;

	$node->safe_psql('beside', $header . $step);
	$node->safe_psql('beside', 'UPDATE converge.heads SET log_bytes = log_bytes + 1000000 WHERE log_bytes < 1000000') if $table eq 'heads';
	for my $doc (split(/\n/, $node->safe_psql('beside', 'SELECT * FROM converge.due_documents()')))
	{
		my ($status, $out, $err) = $node->psql('beside', "SELECT * FROM converge.maintain_document('$doc')");

		next if $status == 0;
		$complaints++;
		like($err, qr/ERROR:  (?:version \d+ is missing|text of document \S+ does not have its recorded length|operation reaches past)/, "restored up to $table: it refuses");
	}
}
cmp_ok($complaints, '>', 0, 'some documents were not whole yet');
sql($node, 'beside', 'UPDATE converge.heads SET log_bytes = (SELECT coalesce(sum(octet_length(converge.op_send(op))), 0) FROM converge.history(doc_id, snapshot_version + 1));');
is($node->psql('beside', 'CALL converge.maintain()'), 0, 'restored, all is maintained');
ok(past_of($node, 'beside') eq $past, 'maintained beside: all of the past is the same');
is(problems($node, 'beside'), '', 'maintained beside: nothing to complain of');

$node->stop;
done_testing();
