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
			s.putN, s.putErr = writeNow(fd, s.out)
			return true // also after an error: do not wait until the socket is writable
		}
		s.get = func(fd uintptr) bool {
			s.getN, s.getErr = readNow(fd, s.in)
			return s.getErr != syscall.EAGAIN // false: wait until the socket is readable, and try again
		}
	}
}

// push writes as much of p as the socket accepts without blocking. The caller holds mu.
func (s *rawSocket) push(p []byte) (n int, err error) {
	for n < len(p) {
		s.out, s.putN, s.putErr = p[n:], 0, nil
		err := s.fd.Write(s.put)
		s.out = nil
		if err != nil {
			return n, err
		}
		n += max(s.putN, 0)
		switch {
		case errors.Is(s.putErr, syscall.EAGAIN):
			return n, nil
		case errors.Is(s.putErr, syscall.EINTR):
		case s.putErr != nil:
			return n, s.putErr
		}
	}
	return n, nil
}

// Read blocks until there are bytes and returns those that have arrived. Only one goroutine may call it.
func (s *rawSocket) Read(p []byte) (int, error) {
	if s.fd == nil || len(p) == 0 {
		return s.Conn.Read(p)
	}
	s.in = p
	err := s.fd.Read(s.get)
	s.in = nil
	if err == nil {
		err = s.readError(s.getN, s.getErr)
	}
	if err != nil {
		return 0, err
	}
	return s.getN, nil
}

// readError returns the error of a read system call as package net does.
func (s *rawSocket) readError(n int, err error) error {
	switch {
	case err != nil:
		return &net.OpError{
			Op: "read", Net: s.LocalAddr().Network(), Source: s.LocalAddr(), Addr: s.RemoteAddr(),
			Err: os.NewSyscallError("read", err),
		}
	case n == 0:
		return io.EOF
	}
	return nil
}

// open makes staged reading possible.
func (s *stagedSocket) open() {
	s.get = func(fd uintptr) bool {
		b := inputBuffers.Get().(*[]byte)
		s.end, s.getErr = readNow(fd, *b)
		if s.end == 0 {
			inputBuffers.Put(b)
			return s.getErr != syscall.EAGAIN
		}
		s.buf = b
		return true
	}
}

// wait blocks until input or an error has arrived.
func (s *stagedSocket) wait() {
	if s.err = s.fd.Read(s.get); s.err == nil {
		s.err = s.readError(s.end, s.getErr)
	}
}
