-- Going back in part: the ops of a range, of one user or of all, undone by one op; a passage
-- restored where it is now.
BEGIN;
SELECT * FROM no_plan();
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
\set doc 'bac00000-0000-4000-8000-000000000001'
CREATE FUNCTION pg_temp.edit_as(who text, doc uuid, op converge.op) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	made bigint;
BEGIN
	PERFORM set_config('converge.acting_user', who, true);
	made := converge.edit(doc, op);
	PERFORM set_config('converge.acting_user', 'ann', true);
	RETURN made;
END
$$;

-- ---- a range ----

SELECT converge.create_document('', 'one two 😀 three', :'doc') \g /dev/null
SELECT converge.share(:'doc', 'ben', 'editor') \g /dev/null
SELECT pg_temp.edit_as('ann', :'doc', '["A"]'), pg_temp.edit_as('ben', :'doc', '[5, {"d": 3}, "é"]'), pg_temp.edit_as('ann', :'doc', '[1, "B"]'), pg_temp.edit_as('ben', :'doc', '[15, "!"]') \g /dev/null
SELECT is(converge.content(:'doc'), 'ABone é 😀 three!', 'four edits');
SELECT is(converge.undo_range(:'doc', 2, 3), 5::bigint, 'the two in the middle are undone');
SELECT is(converge.content(:'doc'), 'Aone two 😀 three!', 'by one op');
SELECT is((SELECT string_agg(undone_version::text, ',' ORDER BY undone_version) FROM converge.undos WHERE doc_id = :'doc' AND version = 5), '2,3', 'which is noted');
SELECT is(converge.undo_range(:'doc', 2, 3), 5::bigint, 'once only');
SELECT is(converge.undo_range(:'doc', 1, 4, 'ben'), 6::bigint, 'then what is left of ben''s');
SELECT is(converge.content(:'doc'), 'Aone two 😀 three', 'is undone alone');
SELECT is(converge.undo_range(:'doc', 1, 4, 'cleo'), 6::bigint, 'one who did nothing');
SELECT is(converge.undo(:'doc', (SELECT op_id FROM converge.history(:'doc', 5, 5))), 7::bigint, 'the undo is undone');
SELECT is(converge.content(:'doc'), 'ABone é 😀 three', 'so both edits are there again');
SELECT is(converge.undo_range(:'doc', 1, 4), 8::bigint, 'all of the range');
SELECT is(converge.content(:'doc'), 'one two 😀 three', 'is undone, redone or not');
SELECT is(converge.undo_last(:'doc'), NULL, 'nothing is left for undo_last');
SELECT throws_ok(format('SELECT converge.undo_range(%L, %s)', :'doc', range), code, NULL, range)
FROM (VALUES ('0, 1', '22003'), ('3, 2', '22003'), ('1, 99', 'OT007'), ('99, 99', 'OT007')) AS v (range, code);

-- undone ops and their undos in one range
SELECT pg_temp.edit_as('ann', :'doc', '["x"]') \g /dev/null
SELECT converge.undo_last(:'doc') \g /dev/null
SELECT is(converge.content(:'doc'), 'one two 😀 three', 'typed and undone');
SELECT is(converge.undo_range(:'doc', 9, 10), 10::bigint, 'a range of both is nothing');
SELECT is(converge.undo_range(:'doc', 9, 9), 10::bigint, 'nor is the first');
SELECT is(converge.undo_range(:'doc', 10, 10), 11::bigint, 'the second alone redoes');
SELECT is(converge.content(:'doc'), 'xone two 😀 three', 'it');

-- at random, against the algebra applied op by op
CREATE FUNCTION pg_temp.compare(seed float) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	doc CONSTANT uuid := gen_random_uuid();
	first int;
	last int;
	who text;
	op converge.op;
	length bigint;
	back converge.op := '[]';
	wanted text;
	made record;
