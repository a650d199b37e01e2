package socket

import (
	"crypto/tls"
	"sync"
)

// inputSize is the size of a buffer for input of the TLS layer: about one full record.
const inputSize = 16 << 10

var inputBuffers = sync.Pool{New: func() any { b := make([]byte, inputSize); return &b }}

// errNoInput tells the TLS layer that no more input has arrived. It is temporary: after any other error
// crypto/tls does not read again.
var errNoInput error = noInput{}

type noInput struct{}

func (noInput) Error() string   { return "no input has arrived" }
func (noInput) Timeout() bool   { return false }
func (noInput) Temporary() bool { return true }

// stagedSocket is the socket below the TLS layer. After the handshake its Read never waits: Conn.Read calls wait
// while the TLS layer is not on the stack. Otherwise the stack of each idle connection would be twice as large, and
// would hold a buffer. Only the reading goroutine uses it.
type stagedSocket struct {
	*rawSocket
	on bool // Read does not wait

	buf     *[]byte // input that wait has read, from the pool; nil if there is none
	at, end int     // what of buf is unread
	err     error   // of wait; returned after the input

	get    func(fd uintptr) bool // nil if there are no non-blocking reads
	getErr error                 // of get
}

func newStagedSocket(raw *rawSocket) *stagedSocket {
	s := &stagedSocket{rawSocket: raw}
	if raw.fd != nil {
		s.open()
	}
	return s
}

// below returns the socket below a TLS layer.
func below(t *tls.Conn) *stagedSocket { return t.NetConn().(*stagedSocket) }

// begin ends the reads that wait.
func (s *stagedSocket) begin() { s.on = s.get != nil }

func (s *stagedSocket) Read(p []byte) (n int, err error) {
	switch {
	case !s.on:
		return s.rawSocket.Read(p)
	case s.buf != nil:
		n = copy(p, (*s.buf)[s.at:s.end])
		if s.at += n; s.at == s.end {
			inputBuffers.Put(s.buf)
			s.buf, s.at, s.end = nil, 0, 0
		}
		return n, nil
	case s.err != nil:
		err, s.err = s.err, nil
		return 0, err
	}
	return 0, errNoInput
}
