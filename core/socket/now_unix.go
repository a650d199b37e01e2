//go:build unix && (!linux || race)

package socket

import (
	"errors"
	"syscall"
)

// readNow gives what the socket has, EAGAIN where that is nothing.
func readNow(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if !errors.Is(err, syscall.EINTR) {
			return max(n, 0), err
		}
	}
}

// writeNow writes what the socket takes, EAGAIN where that is nothing.
func writeNow(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
