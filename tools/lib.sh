# Sourced by the scripts beside it: where this checkout keeps what it builds and runs,
# and as whom PostgreSQL runs.  Everything lives in one directory, $local, so that
# ending and removing it can never reach anything else.

set -u

top=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# PostgreSQL refuses to run as root, so root lends its servers to somebody else.
server_user=$(id -un)
if [ "$(id -u)" = 0 ]; then
	server_user=nobody
	if id -u postgres >/dev/null 2>&1; then
		server_user=postgres
	fi
fi

# Run a command as the servers' user, away from directories it may not read.
as_server()
{
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" \
			--init-groups env HOME=/ "$@")
	else
		"$@"
	fi
}

# A short name for this checkout, the same at every run.
checkout_hash()
{
	printf '%s' "$top" | sha256sum | cut -c1-12
}

# Make .local and set $local to it.  Where the servers' user could not reach it (a
# checkout in root's home) it becomes a link to a directory outside.
find_local()
{
	local outside="/var/tmp/converge-$(checkout_hash)"

	[ -e "$top/.local" ] || mkdir -p "$(readlink -m "$top/.local")" || exit 1
	if [ ! -L "$top/.local" ] && ! as_server test -x "$top/.local"; then
		# it may be there already, left by an earlier checkout at this place
		if [ ! -O "$outside" ] || [ -L "$outside" ]; then
			mkdir -m 0755 "$outside" || die "cannot make $outside, and $server_user cannot reach $top"
		fi
		cp -a "$top/.local/." "$outside" && rm -rf "$top/.local" && ln -s "$outside" "$top/.local" || exit 1
	fi
	local=$(cd -P "$top/.local" && pwd) || exit 1
	[ -O "$local" ] || die "$local belongs to $(stat -c %U "$local"), not to $(id -un)"
}
