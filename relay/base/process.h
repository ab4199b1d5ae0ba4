/*
 * base/process.h: resources that the process uses, under Prometheus's standard names.
 */
#ifndef RELAY_PROCESS_H
#define RELAY_PROCESS_H

#include "base/mem.h"

void		process_write(struct buf *out);

#endif							/* RELAY_PROCESS_H */
