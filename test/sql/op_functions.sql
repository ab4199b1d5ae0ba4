-- The algebra in SQL.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all

-- constructors
SELECT converge.insert(5, 'hi'), converge.delete(5, 3), converge.replace(5, 3, 'hi');
SELECT converge.insert(0, 'é😀'), converge.delete(0, 1), converge.replace(0, 1, 'e' || U&'\0301');
SELECT converge.insert(5, ''), converge.delete(5, 0), converge.replace(5, 0, ''), converge.replace(5, 0, 'x'), converge.replace(5, 2, '');
SELECT converge.insert(NULL, 'a') IS NULL, converge.delete(1, NULL) IS NULL, converge.replace(1, 1, NULL) IS NULL;
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.insert(-1, 'a')$$),
	($$SELECT converge.insert(1073741825, 'a')$$),
	($$SELECT converge.insert(9223372036854775807, 'a')$$),
	($$SELECT converge.insert(1073741824, 'a')$$),
	($$SELECT converge.delete(0, -1)$$),
	($$SELECT converge.delete(1, 1073741824)$$),
	($$SELECT converge.replace(-1, 1, 'a')$$),
	($$SELECT converge.replace(0, -1, 'a')$$)) AS v (statement);

-- apply: positions are code points
SELECT converge.apply('', '["Grüße 😀"]');
SELECT converge.apply('Grüße 😀!', '[6,{"d":1},"👩"]');
SELECT converge.apply('aéह😀z', '[1,{"d":3}]'), converge.apply('aéह😀z', '[5,"."]'), converge.apply('aéह😀z', '[]');
SELECT converge.apply('abc', '["1",1,"2",1,"3",1,"4"]'), converge.apply('abc', '[{"d":3}]') = '' AS empty;
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.apply('aé😀', '[4,"x"]')$$),
	($$SELECT converge.apply('aé😀', '[{"d":4}]')$$),
	($$SELECT converge.apply('', '[{"d":1}]')$$),
	($$SELECT converge.apply('aé😀', '[2,{"d":2}]')$$)) AS v (statement);

-- compose: as one; at a tie the delete of the first before the insert of the second
SELECT converge.compose('[1,"é"]', '[2,"x"]'), converge.compose('["abc"]', '[{"d":3}]'), converge.compose('[]', '[1,"a"]'), converge.compose('[1,"a"]', '[]');
SELECT converge.compose('[{"d":1}]', '["x"]'), converge.compose('["x"]', '[1,{"d":1}]'), converge.compose('[2,{"d":2}]', '[2,"aa"]');
SELECT converge.apply(converge.apply('hello😀', a), b) = converge.apply('hello😀', converge.compose(a, b)) AS same
FROM (VALUES ('[2,{"d":2},"é"]'::converge.op, '[1,"😀",1,{"d":2}]'::converge.op)) AS v (a, b);
SELECT pg_temp.failure($$SELECT converge.compose('[1073741820,"aaaa"]', '[1073741820,"bbbb"]')$$);

-- transform: left goes first at a tie
SELECT side, converge.transform('[1,"a"]', '[1,"b"]', side) FROM (VALUES ('left'), ('right')) AS v (side);
SELECT converge.transform('[3,"x"]', '["éé"]', 'left'), converge.transform('[3,"x"]', '[{"d":5}]', 'left'),
	   converge.transform('[1,{"d":3}]', '[2,{"d":1}]', 'left'), converge.transform('[1,{"d":3}]', '[2,"in"]', 'right'),
	   converge.transform('[{"d":2}]', '[{"d":2}]', 'left');
SELECT pg_temp.failure($$SELECT converge.transform('[1,"a"]', '[1,"b"]', 'up')$$);
SELECT pg_temp.failure($$SELECT converge.transform('[1,"a"]', '[1,"b"]', 'LEFT')$$);
SELECT converge.transform('[1,"a"]', '[1,"b"]', NULL) IS NULL;

-- TP1, both ways to the same text
SELECT converge.apply(converge.apply(d, a), converge.transform(b, a, 'right')) AS one,
	   converge.apply(converge.apply(d, b), converge.transform(a, b, 'left')) AS other
