//go:build unix

package stream

import (
	"errors"
	"syscall"
)

func (s *socket) open() {
	c, ok := s.Conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := c.SyscallConn(); err == nil {
		s.raw = raw
		s.put = func(fd uintptr) bool {
			s.n, s.fail = syscall.Write(int(fd), s.out)
			return true // whatever came of it: do not wait
		}
	}
}

// push writes what of p the socket takes at once. The lock is held.
func (s *socket) push(p []byte) (n int, err error) {
	for n < len(p) {
		s.out, s.n, s.fail = p[n:], 0, nil
		err := s.raw.Write(s.put)
		s.out = nil
		if err != nil {
			return n, err
		}
		n += max(s.n, 0)
		switch {
		case errors.Is(s.fail, syscall.EAGAIN):
			return n, nil
		case errors.Is(s.fail, syscall.EINTR):
		case s.fail != nil:
			return n, s.fail
		}
	}
	return n, nil
}
