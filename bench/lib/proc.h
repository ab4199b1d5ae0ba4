/*
 * lib/proc.h
 *		Programs started and stopped; the CPU and the memory they use.
 */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <stdbool.h>
#include <sys/types.h>

/* A free TCP port of 127.0.0.1, as of now. */
extern int	proc_free_port(void);

/* Start a program with its output appended to a file. */
extern pid_t proc_start(char *const argv[], const char *log_file);

/* End it by SIGTERM and wait; gives up if it had ended by itself. */
extern void proc_stop(pid_t pid, const char *name);

/* Let this process and those it starts have so many open files, if that may be. */
extern bool proc_allow_files(long files);

/* End it as a crash would, and wait. */
extern void proc_kill(pid_t pid);

/* Bytes of a process: resident, and its share of what it shares with others. */
typedef struct ProcMemory
{
	double		rss;
	double		pss;
} ProcMemory;

extern ProcMemory proc_memory(pid_t pid);

/* CPU seconds a process has used. */
extern double proc_cpu(pid_t pid);

/* ... and it and all its children, living and gone: a whole PostgreSQL. */
extern double proc_cpu_family(pid_t pid);

/* ... and this process. */
extern double proc_cpu_own(void);

/* The parent of a process. */
extern pid_t proc_parent(pid_t pid);

#endif							/* BENCH_PROC_H */
