# What the relay sends: every parameter and every null that it passes to a function of
# converge has a type, so that no overload is a better match.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Find;
use Test::More;

my $relay = dirname(abs_path(__FILE__)) . '/../../relay';
my ($parts, @untyped) = (0);

find({ no_chdir => 1, wanted => sub
{
	return unless /\.c$/;
	open(my $file, '<', $_) or die "$_: $!";
	my $text = do { local $/; <$file> };
	for my $literal ($text =~ /"((?:[^"\\\n]|\\.)*)"/g)
	{
		# a parameter alone is what a macro puts a type behind
		next if $literal !~ /\$\d/ || $literal =~ /^\$\d+$/;
		$parts++;
		push @untyped, basename($_) . ": $literal" if $literal =~ /\$\d+(?!\d|::)/ || $literal =~ /converge\..*[(,]\s*NULL\s*[,)]/;
	}
} }, $relay);

cmp_ok($parts, '>', 30, 'there are statements to look at');
is_deeply(\@untyped, [], 'every parameter has a type');
done_testing();
