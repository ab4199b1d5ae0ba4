# pg_dump carries the documents, and editing goes on where they were restored.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('dump');
my ($doc, $other) = (doc(1), doc(2));
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';

sub sql
{
	my ($dbname, @statements) = @_;

	return $node->safe_psql($dbname, join("\n", q{SET converge."user" = 'ann';}, @statements));
}

# Everything there is in a database's documents.
sub contents_of
{
	my ($dbname) = @_;

	return join("\n", map { sql($dbname, "SELECT * FROM converge.$_ AS t ORDER BY t::text COLLATE \"C\";") }
		  qw(comments documents heads labels last_read members messages ops packs snapshots suggestions talks threads undos users))
	  . sql($dbname, 'SELECT id, md5(converge.content(id)), converge.content_at(id, 0) FROM converge.documents ORDER BY id;');
}

sql('postgres',
	"SELECT converge.create_document('Grüße 😀', E'aéह😀\\t\\\\.\\n', '$doc'), converge.create_document('', '', '$other');",
	"SELECT converge.share('$doc', 'Zoë \"q\" \\ 😀', 'editor'), converge.share('$doc', '*', 'viewer');",
	"SELECT converge.apply_op('$doc', '" . op_id(1) . "', 0, '[1,\"\\\\u0001\\\\n\\\\t\\\\\\\\\",{\"d\":2}]');",
	"SELECT converge.edit('$doc', converge.insert(0, repeat('é' || md5('x'), 20000)));",
	"SELECT converge.snapshot('$doc', 'signed \\ 😀'), converge.snapshot('$doc', 'again	');",
	"SELECT converge.comment('$doc', 'é 😀', 0, 1), converge.suggest('$doc', 0, '[\"é\"]', 'why'), converge.say('$doc', E'a\tb'), converge.mark_read('$doc', 3);",
	'UPDATE converge.threads SET alive = false;',
	"SELECT converge.undo_last('$doc'), converge.pack('$doc', 2);",
	q{INSERT INTO converge.users (name, address, password_hash) VALUES ('Zoë "q" \ 😀', 'zoë@example.com', '\$2a\$10');},
	"SELECT converge.edit('$other', '[\"😀\"]');");
my $contents = contents_of('postgres');

for my $format ('plain', 'custom')
{
	my $target = "restored_$format";

	command_ok([ 'pg_dump', '--format', $format, '--file', "$dump.$format", $node->connstr('postgres') ], "$format: pg_dump");
	$node->safe_psql('postgres', "CREATE DATABASE $target TEMPLATE template0");
	command_ok(
		$format eq 'plain'
		? [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($target), '-f', "$dump.$format" ]
		: [ 'pg_restore', '--exit-on-error', '--dbname', $node->connstr($target), "$dump.$format" ],
		"$format: restored");
	ok(contents_of($target) eq $contents, "$format: every row and every text is the same");

	# an op that was applied before the dump is known, and its answer is the same
	is( sql($target, "SELECT version, duplicate FROM converge.apply_op('$doc', '" . op_id(1) . "', 0, '[1,\"\\\\u0001\\\\n\\\\t\\\\\\\\\",{\"d\":2}]');"),
		'1|t', "$format: ops are recognized");

	# editing goes on with versions and sequence ids that are new
	my $last = sql($target, 'SELECT max(seq) FROM converge.ops;');
	my ($version, $seq) = split(/\|/, sql($target, "SELECT version, seq FROM converge.apply_op('$doc', '" . op_id(2) . "', 1, '[1,\"new\"]');"));
	is($version, 4, "$format: the next version");
	cmp_ok($seq, '>', $last, "$format: a sequence id above all before");
	is(sql($target, qq{SET converge."user" = 'ben'; SELECT converge.my_role('$doc');}), 'viewer', "$format: roles are the same");
	is(sql($target, "SELECT converge.content('$doc') = converge.apply(converge.content_at('$doc', 3), o.op) FROM converge.ops AS o WHERE o.doc_id = '$doc' AND o.version = 4;"),
		't', "$format: and the text goes on from there");
}

# a dump from before documents had a life restores too; what is created from then on has one
my $old = slurp_file("$dump.plain");
for my $table ('documents', 'heads')
{
	$old =~ s/^(COPY converge\.$table \([^\n]*), life\) FROM stdin;\n(.*?)^\\\.$/"$1) FROM stdin;\n" . ($2 =~ s{\t[-0-9a-f]{36}$}{}gmr) . "\\."/ems
	  or die "no life in the dump of $table";
}
append_to_file("$dump.old", $old);
$node->safe_psql('postgres', 'CREATE DATABASE restored_old TEMPLATE template0');
command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored_old'), '-f', "$dump.old" ], 'a dump without lives: restored');
is(sql('restored_old', "SELECT h.life = d.life, d.life FROM converge.documents d JOIN converge.heads h ON h.doc_id = d.id WHERE d.id = '$doc';"),
	't|00000000-0000-0000-0000-000000000000', 'both tables have the same');
is(sql('restored_old', "SELECT resumed FROM converge.open_document('$doc', 3, (SELECT op_id FROM converge.ops WHERE doc_id = '$doc' AND version = 3), '00000000-0000-0000-0000-000000000000');"),
	't', 'a client resumes');
is(sql('restored_old', "SELECT converge.delete_document('$doc');", "SELECT FROM converge.create_document('', '', '$doc');", "SELECT life <> '00000000-0000-0000-0000-000000000000' FROM converge.documents WHERE id = '$doc';") =~ s/\s//gr,
	't', 'a document created later has one of its own');

$node->stop;
done_testing();
