# A server with converge for the tests beside this file, and what several of them ask.
# Texts are UTF-8 bytes throughout: nothing here decodes them.
package ConvergeTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(start_node start_again doc op_id events plain_events stored_events);

# A running node whose database postgres has the extension.
sub start_node
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--locale=C' ]);

	# small enough that large transactions go to disk and come back
	$node->append_conf('postgresql.conf', "logical_decoding_work_mem = '64kB'\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION converge');

	# newer servers let only plugins that are listed decode
	$node->safe_psql('postgres', 'ALTER ROLE CURRENT_USER SET output_plugin_libraries = pgoutput, test_decoding, converge')
	  if $node->safe_psql('postgres', "SELECT count(*) FROM pg_settings WHERE name = 'output_plugin_libraries'");
	return $node;
}

# Start a killed server again, once the processes of its last life have let go.
sub start_again
{
	my ($node) = @_;
	my $tries = 10 * $PostgreSQL::Test::Utils::timeout_default;

	forget_postmaster($node);
	until ($node->start(fail_ok => 1))
	{
		die 'the server does not start' if $tries-- <= 0;
		$node->stop('fast', fail_ok => 1);
	}
}

# Wait for the end of a killed postmaster.  Where nobody takes note of it, as in a
# container without an init, its number stays taken, and its lock files are in the way.
sub forget_postmaster
{
	my ($node) = @_;
	my $file = $node->data_dir . '/postmaster.pid';
	my $tries = 100 * $PostgreSQL::Test::Utils::timeout_default;

	return unless -e $file;
	my ($pid) = slurp_file($file) =~ /^(\d+)/;
	while ((my $state = process_state($pid)) ne '')
	{
		return unlink($file, $node->host . '/.s.PGSQL.' . $node->port . '.lock') if $state eq 'Z';
		die "postmaster $pid does not end" if $tries-- <= 0;
		usleep(10_000);
	}
}

# The letter of a process's state in /proc; none when it is gone.
sub process_state
{
	my ($pid) = @_;

	open(my $status, '<', "/proc/$pid/status") or return '';
	my ($state) = join('', <$status>) =~ /^State:\s+(\w)/m;
	return $state // '';
}

# The id of the n-th document, of the n-th op.
sub doc
{
	return sprintf('d0000000-0000-4000-8000-%012d', $_[0]);
}

sub op_id
{
	return sprintf('0b000000-0000-8000-8000-%012d', $_[0]);
}

# What pg_recvlogical prints from the slot's place to the end of the WAL: lines.
sub events
{
	my ($node, $slot, %options) = @_;
	my $end = $node->safe_psql('postgres', 'SELECT pg_current_wal_flush_lsn()');
	my $output = $node->pg_recvlogical_upto('postgres', $slot, $end,
		$PostgreSQL::Test::Utils::timeout_default, %options);

	return split(/\n/, $output // '');
}

# Without what differs from run to run.
sub plain_events
{
	return map { s/"sequenceId":\d+/"sequenceId":N/r =~ s/"at":"[^"]*"/"at":T/r } @_;
}

# The lines that the rows of converge.ops should have given, in the order of their seq;
# put together in SQL, so that the C code is not asked twice.
sub stored_events
{
	my ($node, $where, $dbname) = @_;

	return split(/\n/, $node->safe_psql($dbname // 'postgres', qq{
		SET TimeZone = 'UTC';
		SELECT format('{"type":"op","documentId":"%s","version":%s,"sequenceId":%s,"operationId":"%s","userId":%s,"baseVersion":%s,"at":"%s","op":%s}',
			doc_id, version, seq, op_id, to_json(user_id), base_version, to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), op)
		FROM converge.ops WHERE $where ORDER BY seq}));
}

1;
