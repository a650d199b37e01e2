//go:build !race

package socket

import (
	"syscall"
	"unsafe"
)

// The sockets are in non-blocking mode, so RawSyscall may be used: syscall.Read and syscall.Write notify Go's
// scheduler of each call. In a server with little load that wakes the scheduler's monitor thread,
// which costs more than the call.

// readNow reads the bytes that have arrived, EAGAIN if there are none. p is not empty.
func readNow(fd uintptr, p []byte) (int, error) {
	for {
		n, _, e := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch e {
		case 0:
			return int(n), nil
		case syscall.EAGAIN:
			return 0, syscall.EAGAIN
		case syscall.EINTR:
		default:
			return 0, e
		}
	}
}

// writeNow writes as much as the socket accepts, EAGAIN if that is nothing. p is not empty.
func writeNow(fd uintptr, p []byte) (int, error) {
	n, _, e := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	switch e {
	case 0:
		return int(n), nil
	case syscall.EAGAIN:
		return 0, syscall.EAGAIN
	}
	return 0, e
}
