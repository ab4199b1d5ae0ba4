/*
 * server/progress.c: whether the peer of a socket takes what was written to it.
 *
 * TCP counts the bytes that the peer has acknowledged, whatever lies between: TLS,
 * a slow line, megabytes in the kernel. A ping that no data waits behind is
 * acknowledged by the kernel of a program that hangs, too: so the count says
 * something only where more than that was waiting.
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