FROM (VALUES
	('abc', '[1,"X"]'::converge.op, '[1,"Y"]'::converge.op),
	('aéह😀', '[1,{"d":2},"é"]', '[2,"😀",{"d":2}]'),
	('', '["é"]', '["😀"]')) AS v (d, a, b);

-- one by one or composed: the same op. The case that fails where compose puts inserts first.
SELECT converge.transform(converge.transform(x, b1, 'left'), b2, 'left') AS one_by_one,
	   converge.transform(x, converge.compose(b1, b2), 'left') AS composed
FROM (VALUES
	('[2,{"d":2}]'::converge.op, '[{"d":2}]'::converge.op, '["bb"]'::converge.op),
	('[2,"aa"]', '[{"d":2}]', '["bb"]'),
	('[2,{"d":2}]', '[2,"aa"]', '[{"d":2}]'),
	('[1,"é"]', '[{"d":1}]', '["😀"]')) AS v (x, b1, b2);
SELECT converge.transform(converge.transform(converge.transform(x, b1, 'left'), b2, 'left'), b3, 'left') AS one_by_one,
	   converge.transform(x, converge.compose(converge.compose(b1, b2), b3), 'left') AS composed,
	   converge.transform(x, converge.compose(b1, converge.compose(b2, b3)), 'left') AS the_other_way
FROM (VALUES ('[2,{"d":2}]'::converge.op, '[2,"aa"]'::converge.op, '[{"d":2}]'::converge.op, '["bb"]'::converge.op)) AS v (x, b1, b2, b3);

-- invert
SELECT converge.invert('[1,"é",{"d":2}]', 'a😀हz');
SELECT converge.apply(converge.apply(d, a), converge.invert(a, d)) = d AS undone
FROM (VALUES ('a😀हz', '[1,"é",{"d":2}]'::converge.op), ('', '["x"]'), ('é', '[{"d":1},"x"]'), ('abc', '[]')) AS v (d, a);
SELECT pg_temp.failure($$SELECT converge.invert('[5,{"d":1}]', 'é😀')$$);

-- positions
SELECT pos, converge.transform_position(pos, '[2,"é😀",{"d":2},1,{"d":1}]', 'left') AS "left",
	   converge.transform_position(pos, '[2,"é😀",{"d":2},1,{"d":1}]', 'right') AS "right"
FROM generate_series(0, 8) AS pos;
SELECT pg_temp.failure($$SELECT converge.transform_position(-1, '[]', 'left')$$);
SELECT pg_temp.failure($$SELECT converge.transform_position(0, '[]', '')$$);

-- the aggregate: in its order, without nulls
SELECT converge.compose_agg(op ORDER BY n) FROM (VALUES
	(3, '[2,{"d":1}]'::converge.op), (1, '["aé😀"]'), (2, NULL), (4, '[2,"!"]')) AS v (n, op);
SELECT converge.compose_agg(op) IS NULL AS none FROM (SELECT '[]'::converge.op AS op WHERE false) AS v;
SELECT converge.compose_agg(NULL) IS NULL AS none;
SELECT n % 2 AS odd, converge.compose_agg(converge.insert(0, n::text) ORDER BY n) FROM generate_series(1, 9) AS n GROUP BY 1 ORDER BY 1;
SELECT converge.compose_agg(converge.insert(n, chr(97 + n % 26)) ORDER BY n) OPERATOR(converge.=)
	   converge.insert(0, string_agg(chr(97 + n % 26), '' ORDER BY n)) AS same FROM generate_series(0, 9999) AS n;
SELECT n, converge.compose_agg(converge.insert(n, 'é')) OVER (ORDER BY n) FROM generate_series(0, 3) AS n;
SELECT pg_temp.failure($$SELECT converge.compose_agg(op ORDER BY n) FROM (VALUES
	(1, '[1073741820,"aaaa"]'::converge.op), (2, '[1073741820,"bbbb"]')) AS v (n, op)$$);
