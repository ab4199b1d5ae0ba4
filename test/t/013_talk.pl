# Comments, suggestions and chat in the stream: each change is a line that says what its row
# says, in the order of the commits; nothing of a member follows the revocation.
use strict;
use warnings;

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('talk');
my ($doc, $other) = (doc(1), doc(2));
my $json = JSON::PP->new->utf8->canonical;

sub sql
{
	return $node->safe_psql('postgres', join("\n", q{SET converge."user" = 'ann';}, @_));
}

# Run statements as ann; the lines they give, as hashes.
sub events_of
{
	sql(@_);
	return map { $json->decode($_) } events($node, 'slot');
}

# What SQL lists as changed since.
sub listed
{
	my ($since) = @_;

	return map { $json->decode($_) } split(/\n/, sql("SELECT event FROM converge.talk_events('$doc', $since)"));
}

# The types of lines.
sub types
{
	return join(' ', map { $_->{type} } @_);
}

sql("SELECT converge.create_document('', 'aé😀 text', '$doc'), converge.create_document('', 'x', '$other');");
$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('slot', 'converge')");

my $thread = '7a1c0000-0000-4000-8000-00000000000a';
my $comment = '7a1c0000-0000-4000-8000-00000000000b';
my $suggestion = '7a1c0000-0000-4000-8000-00000000000c';
my @lines = events_of("SELECT converge.comment('$doc', E'why \\\\ \"é\"\\n😀', 0, 3, 0, '$thread', '$comment');");
is(types(@lines), 'thread comment', 'a comment is a thread and a comment');
is_deeply(\@lines, [ listed(0) ], 'each line is what SQL lists');
is_deeply([ map { $_->{changed} } @lines ], [ 1, 2 ], 'numbered');
is_deeply([ events_of("SELECT converge.comment('$doc', E'why \\\\ \"é\"\\n😀', 0, 3, 0, '$thread', '$comment');") ], [], 'once');

@lines = events_of("SELECT converge.suggest('$doc', 0, '[1,\"é\\\\u0001\"]', 'why', '$suggestion');", "SELECT converge.say('$doc', 'hi');");
is(types(@lines), 'suggest chat', 'a suggestion, a message');
is_deeply(\@lines, [ listed(2) ], 'as they are listed');

@lines = events_of("SELECT converge.decide_suggestion('$doc', '$suggestion', true);");
is(types(@lines), 'op decide', 'accepted: the operation first, then the decision');
is($lines[0]{operationId}, $suggestion, 'under its id');
is($lines[1]{version}, $lines[0]{version}, 'with its version');
is_deeply([ $lines[1] ], [ listed(4) ], 'as it is listed');

@lines = events_of('BEGIN;', "SELECT converge.edit('$doc', '[\"x\"]');", "SELECT converge.resolve_thread('$doc', '$thread');",
	"SELECT converge.say('$other', 'there');", "SELECT converge.edit_comment('$doc', '$comment', 'é');",
	"SELECT converge.delete_comment('$doc', '$comment');", 'COMMIT;');
