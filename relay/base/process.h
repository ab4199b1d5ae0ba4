/*
 * base/process.h: what the process itself uses, under Prometheus' usual names.
 */
#ifndef RELAY_PROCESS_H
#define RELAY_PROCESS_H

#include "base/mem.h"

void		process_write(struct buf *out);

#endif							/* RELAY_PROCESS_H */
