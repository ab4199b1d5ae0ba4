-- The saved vectors in SQL: apply, transform and compose give exactly what they say, and
-- the laws hold for them. What a line holds is told in test/ot/make-vectors.mjs.
BEGIN;
SELECT * FROM no_plan();

CREATE TEMP TABLE vectors (v jsonb);

-- Check all that is in vectors.
CREATE FUNCTION pg_temp.check_vectors(source text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	law record;
	bad text;
BEGIN
	CREATE TEMP TABLE cases AS
		SELECT row_number() OVER () AS n, v ->> 'doc' AS doc, v ->> 'apply_a' AS doc_a, v ->> 'apply_a_c' AS doc_a_c,
			   (v -> 'a')::converge.op AS a, (v -> 'b')::converge.op AS b, (v -> 'c')::converge.op AS c,
			   v -> 'a_left_b' AS a_left_b, v -> 'a_right_b' AS a_right_b, v -> 'b_left_a' AS b_left_a, v -> 'b_right_a' AS b_right_a,
			   v -> 'compose_a_c' AS a_c
		FROM vectors;
	RETURN NEXT cmp_ok((SELECT count(*) FROM cases), '>=', 100::bigint, source || ': there are enough');
	FOR law IN SELECT * FROM (VALUES
		('apply a', 'converge.apply(doc, a) = doc_a'),
		('apply c', 'converge.apply(doc_a, c) = doc_a_c'),
		('a over b, left', 'converge.transform(a, b, ''left'')::jsonb = a_left_b'),
		('a over b, right', 'converge.transform(a, b, ''right'')::jsonb = a_right_b'),
		('b over a, left', 'converge.transform(b, a, ''left'')::jsonb = b_left_a'),
		('b over a, right', 'converge.transform(b, a, ''right'')::jsonb = b_right_a'),
		('a and c composed', 'converge.compose(a, c)::jsonb = a_c'),
		('apply a and c as one', 'converge.apply(doc, converge.compose(a, c)) = doc_a_c'),
		('both ways to one text', 'converge.apply(doc_a, converge.transform(b, a, ''right'')) = converge.apply(converge.apply(doc, b), converge.transform(a, b, ''left''))'),
		('one by one or composed', 'converge.transform(converge.transform(b, a, ''left''), c, ''left'') OPERATOR(converge.=) converge.transform(b, converge.compose(a, c), ''left'')'),
		('undone', 'converge.apply(doc_a, converge.invert(a, doc)) = doc'),
		('text and back', 'a::text::converge.op OPERATOR(converge.=) a AND b::jsonb::converge.op OPERATOR(converge.=) b'),
		('an end stays an end', 'converge.transform_position(char_length(doc), a, ''right'') = char_length(doc_a)')) AS l (name, condition)
	LOOP
		EXECUTE format('SELECT string_agg(n::text, '', '') FROM cases WHERE (%s) IS NOT TRUE', law.condition) INTO bad;
		RETURN NEXT ok(bad IS NULL, format('%s: %s', source, law.name));
		IF bad IS NOT NULL THEN
			RETURN NEXT diag('lines ' || left(bad, 200));
		END IF;
	END LOOP;
	DROP TABLE cases;
END
$$;

\set lines `cat ../ot/vectors.jsonl`
INSERT INTO vectors SELECT line::jsonb FROM string_to_table(:'lines', E'\n') AS line WHERE line <> '';
SELECT pg_temp.check_vectors('test/ot/vectors.jsonl');

-- a clone of the repository alone has no more
\set has_shared `test -r ../../../shared/vectors/textop.jsonl && echo yes || echo no`
SELECT :'has_shared' = 'yes' AS has_shared \gset
\if :has_shared
TRUNCATE vectors;
\set lines `cat ../../../shared/vectors/textop.jsonl`
INSERT INTO vectors SELECT line::jsonb FROM string_to_table(:'lines', E'\n') AS line WHERE line <> '';
SELECT pg_temp.check_vectors('shared/vectors/textop.jsonl');
\else
SELECT skip('shared/vectors/textop.jsonl is not here', 14);
\endif

SELECT * FROM finish();
ROLLBACK;