BEGIN
	PERFORM setseed(seed), converge.create_document('', 'abcdé😀gh', doc);
	PERFORM converge.share(doc, 'ben', 'editor');
	FOR n IN 1..20 LOOP
		length := char_length(converge.content(doc));
		op := CASE WHEN random() < 0.6 OR length < 4 THEN converge.insert(floor(random() * (length + 1))::bigint, chr(96 + n) || 'é')
			ELSE converge.delete(floor(random() * (length - 3))::bigint, 1 + floor(random() * 3)::bigint) END;
		PERFORM pg_temp.edit_as(CASE WHEN random() < 0.5 THEN 'ann' ELSE 'ben' END, doc, op);
	END LOOP;
	first := 1 + floor(random() * 20);
	last := first + floor(random() * (21 - first));
	who := CASE WHEN random() < 0.7 THEN 'ben' END;
	FOR made IN SELECT * FROM converge.history(doc, first, 20) LOOP
		back := CASE WHEN made.version <= last AND (who IS NULL OR made.user_id = who)
			THEN converge.compose(converge.invert(made.op, converge.content_at(doc, made.version - 1)), back)
			ELSE converge.transform(back, made.op, 'left') END;
	END LOOP;
	wanted := converge.apply(converge.content(doc), back);
	IF random() < 0.5 THEN
		PERFORM converge.pack(doc, 7);
	END IF;
	PERFORM converge.undo_range(doc, first, last, who);
	RETURN CASE WHEN converge.content(doc) = wanted AND (last < 20 OR who IS NOT NULL OR wanted = converge.content_at(doc, first - 1)) THEN 'equal'
		ELSE format('%s to %s of %s: %s, not %s', first, last, who, converge.content(doc), wanted) END;
END
$$;
SELECT is(pg_temp.compare(seed / 1000.0), 'equal', 'undone as by the algebra, case ' || seed) FROM generate_series(1, 40) AS seed;

-- ---- a passage ----

\set text 'bac00000-0000-4000-8000-000000000002'
SELECT converge.create_document('', 'one two é 😀 three', :'text') \g /dev/null
SELECT is(converge.restore_text(:'text', 0, 4, 7), 0::bigint, 'a passage that is the same makes no version');
SELECT converge.edit(:'text', '[4, {"d": 3}, "2"]') \g /dev/null
SELECT converge.edit(:'text', '["zero "]') \g /dev/null
SELECT is(converge.restore_text(:'text', 0, 3, 8), 3::bigint, 'one that was replaced');
SELECT is(converge.content(:'text'), 'zero one two é 😀 three', 'is restored where it is now');
SELECT converge.edit(:'text', '[8, {"d": 14}]') \g /dev/null
SELECT is(converge.content(:'text'), 'zero one', 'all of it is deleted');
SELECT is(converge.restore_text(:'text', 0, 7, 12), 5::bigint, 'one that is gone');
SELECT is(converge.content(:'text'), 'zero one é 😀 ', 'comes back where it stood');
SELECT converge.set_content(:'text', 'zero ONE é 😀 ') \g /dev/null
SELECT is(converge.restore_text(:'text', 5, 5, 8), 7::bigint, 'a word in place of another');
SELECT is(converge.content(:'text'), 'zero one é 😀 ', 'and it alone');
SELECT is(converge.restore_text(:'text', 5, 9, 9), 7::bigint, 'an empty passage is always the same');
SELECT throws_ok(format('SELECT converge.restore_text(%L, %s)', :'text', passage), code, NULL, passage)
FROM (VALUES ('0, -1, 2', '22003'), ('0, 2, 1', '22003'), ('0, 0, 18', 'OT005'), ('99, 0, 1', 'OT007'), ('-1, 0, 1', 'OT007')) AS v (passage, code);
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', d), 'nothing came to harm') FROM unnest(ARRAY[:'doc', :'text']::uuid[]) AS d;

SELECT * FROM finish();
ROLLBACK;
