# What users added to converge's tables, and pg_dump: columns come with the dump, the rest
# by a statement that operating.md shows; and a restore that lost rows is not built upon.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('additions');
my ($doc, $other) = (doc(1), doc(2));
my $dir = PostgreSQL::Test::Utils::tempdir;
my @tables = qw(documents heads members ops packs snapshots undos users);

sub sql
{
	my ($dbname, @statements) = @_;

	return $node->safe_psql($dbname, join("\n", q{SET converge."user" = 'ann';}, @statements));
}

# Everything there is in a database's documents.
sub contents_of
{
	my ($dbname) = @_;

	return join("\n", map { sql($dbname, "SELECT to_jsonb(t) FROM converge.$_ AS t ORDER BY 1;") } @tables)
	  . sql($dbname, 'SELECT id, converge.content(id), converge.content_at(id, 0) FROM converge.documents ORDER BY id;');
}

# What was added; identity columns go on from another number.
sub additions_of
{
	my ($dbname) = @_;

	return sql($dbname, q{SELECT part, table_name, name, regexp_replace(ddl, 'START WITH \d+', '') FROM converge.additions();});
}

sub new_database
{
	my ($name) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	return $node->connstr($name);
}

is(additions_of('postgres'), '', 'converge itself added nothing');
sql('postgres',
	q{CREATE TYPE public.mood AS ENUM ('é', '😀'); CREATE DOMAIN public.given AS int NOT NULL DEFAULT 3;},
	q{CREATE FUNCTION public.greeting() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'it''s "é" \\\\ 😀' $$;},
	q{CREATE TABLE public.folders (id int PRIMARY KEY); INSERT INTO folders VALUES (7);},
	'CREATE ROLE reader;',
	(map {
			"ALTER TABLE converge.$_ ADD COLUMN mine public.mood NOT NULL DEFAULT '😀', ADD COLUMN gone int DEFAULT 1, ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY, ADD COLUMN s serial,
			ADD COLUMN greeting varchar(40) COLLATE \"C\" DEFAULT public.greeting(), ADD COLUMN \"Odd \"\" name\" public.given, ADD COLUMN one int GENERATED ALWAYS AS (1) STORED;
			ALTER TABLE converge.$_ DROP COLUMN gone; GRANT USAGE ON SEQUENCE converge.${_}_s_seq TO PUBLIC;"
		} @tables),
	q{ALTER TABLE converge.heads ADD COLUMN folder int DEFAULT 7 REFERENCES public.folders, ADD CONSTRAINT short CHECK (length < 100000);},
	q{CREATE INDEX lengths ON converge.heads ((length - 1)) WHERE version > 1; CREATE UNIQUE INDEX ON converge.ops (seq);},
	q{CREATE POLICY "by folder" ON converge.heads AS RESTRICTIVE FOR SELECT TO reader, CURRENT_USER USING (folder = 7);},
	q{CREATE TABLE public.log (what text); CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log VALUES (TG_NAME || ' ' || new.version); RETURN new; END $$;},
	q{CREATE TRIGGER noted AFTER UPDATE OF version ON converge.heads FOR EACH ROW WHEN (new.version > 1) EXECUTE FUNCTION public.note();},
	q{CREATE TRIGGER "not noted" AFTER INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION public.note(); ALTER TABLE converge.ops DISABLE TRIGGER "not noted";},
	q{ALTER TABLE converge.undos REPLICA IDENTITY FULL; ALTER TABLE converge.users FORCE ROW LEVEL SECURITY;},
	"SELECT converge.create_document('é', 'één', '$doc'), converge.create_document('', '', '$other');",
	"SELECT converge.edit('$doc', '[\"1\"]'), converge.edit('$doc', '[\"2\"]'), converge.edit('$doc', '[\"3\"]'), converge.undo_last('$doc');",
	"SELECT converge.snapshot('$doc'), converge.pack('$doc', 2), converge.edit('$other', '[\"😀\"]');",
	q{INSERT INTO converge.users (name, address, password_hash) VALUES ('Zoë', 'zoë@example.com', 'x');},
	q{UPDATE converge.ops SET greeting = 'changed' WHERE version = 4;});
