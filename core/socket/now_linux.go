//go:build !race

package socket

import (
	"syscall"
	"unsafe"
)

// The sockets that these are for do not block, so that there is no need to tell Go's scheduler
// of the calls, as package syscall does: in a server with little to do that wakes a thread
// which watches for calls that take long, and costs more than the call.

// readNow gives what the socket has, EAGAIN where that is nothing. p is not empty.
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

// writeNow writes what the socket takes, EAGAIN where that is nothing. p is not empty.
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
