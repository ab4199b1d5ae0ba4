# Replays ops by no code of converge's, and says who wrote what.
#
# Each line of input, as COPY writes it: version, user, op, and whether the text is to be
# told.  The first one's user is empty: it is what stood there at the beginning.
# Output: "text", version, MD5 of the text; at the end "run", position, length, version
# for each stretch that one version wrote, and "by", position, length, user for each that
# one user wrote, as far as it goes.
use strict;
use warnings;
use utf8;

use B;
use Digest::MD5 'md5_hex';
use JSON::PP;

my $json = JSON::PP->new->utf8;
my $text = '';
my $versions = '';		# four bytes a character
my @users;

binmode STDIN, ':raw';
while (my $line = <STDIN>)
{
	chomp $line;
	$line =~ s/\\\\/\\/g;
	my ($version, $user, $op, $told) = split /\t/, $line;
	my $at = 0;

	$users[$version] = $user;
	for my $component (@{ $json->decode($op) })
	{
		if (ref $component)
		{
			die "version $version reaches past the end" if $at + $component->{d} > length $text;
			substr($text, $at, $component->{d}, '');
			substr($versions, 4 * $at, 4 * $component->{d}, '');
		}
		elsif (B::svref_2object(\$component)->FLAGS & B::SVf_POK)
		{
			substr($text, $at, 0, $component);
			substr($versions, 4 * $at, 0, pack('L', $version) x length $component);
			$at += length $component;
		}
		else
		{
			$at += $component;
		}
	}
	next unless $told eq 't';
	my $bytes = $text;
	utf8::encode($bytes);
	print join("\t", 'text', $version, md5_hex($bytes), 0), "\n";
}

# Tell the stretches of one value.
sub tell_runs
{
	my ($name, @values) = @_;
	my $from = 0;

	for my $to (1 .. @values)
	{
		next if $to < @values && $values[$to] eq $values[$from];
		print join("\t", $name, $from, $values[$from], $to - $from), "\n";
		$from = $to;
	}
}

tell_runs('run', unpack('L*', $versions));
tell_runs('by', map { $users[$_] } unpack('L*', $versions));
