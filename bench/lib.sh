# Sourced by the scripts beside it: the private cluster, the programs built here, a
# relay's key and role.

. "$(dirname "${BASH_SOURCE[0]}")/../tools/lib.sh"
find_local

bench=$top/bench
programs=$local/bench
relay_program=$local/bin/converge-relay
key=$local/jwt.key
traces=$top/../shared/traces

# Build what is here, bring the cluster up, point everything at it.
prepare()
{
	mkdir -p "$local/log"
	make --no-print-directory -s -C "$bench" || exit 1
	"$top/tools/cluster" start >"$local/log/bench-cluster.log" ||
		{ cat "$local/log/bench-cluster.log" >&2; exit 1; }
	eval "$("$top/tools/cluster" env)"
	[ -s "$key" ] || (umask 077 && head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$key")
}

# The relay's role, allowed to act for the users of the current database.
create_relay_role()
{
	psql -X -q -v ON_ERROR_STOP=1 <<'SQL' || exit 1
SELECT 'CREATE ROLE converge_relay LOGIN REPLICATION'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'converge_relay') \gexec
SELECT converge.allow_relay('converge_relay') \g /dev/null
SQL
}

temporary_databases=()

drop_temporary_databases()
{
	local name

	for name in "${temporary_databases[@]}"; do
		dropdb --if-exists --force "$name"
	done
}

# A database of its own, with the extension, gone when the script ends.
make_temporary_database()
{
	dropdb --if-exists --force "$1" 2>/dev/null
	temporary_databases+=("$1")
	trap drop_temporary_databases EXIT
	createdb -T template0 -E UTF8 "$1" && psql -X -q -d "$1" -c 'CREATE EXTENSION converge' || exit 1
}

# Likewise, and everything is pointed at it.
use_temporary_database()
{
	make_temporary_database "$1"
	PGDATABASE=$1
	export PGDATABASE
}

# The sequential traces that are here: the repository's own, and the larger ones where
# a development machine has them.
sequential_traces()
{
	echo "$bench/traces/sveltecomponent.json.gz"
	for name in rustcode automerge-paper; do
		if [ -e "$traces/$name.json.gz" ]; then
			echo "$traces/$name.json.gz"
		else
			echo "trace $name is not here: skipped" >&2
		fi
	done
}
