-- Sourced by tests that need a long past: the same ops whenever and wherever they are
-- typed.

-- The id of the n-th op: they count up, but every third is random.
CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$
	SELECT CASE WHEN n % 3 = 0 THEN md5(n::text)::uuid ELSE format('0b000000-0000-8000-8000-%s', lpad(n::text, 12, '0'))::uuid END
$$;

-- The n-th op: all kinds, short and long characters, a pair, several components.
CREATE FUNCTION pg_temp.op(n bigint) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN n % 7 = 0 THEN '[{"d":1}]' WHEN n % 11 = 0 THEN '["x"]' WHEN n % 13 = 0 THEN '[1,"😀",1,{"d":1},"ह"]'
				WHEN n % 17 = 0 THEN '[2,{"d":1},"a\u0301"]' ELSE format('[%s,"é%s"]', n % 3, n) END
$$;

-- Who typed it, and how many ops he had not seen.
CREATE FUNCTION pg_temp.author(n bigint) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN n % 5 < 3 THEN 'ann' ELSE 'ben é' END $$;
CREATE FUNCTION pg_temp.base(n bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT n - 1 - CASE WHEN n % 4 = 0 THEN least(n % 9, n - 1) ELSE 0 END $$;

-- Submit ops once more, or for the first time.
CREATE FUNCTION pg_temp.type(doc uuid, from_n bigint, upto bigint, OUT code text, OUT count bigint) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT s.code, count(*) FROM (
		SELECT array_agg(doc ORDER BY n) AS docs, array_agg(pg_temp.author(n) ORDER BY n) AS users, array_agg(pg_temp.id(n) ORDER BY n) AS ids,
			   array_agg(pg_temp.base(n) ORDER BY n) AS bases, array_agg(pg_temp.op(n) ORDER BY n) AS ops
		FROM generate_series(from_n, upto) AS n) AS batch,
		LATERAL converge.submit(docs, users, ids, bases, ops) AS s
	GROUP BY s.code ORDER BY s.code
$$;
