/*
 * server/progress.c: checks whether the peer of a socket reads what was written
 * to it.
 *
 * TCP counts the bytes that the peer has acknowledged, whatever is in between:
 * TLS, a slow network, megabytes in the kernel. If no data waits in front of a
 * ping, the kernel of a hanging program acknowledges it, too; so the count proves
 * progress only if more than a ping was waiting.
 */
#include "server/progress.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* what is written beside messages: a ping, in a record of TLS, and an alert behind it */
#define SMALL_BYTES 128

bool
progress_look(struct progress *progress, int fd, bool more)
{
	struct tcp_info info;
	socklen_t	len = sizeof(info);
	int			queued = 0;
	bool		took;

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 || ioctl(fd, SIOCOUTQ, &queued) != 0)
		return false;
	took = progress->waited && info.tcpi_bytes_acked > progress->taken_bytes;
	progress->taken_bytes = info.tcpi_bytes_acked;
	progress->waited = more || queued > SMALL_BYTES;
	return took;
}