my $contents = contents_of('postgres');
my $additions = additions_of('postgres');
like($additions, qr/^trigger\|heads\|noted\|/m, 'additions are listed');

# as operating.md has it
command_ok([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', 'SELECT ddl FROM converge.additions()', '-o', "$dir/additions.sql" ], 'they are written down');

my %formats = (
	plain => [ '--format=plain' ],
	inserts => [ '--format=plain', '--rows-per-insert=3' ],
	custom => [ '--format=custom' ],
	directory => [ '--format=directory' ]);
for my $format (sort keys %formats)
{
	my $file = "$dir/$format";
	my $connection = new_database("restored_$format");

	command_ok([ 'pg_dump', @{ $formats{$format} }, '--file', $file, $node->connstr('postgres') ], "$format: pg_dump");
	if ($format eq 'directory')
	{
		command_ok([ 'pg_restore', '--exit-on-error', '--section=pre-data', '--dbname', $connection, $file ], "$format: schemas");
		command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '--schema=converge', '--table=as_made', '--dbname', $connection, $file ], "$format: columns first, where several jobs restore");
		command_ok([ 'pg_restore', '--exit-on-error', '--jobs=4', '--section=data', '--section=post-data', '--dbname', $connection, $file ], "$format: restored by four jobs");
	}
	else
	{
		command_ok(
			$format eq 'custom'
			? [ 'pg_restore', '--exit-on-error', '--dbname', $connection, $file ]
			: [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $connection, '-f', $file ],
			"$format: restored");
	}
	is(contents_of("restored_$format"), $contents, "$format: every row with every column");
	command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $connection, '-f', "$dir/additions.sql" ], "$format: additions are made again");
	is(additions_of("restored_$format"), $additions, "$format: and are the same");
	is(sql("restored_$format", 'TRUNCATE public.log;', "SELECT converge.edit('$doc', '[\"4\"]');", 'SELECT string_agg(what, \',\') FROM public.log;'),
		"5\nnoted 5", "$format: editing goes on with them");
	is(sql("restored_$format", "SELECT n FROM converge.ops WHERE doc_id = '$doc' AND version = 5;"), 6, "$format: numbers go on");
	is(sql("restored_$format", "SELECT * FROM converge.verify('$doc');"), '', "$format: the document is whole");
}

# a restore that could not load a table is not built upon
for my $table ('ops', 'packs', 'snapshots')
{
	my $name = "without_$table";
	my $connection = new_database($name);
	my ($stdout, $stderr);

	sql('postgres', "SELECT converge.prune('$other', 1);") if $table eq 'snapshots';
	sql('postgres', "SELECT converge.pack('$doc', 0);") if $table eq 'packs';
	command_ok([ 'pg_dump', '--format=custom', '--file', "$dir/$name", $node->connstr('postgres') ], "$table: pg_dump");
	IPC::Run::run([ 'pg_restore', '--list', "$dir/$name" ], '>', \$stdout);
	my $list = join('', map { "$_\n" } grep { !/TABLE DATA converge $table / } split(/\n/, $stdout));
	append_to_file("$dir/$name.list", $list);
	command_ok([ 'pg_restore', '--exit-on-error', '--use-list', "$dir/$name.list", '--dbname', $connection, "$dir/$name" ], "$table: restored without it");
	my $lost = $table eq 'snapshots' ? $other : $doc;
	for my $call ("edit('$lost', '[\"x\"]')", "undo_last('$lost')",
		"submit('{$lost}', '{ann}', '{" . op_id(9) . "}', '{1}', ARRAY['[\"x\"]'])")
	{
		next if $table eq 'snapshots' && $call =~ /undo/;
		$node->psql($name, qq{SET converge."user" = 'ann'; \\set VERBOSITY verbose\nSELECT converge.$call;}, stderr => \$stderr);
		like($stderr, qr/ERROR:  XX001: .*missing/, "$table: refused: $call");
	}
	is(sql($name, "SELECT max(version) FROM converge.heads WHERE doc_id = '$lost';"), $table eq 'snapshots' ? 1 : 4, "$table: nothing was appended");
}

$node->stop;
done_testing();
