# Hooks are in a dump: they are called where it is restored, though not for the rows that it
# loads; and the maintenance worker calls those of a pause.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('hooks_dump');
my $doc = doc(1);

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'converge'\nconverge.maintenance_interval = '1s'\n");
$node->restart;
$node->safe_psql('postgres', q{
	CREATE TABLE heard (what text);
	CREATE FUNCTION note(edit converge.ops) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.heard VALUES ('op ' || edit.version) $$;
	CREATE FUNCTION refuse(edit converge.ops) RETURNS boolean LANGUAGE sql AS $$ SELECT edit.op::text NOT LIKE '%bad%' $$;
	CREATE FUNCTION member(doc uuid, who text, as_role converge.role) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.heard VALUES (who) $$;
	CREATE FUNCTION pause(doc uuid, version bigint, content text) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.heard VALUES (content) $$;
	SELECT converge.add_hook('after_op', 'note(converge.ops)'), converge.add_hook('before_op', 'refuse(converge.ops)'),
		converge.add_hook('member_change', 'member(uuid,text,converge.role)'), converge.add_hook('after_pause', 'pause(uuid,bigint,text)');
});
$node->safe_psql('postgres', "SET converge.\"user\" = 'ann'; SELECT converge.create_document('', 'text', '$doc'); SELECT converge.edit('$doc', '[\"a\"]')");
is($node->safe_psql('postgres', 'SELECT string_agg(what, \',\' ORDER BY what) FROM heard'), 'ann,op 1', 'hooks are called');
ok($node->poll_query_until('postgres', q{SELECT 'atext' IN (SELECT what FROM heard)}), 'the worker calls those of a pause');

for my $how ([], ['--inserts'])
{
	my $name = join ' ', 'pg_dump', @$how;
	my $dump = PostgreSQL::Test::Utils::tempdir . '/dump.sql';

	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS again');
	$node->safe_psql('postgres', 'CREATE DATABASE again');
	$node->command_ok([ 'pg_dump', '--no-sync', @$how, '-f', $dump, $node->connstr('postgres') ], $name);
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('again') ], "$name: restored");
	is($node->safe_psql('again', q{SELECT count(*) FROM heard}), $node->safe_psql('postgres', q{SELECT count(*) FROM heard}), "$name: what is loaded is no edit");
	my ($code, $out, $error) = $node->psql('again', "SET converge.\"user\" = 'ann'; SELECT converge.edit('$doc', '[\"bad\"]')");
	like($error, qr/hook public\.refuse refused the operation/, "$name: the hook is there");
	$node->safe_psql('again', "SET converge.\"user\" = 'ann'; SELECT converge.edit('$doc', '[\"b\"]')");
	is($node->safe_psql('again', q{SELECT count(*) FROM heard WHERE what = 'op 2'}), 1, "$name: and so is the other");
}

$node->stop;
done_testing();
