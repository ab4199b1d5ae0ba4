# What the tests of history ask of a server, whatever they do to it.
package HistoryTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;

our @EXPORT = qw(sql type_history past_of problems);

# Run statements as ann, in one session.
sub sql
{
	my ($node, $dbname, @statements) = @_;

	return $node->safe_psql($dbname, join("\n", q{SET converge."user" = 'ann';}, @statements));
}

# Type ops into a document, from one version to another, as ann and ben, some on what they
# had seen; with each 40th goes a long one.
sub type_history
{
	my ($node, $dbname, $doc, $from, $upto) = @_;

	return sql($node, $dbname, qq{
		SELECT s.code, count(*) FROM
			(SELECT array_agg('$doc'::uuid) AS docs, array_agg(CASE WHEN n % 5 < 3 THEN 'ann' ELSE 'ben é' END ORDER BY n) AS users, array_agg(md5(n::text)::uuid ORDER BY n) AS ids,
					array_agg(n - 1 - CASE WHEN n % 4 = 0 THEN least(n % 9, n - 1) ELSE 0 END ORDER BY n) AS bases,
					array_agg(CASE WHEN n % 40 = 0 THEN format('["%s"]', repeat('ह😀é', 700)) WHEN n % 7 = 0 THEN '[{"d":1}]' WHEN n % 11 = 0 THEN '["x"]'
								   WHEN n % 13 = 0 THEN '[1,"😀",1,{"d":1},"a\\u0301"]' ELSE format('[%s,"é%s"]', n % 3, n) END ORDER BY n) AS ops
			 FROM generate_series($from, $upto) AS n) AS batch,
			LATERAL converge.submit(docs, users, ids, bases, ops) AS s
		GROUP BY s.code;});
}

# All that the documents of a database can tell of their past, in short, a line a document.
sub past_of
{
	my ($node, $dbname) = @_;

	return sql($node, $dbname, q{
		SET TimeZone = 'UTC';
		SELECT d.id, d.title, d.owner, d.created_at, h.version, h.seq, h.length, h.floor_version, h.updated_at,
			   (SELECT md5(string_agg(r::text, E'\n')) FROM converge.history(d.id) AS r) AS history,
			   (SELECT md5(string_agg(c::text, E'\n')) FROM converge.changes(d.id) AS c) AS changes,
			   (SELECT md5(string_agg(b::text, E'\n')) FROM converge.blame(d.id) AS b) AS blame,
			   (SELECT md5(string_agg(converge.content_at(d.id, v), E'\n' ORDER BY v)) FROM generate_series(h.floor_version, h.version, greatest((h.version - h.floor_version) / 20, 1)) AS v) AS texts,
			   md5(converge.content(d.id)) AS content,
			   (SELECT string_agg(concat_ws(' ', s.version, s.kind, md5(s.content)), ', ' ORDER BY s.version) FROM converge.snapshots AS s WHERE s.doc_id = d.id AND s.kind <> 'due') AS snapshots,
			   (SELECT string_agg(concat_ws(' ', l.version, l.label, l.user_id, l.created_at), ', ' ORDER BY l.version, l.label) FROM converge.labels AS l WHERE l.doc_id = d.id) AS labels,
			   (SELECT string_agg(concat_ws(' ', u.version, u.undone_version), ', ' ORDER BY u.version) FROM converge.undos AS u WHERE u.doc_id = d.id) AS undos,
			   (SELECT string_agg(concat_ws(' ', m.user_id, m.role), ', ' ORDER BY m.user_id COLLATE "C") FROM converge.members AS m WHERE m.doc_id = d.id) AS members
		FROM converge.documents AS d JOIN converge.heads AS h ON h.doc_id = d.id ORDER BY d.id;});
}

# What verify has to say of all documents; nothing, if all is well.
sub problems
{
	my ($node, $dbname) = @_;

	return sql($node, $dbname, 'SELECT id, version, problem FROM converge.documents, converge.verify(id) ORDER BY 1, 2, 3;');
}

1;
