# Ids of users, their names and addresses are compared by their bytes: neither the locale of
# a database nor its next version makes others of them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('collation');
my $doc = doc(1);
my $as_ann = q{SET converge.acting_user = 'ann'; };

# ---- from the catalog ----

is($node->safe_psql('postgres', q{
	SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'converge'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND a.attcollation <> 0 AND a.attcollation <> 'pg_catalog."C"'::regcollation
	  AND (a.attname ~ '(user|owner|name|address)' OR a.attname = 'id')
	  AND a.attrelid || '.' || a.attname <> 'converge.presence'::regclass::oid || '.name' -- which is only shown
	ORDER BY 1}), '', 'columns that hold users, names and addresses have the collation C');
is($node->safe_psql('postgres', q{
	SELECT DISTINCT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid, unnest(i.indcollation) AS used
	WHERE c.relnamespace = 'converge'::regnamespace AND used <> 0 AND used <> 'pg_catalog."C"'::regcollation}), '', 'so has every index that has one');
is($node->safe_psql('postgres', q{
	SELECT p.oid::regprocedure, m[1] FROM pg_proc p, regexp_matches(p.prosrc, '(?:lower|upper|initcap)\((?:[a-z_.]+|(?:lower|upper|initcap)\([a-z_.]+\))( COLLATE "C")?\)', 'g') AS m
	WHERE p.pronamespace = 'converge'::regnamespace AND m[1] IS NULL AND p.prosrc !~ 'lower\(u(sers)?\.'}), '', 'a parameter is brought into lower case by that as well');

SKIP:
{
	skip 'the server knows no ICU', 1 unless $node->safe_psql('postgres', q{SELECT count(*) FROM pg_collation WHERE collprovider = 'i'});

	# ---- a locale that has letters of its own ----

	$node->safe_psql('postgres', q{CREATE DATABASE turkish TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'tr'});
	$node->safe_psql('turkish', 'CREATE EXTENSION converge; CREATE EXTENSION pgcrypto');
	is($node->safe_psql('turkish', q{SELECT lower('I')}), 'ı', 'a database where I has another small letter');
	my $id = $node->safe_psql('turkish', q{SELECT converge.sign_up('Iris İnci', 'INFO@example.org', 'correct horse')});
	for my $address ('info@example.org', 'Info@Example.ORG')
	{
		my ($ret, $stdout, $stderr) = $node->psql('turkish', "SELECT converge.sign_up('Ben', '$address', 'correct horse')");

		like($stderr, qr/ERROR:  the address is taken/, "INFO\@example.org and $address are one address");
		is($node->safe_psql('turkish', "SELECT converge.log_in('$address', 'correct horse')"), $id, "$address logs in");
		is($node->safe_psql('turkish', "SELECT user_id FROM converge.search_users('$address')"), $id, "$address is found");
	}
	is($node->safe_psql('turkish', q{SELECT count(converge.log_in('INFO@example.org', 'wrong')) FROM generate_series(1, 5); SELECT count(converge.log_in('info@example.org', 'wrong')) FROM generate_series(1, 5)}),
		"0\n0", 'ten wrong passwords for one address, written in two ways');
	like(($node->psql('turkish', q{SELECT converge.log_in('Info@example.org', 'wrong')}))[2], qr/ERROR:  too many wrong passwords/, 'are ten');
	is($node->safe_psql('turkish', "SELECT user_id FROM converge.search_users('$_')"), $id, "their name is found by $_") for 'Iris', 'iris', 'IRIS', 'Iris İnci', 'iris İnci';
	$node->safe_psql('turkish', q{SELECT converge.sign_up('Éva Ödön', 'eva@example.org', 'correct horse')});
	is($node->safe_psql('turkish', "SELECT name FROM converge.search_users('$_')"), 'Éva Ödön', "and one that begins with another letter by $_") for 'Éva', 'éva', 'éva ö', 'Éva Ö';

	# ---- the order of letters changes under the indexes, as an upgrade of ICU may do it ----

	$node->safe_psql('postgres', q{CREATE DATABASE upgraded TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'});
	$node->safe_psql('upgraded', "CREATE EXTENSION converge; ${as_ann}SELECT converge.create_document('', '', '$doc')");
	$node->safe_psql('upgraded', "INSERT INTO converge.members (doc_id, user_id, role)
		SELECT '$doc', left(md5(n::text), 1 + n % 4) || chr(97 + n % 26) || n, 'viewer' FROM generate_series(1, 4000) AS n;
		INSERT INTO converge.users (id, name, address, password_hash) SELECT user_id, user_id, user_id || '\@example.org', '' FROM converge.members;
		CREATE TABLE control (user_id text PRIMARY KEY); INSERT INTO control SELECT user_id FROM converge.members");
	my $column = $node->safe_psql('postgres', q{SELECT attname FROM pg_attribute WHERE attrelid = 'pg_database'::regclass AND attname IN ('daticulocale', 'datlocale')});
	$node->safe_psql('postgres', "UPDATE pg_database SET $column = 'en-u-kn-true' WHERE datname = 'upgraded'");

	# How many rows of a table a subquery finds, none of them by reading the whole table.
	sub found
	{
		my ($subquery) = @_;

		return $node->safe_psql('upgraded', "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_hashagg = off;
			CREATE TEMP TABLE asked AS SELECT user_id::text COLLATE \"default\" AS user_id FROM converge.members; SELECT count(*) FROM asked WHERE $subquery");
	}
	is($node->safe_psql('upgraded', q{SELECT '9' < '10'}), 't', 'numbers are compared as numbers now');
	cmp_ok(found('(SELECT count(*) FROM control c WHERE c.user_id = asked.user_id) > 0'), '<', 4001, 'an index of the database\'s own collation hides rows now');
	is(found("converge.role_in(asked.user_id, '$doc') IS NOT NULL"), 4001, 'all members are found in SQL');
	is(found('(SELECT count(*) FROM converge.users u WHERE u.id = asked.user_id) > 0'), 4001, 'all accounts by their id');
	is(found(q{(SELECT count(*) FROM converge.users u WHERE lower(u.address) = lower(asked.user_id || '@example.org')) > 0}), 4001, 'and by their address');
	is($node->safe_psql('upgraded', "SELECT count(*) FROM converge.submit(array_fill('$doc'::uuid, ARRAY[4001]), ARRAY(SELECT user_id FROM converge.members),
		ARRAY(SELECT gen_random_uuid() FROM converge.members), array_fill(0::bigint, ARRAY[4001]), array_fill('[\"é\"]'::text, ARRAY[4001])) WHERE code = 'forbidden' AND message ~ 'viewer'"), '4000', 'and all roles where C looks for them');
}

$node->stop;
done_testing();
