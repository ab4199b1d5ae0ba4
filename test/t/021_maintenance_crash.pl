# PostgreSQL is killed while documents are maintained and people edit, over and over: each
# time all documents are whole after it, and every acknowledged edit is there, once.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;
use HistoryTest;

my $documents = 3;
my $edits_each = 20000;		# more than anybody comes to make

my $node = start_node('maintenance_crash');
my $scripts = PostgreSQL::Test::Utils::tempdir;
my $timeout = $PostgreSQL::Test::Utils::timeout_default;
my $next_op = 1;
my %acknowledged;			# "document op" => version

$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'converge'
converge.maintenance_interval = 1
converge.pack_keep = 10
converge.pack_batch = 10
autovacuum_naptime = 1
CONF
$node->restart;
sql($node, 'postgres', map { "SELECT converge.create_document('', 'é😀', '" . doc($_) . "'), converge.share('" . doc($_) . "', '*', 'editor');" } 1 .. $documents);

# where maintenance can be stopped in the middle
$node->safe_psql('postgres', q{
	CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
	BEGIN
		PERFORM pg_advisory_xact_lock_shared(hashtext(TG_TABLE_NAME || TG_OP));
		RETURN coalesce(NEW, OLD);
	END
	$$;
	CREATE TRIGGER pause BEFORE INSERT OR DELETE ON converge.snapshots FOR EACH ROW EXECUTE FUNCTION pause();
	CREATE TRIGGER pause BEFORE INSERT OR DELETE ON converge.packs FOR EACH ROW EXECUTE FUNCTION pause();
	CREATE TRIGGER pause BEFORE DELETE ON converge.ops FOR EACH ROW EXECUTE FUNCTION pause();});

# Start psql on some lines; what it prints goes to a file, since nobody reads a pipe
# while the test waits for the server, and psql stops at a full one.
sub start_psql
{
	my ($name, @lines) = @_;
	my %client = (out => "$scripts/$name.out");
	my $script = "$scripts/$name.sql";

	append_to_file($script, join('', @lines));
	$client{run} = IPC::Run::start([ 'psql', '-XAtq', '-F', ' ', '-d', $node->connstr('postgres'), '-f', $script ],
		'<', \undef, '>', $client{out}, '2>', "$scripts/$name.log", IPC::Run::timeout($timeout));
	return \%client;
}

# Somebody who edits all documents in turn, an edit a transaction; now and then much.
sub start_typist
{
	my ($round, $document) = @_;

	return start_psql("typist_${round}_$document", qq{SET converge."user" = 'typist $document';\n}, map {
		my $n = $next_op++;
		my $text = $_ % 50 ? sprintf('<%d é>', $n) : sprintf('<%d %s>', $n, 'ह😀é' x 400);

		sprintf("SELECT '%s', '%s', version FROM converge.apply_op('%1\$s', '%2\$s', 0, '[\"%s\"]');\n", doc($document), op_id($n), $text);
	} 1 .. $edits_each);
}

# Take the lock that maintenance stops at, in a session that dies with the server.
sub hold
{
	my ($what) = @_;
	my %holder = (in => "SELECT pg_advisory_lock(hashtext('$what')), 'held';\n", out => '');

	$holder{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
		'<', \$holder{in}, '>', \$holder{out}, '2>', \$holder{log}, IPC::Run::timeout($timeout));
	$holder{run}->pump until $holder{out} =~ /held/;
	return \%holder;
}

# Let it work and be edited; kill it, in the middle of what is named; look at what is left.
sub round
{
	my ($round, $how, $in_the_middle_of) = @_;
	my $name = "round $round, " . ($in_the_middle_of // 'anywhere') . ", $how";
	my $packed = $node->safe_psql('postgres', 'SELECT sum(packed_version) FROM converge.heads');
	my @typists = map { start_typist($round, $_) } 1 .. $documents;
	my $maintainer = start_psql("maintainer_$round", map { "CALL converge.maintain();\n" } 1 .. 100000);
	my $holder;

	$node->poll_query_until('postgres', "SELECT sum(packed_version) > $packed + 150 FROM converge.heads") or die 'nothing gets packed';
	if ($in_the_middle_of)
	{
		$holder = hold($in_the_middle_of);
		$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) or die 'it does not stop there';
	}
	my $working = $in_the_middle_of || $node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CALL converge.maintain%'});
	$how eq 'kill -9' ? $node->kill9 : $node->stop('immediate');
	$_->{run}->finish for @typists, $maintainer, grep { $_ } $holder;

	for my $line (grep { /^\S+ \S+ \d+$/ } map { split(/\n/, slurp_file($_->{out})) } @typists)
	{
		my ($doc, $op_id, $version) = split(/ /, $line);

		$acknowledged{"$doc $op_id"} = $version;
	}
	ok($working, "$name: it struck at work");
	start_again($node);
	is(problems($node, 'postgres'), '', "$name: all documents are whole");

	my %stored = map { split(/=/) } split(/\n/, sql($node, 'postgres', q{SELECT id || ' ' || op_id || '=' || version FROM converge.documents, converge.history(id);}));
	my @lost = grep { ($stored{$_} // 'none') ne $acknowledged{$_} } keys %acknowledged;
	is(scalar(@lost), 0, "$name: none of " . scalar(keys %acknowledged) . ' acknowledged edits is lost');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM converge.snapshots AS s JOIN converge.heads AS h USING (doc_id) WHERE s.version > h.version'), 0, "$name: no snapshot of what is not there");
}

round(1, 'kill -9');
round(2, 'immediate');
round(3, 'kill -9', 'packsINSERT');
round(4, 'immediate', 'snapshotsINSERT');
round(5, 'kill -9', 'opsDELETE');
round(6, 'immediate', 'packsDELETE');
round(7, 'kill -9');

# it goes on where it was left
ok($node->poll_query_until('postgres', 'SELECT bool_and(version - packed_version < 20) FROM converge.heads'), 'all that is due gets packed');
my $text = sql($node, 'postgres', q{SELECT count(*) FROM converge.documents AS d, converge.history(d.id) AS h, LATERAL (SELECT converge.content(d.id) OFFSET 0) AS c (content)
	WHERE h.version % 97 = 0 AND strpos(content, format('<%s ', right(h.op_id::text, 12)::bigint)) = 0;});
is($text, 0, 'every edit is in the text');
is(problems($node, 'postgres'), '', 'nothing to complain of');

$node->stop;
done_testing();
