/*
 * upkeep/worker.h
 *		The maintenance worker.
 */
#ifndef CVG_WORKER_H
#define CVG_WORKER_H

/* Define its settings, and register it where the server is starting. */
extern void cvg_worker_init(void);

#endif							/* CVG_WORKER_H */
