/*
 * fuzz.h
 *		What the fuzz targets share with whoever drives them: libFuzzer, or fuzz-main.c
 *		where there is none.
 */
#ifndef CONVERGE_TEST_FUZZ_H
#define CONVERGE_TEST_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "../../src/ot/ot.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the core; breaking it ends the program, as a fuzzer expects. */
#define PROMISE(condition) \
	do \
	{ \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

#endif							/* CONVERGE_TEST_FUZZ_H */
