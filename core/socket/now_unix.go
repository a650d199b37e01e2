//go:build unix && (!linux || race)

package socket

import (
	"errors"
	"syscall"
)

// readNow reads the bytes that have arrived, EAGAIN if there are none.
func readNow(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if !errors.Is(err, syscall.EINTR) {
			return max(n, 0), err
		}
	}
}

// writeNow writes as much as the socket accepts, EAGAIN if that is nothing.
func writeNow(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
