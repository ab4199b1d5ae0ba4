-- The type op: text, binary, jsonb, equality.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all

-- what is written is what is read; white space does not matter
SELECT '[5,"hi",{"d":3}]'::converge.op;
SELECT E' [ 5 ,\t"hi" ,\n { "d" : 3 } ] '::converge.op;
SELECT '[]'::converge.op, '[0]'::converge.op, '[""]'::converge.op, '[{"d":0}]'::converge.op, '[7]'::converge.op;

-- input is brought into normal form: nothing empty, neighbours merged, no retain at the end
SELECT '[1,0,2,"a","","é",{"d":1},{"d":0},{"d":2},4]'::converge.op;
SELECT '["a",0,"b"]'::converge.op, '[{"d":1},"",{"d":1}]'::converge.op;

-- an insert beside a delete: two orders, two operations
SELECT '["x",{"d":1}]'::converge.op, '[{"d":1},"x"]'::converge.op;
SELECT '["x",{"d":1}]'::converge.op OPERATOR(converge.=) '[{"d":1},"x"]'::converge.op AS same;

-- characters of 1, 2, 3 and 4 bytes, combining ones, and every escape
SELECT '["aéह😀e\u0301"]'::converge.op;
SELECT '["\u00e9\u0939\ud83d\ude00\ufffd\uffff\u007f"]'::converge.op;
SELECT '["\"\\\/\b\f\n\r\t\u0001\u001f"]'::converge.op;
SELECT length(converge.apply('', '["\ud83d\ude00e\u0301"]')) AS code_points;

-- the greatest lengths
SELECT '[1073741824]'::converge.op, '[1073741823,{"d":1}]'::converge.op;
SELECT input, state, detail FROM (VALUES
	('[1073741825,"a"]'),
	('[1073741824,"a"]'),
	('[1073741824,{"d":1}]'),
	('[{"d":1073741824},1,"a"]'),
	('[99999999999999999999999,"a"]'),
	('[{"d":18446744073709551617}]')) AS v (input), pg_temp.failure_detail(format('SELECT %L::converge.op', input));

-- text that is no op
SELECT pg_temp.failure($$SELECT '[5,"hi",{"d":-3}]'::converge.op$$);
SELECT pg_temp.failure(format('SELECT %L::converge.op', repeat('é', 100)));
SELECT input, state, detail FROM (VALUES
	(1, ''), (2, ' '), (3, 'null'), (4, '5'), (5, '"hi"'), (6, '{"d":1}'),
	(7, '['), (8, '[1'), (9, '[1,'), (10, '[1,]'), (11, '[,1]'), (12, '[1 2]'), (13, '[] x'), (14, '[]]'),
	(15, '[-1]'), (16, '[1.5]'), (17, '[1e3]'), (18, '[01]'), (19, '[+1]'), (20, '[0x1]'),
	(21, '[true]'), (22, '[null]'), (23, '[[1]]'),
	(24, '[{}]'), (25, '[{"d"}]'), (26, '[{"d":}]'), (27, '[{"d":"1"}]'), (28, '[{"d":-1}]'), (29, '[{"i":1}]'),
	(30, '[{"d":1,"d":1}]'), (31, '[{"d":1]'), (32, '[{d:1}]'),
	(33, '["a]'), (34, '["a'), (35, '["\"]'), (36, '["\x"]'), (37, '["\u12"]'), (38, '["\u12g4"]'), (39, '[''a'']'),
	(40, E'["a\nb"]'), (41, E'["a\x01"]'),
	(42, 'é😀[]')) AS v (n, input), pg_temp.failure_detail(format('SELECT %L::converge.op', input)) ORDER BY n;

-- text that no document can hold
SELECT input, state, detail FROM (VALUES
	(1, '["\u0000"]'), (2, '["a",2,"b\u0000c"]'),
	(3, '["\ud800"]'), (4, '["\udc00"]'), (5, '["\ud800\u0041"]'), (6, '["\ud83d\ud83d\ude00"]'), (7, '["\ud83dx"]'),
	(8, '["\ude00\ud83d"]'), (9, '["\udbff')) AS v (n, input), pg_temp.failure_detail(format('SELECT %L::converge.op', input)) ORDER BY n;