is(types(@lines), 'op thread chat comment comment thread', 'all of a transaction, in its order');
is_deeply([ map { $_->{changed} // '-' } @lines ], [ '-', 6, 1, 7, 8, 9 ], 'each document has its own numbers');
is_deeply([ @lines[ 4, 5 ] ], [ listed(7) ], 'deleted is said, and listed');
is_deeply([ events_of('BEGIN;', "SELECT converge.say('$doc', 'no');", 'ROLLBACK;') ], [], 'what is undone gives no line');
is((events_of("SELECT converge.say('$doc', 'yes');"))[0]{changed}, 10, 'nor uses a number');

# a passage without its first character, at the oldest version left
my ($pruned, $cut, $whole) = (doc(3), map { "7a1c0000-0000-4000-8000-0000000002$_" } 10, 11);
events_of("SELECT converge.create_document('', 'aé😀 text', '$pruned');",
	"SELECT converge.comment('$pruned', 'x', 1, 3, NULL, '$cut'), converge.comment('$pruned', 'y', 4, 8, NULL, '$whole');",
	"SELECT converge.edit('$pruned', '[1,{\"d\":1}]'), converge.prune('$pruned', 1);");
@lines = events_of("SELECT converge.resolve_thread('$pruned', id) FROM unnest(ARRAY['$cut', '$whole']::uuid[]) AS id;");
is_deeply([ map { [ @$_{qw(id version from to)}, $_->{alive} ? 1 : 0 ] } @lines ], [ [ $cut, 1, 1, 2, 0 ], [ $whole, 1, 3, 7, 1 ] ],
	'a line says whether the first character is in the text');
is_deeply(\@lines, [ map { $json->decode($_) } split(/\n/, sql("SELECT event FROM converge.talk_events('$pruned', 4)")) ], 'as it is listed');

# values that are long enough to be stored out of line, changed and left alone
sql("ALTER TABLE converge.threads ALTER quote SET STORAGE EXTERNAL; ALTER TABLE converge.comments ALTER body SET STORAGE EXTERNAL;"
	. "ALTER TABLE converge.suggestions ALTER op SET STORAGE EXTERNAL;"
	. "SELECT converge.edit('$doc', converge.insert(0, repeat('é😀', 6000)));");
my @ids = map { "7a1c0000-0000-4000-8000-0000000001$_" } 10 .. 13;
@lines = events_of("SELECT converge.comment('$doc', repeat('😀', 10000), 0, 12000, NULL, '$ids[0]', '$ids[1]');",
	"SELECT converge.suggest('$doc', 0, converge.insert(0, repeat('é', 20000)), 'long', '$ids[2]');");
@lines = grep { $_->{type} ne 'op' } @lines;
is(types(@lines), 'thread comment suggest', 'long values');
is(length($lines[0]{quote}), 10000, 'of a long passage the beginning');
is_deeply(\@lines, [ listed(10) ], 'come whole');
@lines = events_of("SELECT converge.resolve_thread('$doc', '$ids[0]');", "SELECT converge.decide_suggestion('$doc', '$ids[2]', false);",
	"UPDATE converge.comments SET created_at = created_at WHERE id = '$ids[1]';");
is(types(@lines), 'thread decide comment', 'also where the change left them alone');
is_deeply([ @lines[ 0, 1 ] ], [ listed(13) ], 'whole again');
is(length($lines[2]{body}), 10000, 'each of them');

@lines = events_of("UPDATE converge.threads SET id = gen_random_uuid() WHERE id = '$ids[0]';");
is(types(@lines), 'talk thread', 'a row that became another: what there is must be read anew');
is_deeply([ events_of("SELECT converge.mark_read('$doc', 5);") ], [], 'what was read is for nobody else');
for my $table (qw(threads comments suggestions messages))
{
	is(types(events_of("TRUNCATE converge.$table;")), 'resync', "$table: emptied");
}
is(types(events_of("SELECT converge.delete_document('$other');")), 'document member', 'a deleted document says so once, not for each row');

# ---- revocation ----

my $each = 100000;		# far more than anybody gets to say
my %talking = (
	ben => "SELECT 'ben ' || converge.say('$doc', 'é')",
	cleo => "SELECT 'cleo ' || converge.comment('$doc', '😀', 0, 1, 0)",
	dan => "SELECT 'dan ' || converge.suggest('$doc', 0, '[\"x\"]')");
my %revoke = (
	ben => "SELECT converge.unshare('$doc', 'ben')",
	cleo => "SELECT converge.share('$doc', 'cleo', 'viewer')",
	dan => "UPDATE converge.members SET role = 'viewer' WHERE user_id = 'dan'");
my $dir = PostgreSQL::Test::Utils::tempdir;
sql(map { "SELECT converge.share('$doc', '$_', 'commenter');" } keys %talking);
events($node, 'slot');
my %run;
for my $user (sort keys %talking)
{
	my %client = (out => '', err => '');

	append_to_file("$dir/$user", "SET converge.\"user\" = '$user';\n" . "$talking{$user};\n" x $each);
	$client{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres'), '-f', "$dir/$user" ],
		'<', \undef, '>', \$client{out}, '2>', \$client{err});
	$run{$user} = \%client;
	$client{run}->pump until ($client{out} =~ tr/\n//) >= 20;
	sql($revoke{$user});
	$client{run}->finish;
	like($client{err}, qr/ERROR:  OT002$/m, "$user is refused");
}
my @all = map { $json->decode($_) } events($node, 'slot');
for my $user (sort keys %talking)
{
	my @mine = grep { ($_->{userId} // '') eq $user && $_->{type} ne 'comment' } @all;
	my @acknowledged = $run{$user}{out} =~ /^$user (\S+)$/mg;
	my $last = pop @mine;

	is($last->{type}, 'member', "$user: the stream has nothing after the revocation");
	is_deeply([ map { $_->{id} } @mine ], \@acknowledged, "$user: and all that was acknowledged before, in order");
}
my @numbers = map { $_->{changed} // () } @all;
is_deeply(\@numbers, [ $numbers[0] .. $numbers[-1] ], 'numbers have the order of the commits, without gaps');

$node->stop;
done_testing();
