//go:build unix

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

func (s *rawSocket) open() {
	c, ok := s.Conn.(syscall.Conn)
	if !ok {
		return
	}
	if fd, err := c.SyscallConn(); err == nil {
		s.fd = fd
		s.put = func(fd uintptr) bool {
			s.n, s.fail = writeNow(fd, s.out)
			return true // whatever came of it: do not wait
		}
		s.get = func(fd uintptr) bool {
			s.got, s.bad = readNow(fd, s.in)
			return s.bad != syscall.EAGAIN // which is: wait, and try again
		}
	}
}

// push writes what of p the socket takes at once. The lock is held.
func (s *rawSocket) push(p []byte) (n int, err error) {
	for n < len(p) {
		s.out, s.n, s.fail = p[n:], 0, nil
		err := s.fd.Write(s.put)
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

// Read waits for bytes and gives those that are there. It is for one goroutine.
func (s *rawSocket) Read(p []byte) (int, error) {
	if s.fd == nil || len(p) == 0 {
		return s.Conn.Read(p)
	}
	s.in = p
	err := s.fd.Read(s.get)
	s.in = nil
	switch {
	case err != nil:
		return 0, err
	case s.bad != nil:
		return 0, &net.OpError{
			Op: "read", Net: s.LocalAddr().Network(), Source: s.LocalAddr(), Addr: s.RemoteAddr(),
			Err: os.NewSyscallError("read", s.bad),
		}
	case s.got == 0:
		return 0, io.EOF
	}
	return s.got, nil
}
