/*
 * base/version.h: the relay's version; the Makefile hands the project's in.
 */
#ifndef RELAY_VERSION_H
#define RELAY_VERSION_H

#ifndef RELAY_VERSION
#define RELAY_VERSION "1.0"
#endif

#endif							/* RELAY_VERSION_H */
