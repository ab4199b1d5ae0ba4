/*
 * proc.h
 *		Programs started and stopped, and the CPU they used.
 */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <sys/types.h>

/* A free TCP port of 127.0.0.1, as of now. */
extern int	proc_free_port(void);

/* Start a program with its output appended to a file. */
extern pid_t proc_start(char *const argv[], const char *log_file);

/* End it by SIGTERM and wait; gives up if it had ended by itself. */
extern void proc_stop(pid_t pid, const char *name);

/* CPU seconds a process has used. */
extern double proc_cpu(pid_t pid);

/* ... and it and all its children, living and gone: a whole PostgreSQL. */
extern double proc_cpu_family(pid_t pid);

/* ... and this process. */
extern double proc_cpu_own(void);

/* The parent of a process. */
extern pid_t proc_parent(pid_t pid);

#endif							/* BENCH_PROC_H */
