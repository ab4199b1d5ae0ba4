/*
 * past/slide.h
 *		Choosing, among the shortest differences, the one that people expect.
 */
#ifndef CONVERGE_SLIDE_H
#define CONVERGE_SLIDE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Move the runs of a sequence that are changed, where nothing is changed at that place
 * in the other one, so that they begin behind a line feed or a space if they may:
 * "Add [some ]salt", not "Add s[ome s]alt".  Elements are code points as bytes.
 */
extern void slide_runs(const uint32_t *points, bool *changed, int32_t count,
					   const bool *other_changed, int32_t other_count);

#endif							/* CONVERGE_SLIDE_H */
