# The options of the output plugin: shards, and what is refused.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('options');
my $documents = 60;

$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('slot', 'converge')");
$node->safe_psql('postgres', join("\n",
	map { my $id = doc($_); "SELECT converge.create_document('', '', '$id'); SELECT converge.edit('$id', '[\"😀$_\"]');" } 1 .. $documents));

# CRC-32C of bytes, by the book, to check the plugin from outside.
sub crc32c
{
	my $crc = 0xFFFFFFFF;

	for my $byte (unpack('C*', $_[0]))
	{
		$crc ^= $byte;
		$crc = ($crc >> 1) ^ ($crc & 1 ? 0x82F63B78 : 0) for 1 .. 8;
	}
	return $crc ^ 0xFFFFFFFF;
}

is(crc32c('123456789'), 0xE3069283, 'the test has CRC-32C right');

# The shard a document belongs to.
sub shard_of
{
	my ($id, $shards) = @_;

	return crc32c(pack('H*', $id =~ tr/-//dr)) % $shards;
}

# The query of a reader with these options, who takes nothing away.
sub peek
{
	return 'SELECT data FROM pg_logical_slot_peek_changes(' . join(', ', "'slot'", 'NULL', 'NULL', map { "'$_'" } @_) . ')';
}

# The documents both of whose lines are there: that of the owner, that of the op.
sub documents_of
{
	my %lines;

	$lines{$_}++ for map { /"documentId":"([^"]*)"/ } @_;
	return [ sort map { $lines{$_} == 2 ? $_ : "half of $_" } keys %lines ];
}

# The documents that a reader with these options sees.
sub seen
{
	return documents_of(split(/\n/, $node->safe_psql('postgres', peek(@_))));
}

my @all = map { doc($_) } 1 .. $documents;
is_deeply(seen(), \@all, 'without options: all');
is_deeply(seen('shards', '4'), \@all, 'with a number of shards alone: all');
is_deeply(seen('shards', '1', 'shard', '0'), \@all, 'the only shard: all');
for my $shard (0 .. 3)
{
	my @expected = grep { shard_of($_, 4) == $shard } @all;

	cmp_ok(scalar(@expected), '>', 0, "shard $shard of 4 has documents");
	is_deeply(seen('shards', '4', 'shard', $shard), \@expected, "shard $shard of 4: those by CRC-32C");
}
is_deeply(seen('shards', '4', 'shard', '0,2'), [ grep { shard_of($_, 4) % 2 == 0 } @all ], 'two shards');
is_deeply(seen('shard', ' 2 , 0,2 ', 'shards', '4'), [ grep { shard_of($_, 4) % 2 == 0 } @all ],
	'in any order, with spaces, twice');
is_deeply(seen('shards', '4096', 'shard', join(',', 0 .. 4095)), \@all, 'all of the most shards');
is_deeply(documents_of(events($node, 'slot', shards => 4, shard => '1,3')),
	[ grep { shard_of($_, 4) % 2 == 1 } @all ], 'pg_recvlogical passes them on');

# with the time of the commit, which is one for a transaction, and later than its edits
my $clock = 'SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint;';
my ($before, $after) = (split(/\n/, $node->safe_psql('postgres', join("\n",
	'BEGIN;', (map { "SELECT converge.edit('" . doc($_) . "', '[\"x\"]');" } 1 .. 2), $clock, 'COMMIT;', $clock))))[-2, -1];
my @with = (split(/\n/, $node->safe_psql('postgres', peek('committed', 'on'))))[-2, -1];
my @without = (split(/\n/, $node->safe_psql('postgres', peek('committed', 'off'))))[-2, -1];
my @times = map { /"documentId":"[^"]*","committed":(\d+),"version":2,/ ? $1 : () } @with;
is(scalar(@times), 2, 'committed: ops tell when');
cmp_ok($times[0], '>=', $before, 'committed: not before what it did');
cmp_ok($times[0], '<=', $after, 'committed: not after it ended');
is($times[1], $times[0], 'committed: one time for one transaction');
is_deeply([ map { s/"committed":\d+,//r } @with ], \@without, 'committed: the rest is the same');
events($node, 'slot');

# without ops whose JSON is longer than that, counted in bytes; the control character takes six
$node->safe_psql('postgres', join("\n", map { "SELECT converge.edit('" . doc(1) . "', $_);" } q{'["ééé"]'}, q{'["éééx"]'}, q{converge.insert(0, chr(1))}, q{converge.insert(0, repeat('x', 100000))}));
my @lines = split(/\n/, $node->safe_psql('postgres', peek()));
for my $largest (0, 9, 10, 11, 12, 100003, 100004)
{
	my @expected = map { $largest && /"op":(.*)\}$/ && length($1) > $largest ? s/"op":.*/"withheld":true}/r : $_ } @lines;

	is_deeply([ split(/\n/, $node->safe_psql('postgres', peek('largest', $largest))) ], \@expected, "largest $largest: what is longer is withheld");
}
my $counted = sub { scalar(grep { /"withheld":true\}$/ } split(/\n/, $node->safe_psql('postgres', peek('largest', $_[0])))) };
is_deeply([ map { $counted->($_) } 9, 10, 11, 100003, 100004 ], [ 4, 2, 1, 1, 0 ], 'largest: up to and with that many');
events($node, 'slot');

# What an option is refused with, by SQLSTATE, message and hint.
sub refused
{
	my ($name, $expected, @arguments) = @_;
	my ($ret, $stdout, $stderr) = $node->psql('postgres', peek(@arguments),
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);

	isnt($ret, 0, "$name: refused");
	like($stderr, $expected, "$name: and told why");
}

my $bad = sub {
	my ($option, $value, $hint) = @_;

	return qr/ERROR:  22023: invalid value "\Q$value\E" for option "$option" of output plugin "converge"\nHINT:  \Q$hint\E/;
};
refused('an unknown option', qr/ERROR:  22023: unrecognized option "relays" of output plugin "converge"\nHINT:  Valid options are: "shards", "shard", "committed", "largest"\./,
	'relays', '1');
refused('an option in another case', qr/unrecognized option "SHARDS"/, 'SHARDS', '1');
for my $value ('0', '-1', '4097', '99999999999999999999', 'four', '', '1.5', '1 ', '0x4')
{
	refused("shards '$value'", $bad->('shards', $value, 'It must be a whole number from 1 to 4096.'), 'shards', $value);
}
for my $value ('4', '-1', 'a', '1.5')
{
	refused("shard '$value' of 4", $bad->('shard', $value, 'It must be a whole number from 0 to 3.'), 'shards', '4', 'shard', $value);
}
for my $value ('', ',', '0,,1', '0 1')
{
	refused("shard '$value'", $bad->('shard', $value, 'It must be whole numbers from 0 to 3, separated by commas.'), 'shards', '4', 'shard', $value);
}
refused('shard 1 without a number of shards', $bad->('shard', '1', 'It must be a whole number from 0 to 0.'), 'shard', '1');
refused("committed 'maybe'", $bad->('committed', 'maybe', 'It must be on or off.'), 'committed', 'maybe');
refused("largest '$_'", $bad->('largest', $_, 'It must be a whole number from 0 to 2147483647.'), 'largest', $_) for '-1', '1kB', '2147483648';
refused('an option twice', qr/ERROR:  42601: option "shards" of output plugin "converge" is given more than once/,
	'shards', '2', 'shards', '2');

# the walsender's grammar lets a value be missing
my ($ret, $stdout, $stderr) = $node->psql('postgres', 'START_REPLICATION SLOT "slot" LOGICAL 0/0 ("shards")',
	replication => 'database', extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($stderr, qr/ERROR:  22023: option "shards" of output plugin "converge" needs a value\nHINT:  It is the number of shards/,
	'an option without a value: told what it is for');

# ---- who may decode ----

$node->safe_psql('postgres', q{CREATE ROLE relay LOGIN REPLICATION; SELECT converge.allow_relay('relay')});
my $as_relay = $node->connstr('postgres') . ' user=relay';
command_ok([ 'pg_recvlogical', '--dbname', $as_relay, '--slot', 'relay', '--create-slot', '--plugin=converge' ],
	'a role that was allowed to be the relay');
$node->safe_psql('postgres', q{ALTER ROLE relay SET work_mem = '1MB'; SELECT converge.allow_relay('relay')});
command_ok([ 'pg_recvlogical', '--dbname', $as_relay, '--slot', 'relay', '--drop-slot' ], 'and again');

$node->stop;
done_testing();