-- jsonb, both ways
SELECT '[5,"é😀",{"d":3}]'::converge.op::jsonb, '[]'::converge.op::jsonb;
SELECT '[5, "hi", {"d": 3}, 0]'::jsonb::converge.op;
SELECT input, state, detail FROM (VALUES
	('{"d": 1}'), ('[1.5]'), ('[null]'), ('[{"d": 1, "e": 2}]'), ('[[]]'), ('3')) AS v (input), pg_temp.failure_detail(format('SELECT %L::jsonb::converge.op', input));

-- equality and hashing
SELECT a, b, a OPERATOR(converge.=) b AS same, a OPERATOR(converge.<>) b AS other
FROM (VALUES
	('[1,"a"]'::converge.op, '[1,"a",0]'::converge.op),
	('[1,"a"]', '[1,"b"]'),
	('[1,"a"]', '[2,"a"]'),
	('["é"]', '["e\u0301"]'),
	('[]', '[]')) AS v (a, b);
SELECT op, count(*) FROM unnest('{"[1,\"a\"]","[1,\"a\",5]","[]"}'::converge.op[]) AS op GROUP BY op ORDER BY op::text COLLATE "C";
SELECT converge.op_hash('["a","b"]') = converge.op_hash('["ab"]') AS same,
	   converge.op_hash_extended('["a"]', 1) = converge.op_hash_extended('["a"]', 2) AS other;

-- the packed form
SELECT op, converge.op_send(op) FROM (VALUES
	('[]'::converge.op), ('[1]'), ('[1,"a"]'), ('[{"d":1}]'), ('["é"]'), ('["a😀"]'), ('[40,"hi",{"d":300}]')) AS v (op);

-- binary COPY, there and back
CREATE TEMP TABLE ops_out (n int, op converge.op);
CREATE TEMP TABLE ops_in (LIKE ops_out);
INSERT INTO ops_out VALUES (1, '[]'), (2, '[5,"é😀",{"d":3}]'), (3, NULL), (4, converge.insert(70000, repeat('aह😀', 40000)));
\set ECHO none
\getenv results PG_ABS_BUILDDIR
\set file :results '/results/op_type.copy'
\setenv CONVERGE_COPY_FILE :file
COPY ops_out TO STDOUT (FORMAT binary) \g :file
\set ECHO all
\copy ops_in FROM PROGRAM 'cat "$CONVERGE_COPY_FILE"' (FORMAT binary)
SELECT count(*), count(*) FILTER (WHERE i.op OPERATOR(converge.=) o.op) AS same, max(pg_column_size(i.op)) > 1000 AS large
FROM ops_in i JOIN ops_out o USING (n);

-- bytes that are no op: a table of one column, and below one value a line: its length, its bytes
CREATE TEMP TABLE bytes_in (op converge.op);
\set SHOW_CONTEXT never
\setenv COPY_BEGIN 'PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0'
\setenv COPY_END '\\377\\377'
-- a header that does not end
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\1\200$COPY_END"' (FORMAT binary)
\set VERBOSITY sqlstate
-- a header in a longer form than it needs
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\2\205\0$COPY_END"' (FORMAT binary)
-- an unused kind of nothing: retain 0
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\1\0$COPY_END"' (FORMAT binary)
-- a retain at the end
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\1\4$COPY_END"' (FORMAT binary)
-- two deletes side by side
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\2\5\5$COPY_END"' (FORMAT binary)
-- an insert of 2 that has 1 byte
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\2\012a$COPY_END"' (FORMAT binary)
-- an ASCII insert that is not ASCII
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\2\006\303$COPY_END"' (FORMAT binary)
-- U+0000
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\2\006\0$COPY_END"' (FORMAT binary)
-- invalid UTF-8: C3 28, a lone surrogate ED A0 80, an overlong C0 80
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\4\007\001\303\050$COPY_END"' (FORMAT binary)
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\5\007\002\355\240\200$COPY_END"' (FORMAT binary)
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\4\007\001\300\200$COPY_END"' (FORMAT binary)
-- a length of 2^62
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\012\201\200\200\200\200\200\200\200\200\001$COPY_END"' (FORMAT binary)
\set VERBOSITY default
-- and one that is: insert "é"
\copy bytes_in FROM PROGRAM 'printf "$COPY_BEGIN\4\007\001\303\251$COPY_END"' (FORMAT binary)
SELECT * FROM bytes_in;
