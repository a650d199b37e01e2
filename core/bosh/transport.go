package bosh

import (
	"bytes"
	"io"
	"net"
	"os"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

const (
	// inputBytes may wait for the stream; with more, requests are not answered, so that the client waits.
	inputBytes = 64 << 10
	// emptyBytes are what a request without elements counts.
	emptyBytes = 128
	// outputBytes may wait for a request; with more, the writer waits.
	outputBytes = 256 << 10
)

// input is what the stream has not read.
type input struct {
	frames   [][]byte // nil: a request without elements
	bytes    int
	max      int // bytes of an element
	deadline time.Time
	wake     chan struct{}
	closed   bool // the client has ended the stream, or this server has and need not wait for the client
	err      error
}

func (in *input) push(frame []byte) {
	in.frames, in.bytes = append(in.frames, frame), in.bytes+max(len(frame), emptyBytes)
	in.signal()
}

// close makes the stream end as if the client had ended it.
func (in *input) close() {
	if !in.closed {
		in.closed = true
		in.push(stream.AppendCloseFramed(nil, ""))
	}
}

// end makes reading fail: the client is gone.
func (in *input) end() {
	in.err = io.ErrUnexpectedEOF
	in.signal()
}

func (in *input) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// forward gives the stream what a request has.
func (s *Session) forward(r *Request) {
	if s.in.closed {
		return
	}
	if r.RID == s.order.first || r.Restart { // XEP-0206 §4, §5: the elements of a restart are ignored
		h := stream.Header{To: r.To, Lang: r.Lang, Version: "1.0"}
		s.in.push(h.AppendFramed(nil))
	} else {
		for _, p := range r.payloads {
			s.in.push(p)
		}
	}
	switch {
	case r.Terminate:
		s.in.close()
	case len(r.payloads) == 0:
		s.in.push(nil)
	}
}

// SetMaxFrame limits the bytes of an element.
func (s *Session) SetMaxFrame(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in.max = n
}

// HasFrame reports whether ReadFrame would return without waiting.
func (s *Session) HasFrame() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.in.frames) > 0
}

// ReadFrame implements stream.FrameTransport.
func (s *Session) ReadFrame() ([]byte, error) {
	for {
		frame, ready, err := s.next()
		if ready {
			return frame, err
		}
		s.mu.Lock()
		deadline := s.in.deadline
		s.mu.Unlock()
		if wait(s.in.wake, deadline) {
			return nil, os.ErrDeadlineExceeded
		}
	}
}

// wait waits for a signal, until a deadline if there is one.
func wait(signal <-chan struct{}, deadline time.Time) (late bool) {
	if deadline.IsZero() {
		<-signal
		return false
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-signal:
		return false
	case <-timer.C:
		return true
	}
}

func (s *Session) next() (frame []byte, ready bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := &s.in
	switch {
	case !in.deadline.IsZero() && !time.Now().Before(in.deadline):
		return nil, true, os.ErrDeadlineExceeded
	case len(in.frames) == 0:
		return nil, in.err != nil, in.err
	}
	frame, in.frames = in.frames[0], in.frames[1:]
	was := s.blocked()
	in.bytes -= max(len(frame), emptyBytes)
	if was && !s.blocked() {
		s.settle()
	}
	if len(frame) > in.max {
		return nil, true, stream.ErrTooBig
	}
	return frame, true, nil
}

// SetReadDeadline implements stream.FrameTransport.
func (s *Session) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in.deadline = t
	s.in.signal()
	return nil
}

// output is what no request has taken away.
type output struct {
	payloads []byte
	header   *stream.Header // that no answer has told
	created  bool           // the next answer is the first one
	deadline time.Time
	room     chan struct{}
}

func (o *output) take() []byte {
	b := o.payloads
	o.payloads = nil
	o.signal()
	return b
}

func (o *output) signal() {
	select {
	case o.room <- struct{}{}:
	default:
	}
}

// CanTry, TryWriteFrames and Drain make the session an outbound.FrameSocket: writing needs no goroutine.
func (s *Session) CanTry() bool { return true }

// TryWriteFrames takes the frames. more means that the next ones must wait for Drain.
func (s *Session) TryWriteFrames(p []byte, ends []int) (more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.final || s.over {
		return false, net.ErrClosed
	}
	from := 0
	for _, end := range ends {
		if err := s.put(p[from:end]); err != nil {
			return false, err
		}
		from = end
	}
	s.settle()
	return len(s.out.payloads) > outputBytes, nil
}

var (
	openTag  = []byte("<open xmlns='" + stream.NSFraming + "'")
	closeTag = []byte("<close xmlns='" + stream.NSFraming + "'")
	errorTag = []byte("<stream:error")
)

// put takes one frame that the stream writes.
func (s *Session) put(frame []byte) error {
	switch {
	case bytes.HasPrefix(frame, openTag):
		it, err := stream.NewFramed(stanza.NSClient, stream.Limits{}).Frame(frame)
		if err != nil {
			return err
		}
		s.out.header = it.Header
	case bytes.HasPrefix(frame, closeTag):
		s.over = true
		s.in.close()
	default:
		if bytes.HasPrefix(frame, errorTag) {
			s.why = RemoteStreamError
		}
		s.out.payloads = append(s.out.payloads, frame...)
	}
	return nil
}

// Drain waits until there is room for more.
func (s *Session) Drain() error {
	for {
		s.mu.Lock()
		full, ended, deadline := len(s.out.payloads) > outputBytes, s.final, s.out.deadline
		s.mu.Unlock()
		switch {
		case ended:
			return net.ErrClosed
		case !full:
			return nil
		}
		if wait(s.out.room, deadline) {
			return os.ErrDeadlineExceeded
		}
	}
}

// WriteFrames implements stream.FrameTransport.
func (s *Session) WriteFrames(p []byte, ends []int) error {
	more, err := s.TryWriteFrames(p, ends)
	if err == nil && more {
		err = s.Drain()
	}
	return err
}

// SetWriteDeadline implements stream.FrameTransport.
func (s *Session) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.deadline = t
	return nil
}

// Close implements stream.FrameTransport. What is written may still be fetched, for as long as a client may be without a request.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over, s.why = true, lostConnection
	}
	s.in.end()
	s.out.signal()
	s.settle()
	return nil
}
