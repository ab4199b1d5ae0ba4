# PostgreSQL is killed while clients edit: every acknowledged op is there, once, at the
# version it was told; whatever is sent again is applied once; the stream has it all.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $clients = 4;
my $ops_each = 600;
my $documents = 2;

my $node = start_node('crash');
my $scripts = PostgreSQL::Test::Utils::tempdir;
my $next_op = 1;

$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('slot', 'converge')");
$node->safe_psql('postgres', join("\n", map {
	my $id = doc($_);
	"SELECT set_config('converge.user', 'ann', false); SELECT converge.create_document('', 'é😀', '$id'); SELECT converge.share('$id', '*', 'editor');"
} 1 .. $documents));

# One client's statements: each applies an op of its own and prints its acknowledgement.
sub write_script
{
	my ($client) = @_;
	my $file = "$scripts/$client.sql";
	my $text = qq{SET converge."user" = 'client $client';\n};

	for (1 .. $ops_each)
	{
		my $n = $next_op++;

		$text .= sprintf(
			"SELECT '%s', '%s', version FROM converge.apply_op('%s', '%s', 0, '[%d,\"<%d é>\"]');\n",
			doc(1 + $n % $documents), op_id($n), doc(1 + $n % $documents), op_id($n), $n % 3, $n);
	}
	append_to_file($file, $text);
	return $file;
}

# Start the clients, which print an acknowledgement a line.
sub start_clients
{
	return map {
		my %client = (script => write_script($_), out => '', log => '');

		$client{run} = IPC::Run::start(
			[ 'psql', '-XAtq', '-F', ' ', '-d', $node->connstr('postgres'), '-f', $client{script} ],
			'<', \undef, '>', \$client{out}, '2>', \$client{log},
			IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
		\%client;
	} @_;
}

# Acknowledgements in what a client printed: document, op, version.
sub acknowledged
{
	return map { [ split(/ /) ] } grep { /^\S+ \S+ \d+$/ } split(/\n/, $_[0]);
}

# Versions without a gap, each op once, a length and a text that agree with the log.
sub check_documents
{
	my ($when) = @_;

	is( $node->safe_psql('postgres', q{
			SELECT set_config('converge.user', 'ann', false);
			SELECT h.doc_id, 'versions', h.version, count(o.version), max(o.version) FROM converge.heads AS h JOIN converge.ops AS o USING (doc_id)
				GROUP BY h.doc_id HAVING h.version <> count(o.version) OR h.version <> max(o.version) OR h.seq <> max(o.seq);
			SELECT doc_id, 'length', length FROM converge.heads WHERE length <> char_length(converge.content(doc_id));
			SELECT doc_id, 'text', op_id FROM converge.ops AS o JOIN LATERAL (SELECT converge.content(o.doc_id) AS content) AS c ON true
				WHERE cardinality(string_to_array(content, format('<%s é>', right(op_id::text, 12)::bigint))) <> 2;
			SELECT doc_id, op_id, 'twice' FROM converge.ops GROUP BY doc_id, op_id HAVING count(*) > 1}),
		'ann', "$when: the documents are whole");
}

# Every acknowledged op is in the log, once and at its version.
sub check_acknowledged
{
	my ($when, @acknowledged) = @_;
	my %stored = map { split(/=/) } split(/\n/,
		$node->safe_psql('postgres', "SELECT doc_id || ' ' || op_id || '=' || version FROM converge.ops"));
	my @lost = grep { ($stored{"$_->[0] $_->[1]"} // 'none') ne $_->[2] } @acknowledged;

	is(scalar(@lost), 0, "$when: none of " . scalar(@acknowledged) . ' acknowledged ops is lost');
}

my %kill = (
	'immediate shutdown' => sub { $node->stop('immediate') },
	'kill -9 of the postmaster' => sub { $node->kill9 });
my @scripts;

for my $how (sort keys %kill)
{
	my @running = start_clients(map { "$how $_" =~ tr/ /_/r } 1 .. $clients);

	for my $client (@running)
	{
		$client->{run}->pump until acknowledged($client->{out}) >= 50;
	}
	$kill{$how}->();
	$_->{run}->finish for @running;

	my @acknowledged = map { acknowledged($_->{out}) } @running;
	push @scripts, map { $_->{script} } @running;

	cmp_ok(scalar(@acknowledged), '<', $clients * $ops_each, "$how: it struck in the middle");
	start_again($node);
	check_acknowledged($how, @acknowledged);
	check_documents($how);
}

# everything again, as a client does that has no answer: what is there is a duplicate
my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM converge.ops');
my $again = '';

for my $script (@scripts)
{
	$again .= $node->safe_psql('postgres', slurp_file($script), extra_params => [ '-F', ' ' ]) . "\n";
}
cmp_ok($before, '<', $next_op - 1, 'some had been lost');
is($node->safe_psql('postgres', 'SELECT count(*) FROM converge.ops'), $next_op - 1, 'now each is there once');
check_acknowledged('sent again', acknowledged($again));
check_documents('sent again');

# the stream, read after both deaths, has every op once and each document in order
my @lines = grep { /"type":"op"/ } events($node, 'slot');
is(scalar(@lines), $next_op - 1, 'the stream has as many ops');
is_deeply([ sort @lines ], [ sort(stored_events($node, 'true')) ], 'and says of each what its row says');
my %version;
my @disorder = grep {
	my ($id, $at) = /"documentId":"([^"]*)","version":(\d+)/;
	++$version{$id} != $at;
} @lines;
is(scalar(@disorder), 0, 'each document comes in the order of its versions');

$node->stop;
done_testing();
