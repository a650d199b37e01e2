package stream

import (
	"io"
	"sync"
)

// phase is the part of the stream that the scanner reads.
type phase uint8

const (
	prolog  phase = iota // before the stream header
	between              // between first-level elements
	within               // in a first-level element
	closed               // after the end of the stream
)

// Scanner reads one XML stream. It calls its reader only when it holds no further
// complete item, so the reader's Read is the position to flush what earlier items caused.
type Scanner struct {
	content string // the content namespace that the stream must have
	limits  Limits
	framed  bool

	buffer
	streamScope

	phase   phase
	fresh   bool // an XML declaration is allowed next
	restart bool // white space before the header belongs to the stream before
	err     error

	work     *work
	position position
	item     Item
	given    bool // Next has returned it
}

// buffer is the input of a Scanner.
type buffer struct {
	src   io.Reader
	buf   []byte
	r, w  int     // what is buffered from the beginning of the current item on
	small []byte  // the buffer of an idle scanner
	big   *[]byte // from the pool, if buf is borrowed
	full  bool    // the last read filled the buffer, so more has arrived: borrow a big one
}

// streamScope is what the stream header declared.
type streamScope struct {
	root string    // the name in the start tag, with its prefix, for comparison with the end tag
	base []binding // prefixes
	def  []byte    // the default namespace
	head *Header
}

var bigBuffers = sync.Pool{New: func() any { b := make([]byte, readBuffer); return &b }}

// NewScanner reads a stream whose stanzas are in the content namespace: stanza.NSClient,
// NSServer or NSComponent.
func NewScanner(r io.Reader, content string, limits Limits) *Scanner {
	s := &Scanner{content: content, limits: limits.filled()}
	s.begin(r, false)
	return s
}

// SetLimits changes the limits from the next item on: after login, for instance.
func (s *Scanner) SetLimits(l Limits) { s.limits = l.filled() }

// Header returns the header of the stream as far as it could be parsed, even if Next
// returned an error about it; nil before there is one.
func (s *Scanner) Header() *Header { return s.head }

// Buffered returns how many bytes have been read beyond the item that Next returned last.
func (s *Scanner) Buffered() int {
	if s.given {
		return s.w - s.r - s.position.pos
	}
	return s.w - s.r
}

// Restart expects a new stream header from the same reader and keeps the buffered bytes:
// after SASL, as clients may pipeline. The item that Next returned last becomes invalid.
func (s *Scanner) Restart() {
	s.begin(s.src, true)
}

// Reset expects a new stream from r. What is buffered is discarded with all that
// is known of the old stream: after STARTTLS (RFC 6120 §5.4.3.3), or to use a Scanner again.
func (s *Scanner) Reset(r io.Reader) {
	s.begin(r, false)
	s.r, s.w = 0, 0
	s.release()
}

func (s *Scanner) begin(r io.Reader, restart bool) {
	s.advance()
	s.src, s.restart, s.fresh, s.phase, s.err = r, restart, true, prolog, nil
	s.streamScope = streamScope{}
}

// Next returns the next item. It is valid until the following call. A *Error is what to
// send to the peer before the stream is closed; io.EOF is the end of the connection between
// items, io.ErrUnexpectedEOF within one. Errors of the reader are returned as they are,
// and after those, such as a deadline, Next may be called again.
func (s *Scanner) Next() (*Item, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.given {
		s.advance()
	}
	for {
		if s.r < s.w {
			done, err := s.scan()
			if done && err == nil {
				s.given = true
				return &s.item, nil
			}
			if err == nil && s.w-s.r >= s.limits.Bytes {
				err = s.finalError(errTooBig)
			}
			if err != nil {
				return nil, s.fail(err)
			}
		}
		switch err := s.fill(); err {
		case nil:
		case io.EOF:
			if s.r < s.w || s.phase == within {
				err = s.finalError(io.ErrUnexpectedEOF)
			}
			return nil, s.fail(err)
		default:
			return nil, err
		}
	}
}

func (s *Scanner) fail(err error) error {
	s.err = err
	s.position, s.given = position{}, false
	s.r, s.w = 0, 0
	s.release()
	return err
}

// advance discards the item that Next returned last, or the state of an incomplete one.
func (s *Scanner) advance() {
	if s.given {
		s.r += s.position.pos
	}
	s.given = false
	s.position = position{}
	s.item = Item{s: s}
	if s.work != nil {
		s.work.reset()
	}
}

// current returns the part of the current item that may be read: what has arrived, up to the limit of bytes.
func (s *Scanner) current() []byte {
	return s.buf[s.r:min(s.w, s.r+s.limits.Bytes)]
}

func (s *Scanner) scan() (done bool, err error) {
	if s.work == nil {
		s.work = workPool.Get().(*work)
	}
	switch s.phase {
	case prolog:
		return s.scanHeader()
	case between:
		if done, err = s.scanFirst(); done || err != nil || s.phase != within {
			return done, err
		}
		return s.scanElement()
	case within:
		return s.scanElement()
	}
	s.r = s.w // nothing is read after the end
	return false, nil
}

// fill reads once. It makes room first, and before a wait with an empty buffer it
// returns what it borrowed.
func (s *Scanner) fill() error {
	if s.r == s.w {
		s.r, s.w = 0, 0
		if !s.full || s.big == nil {
			s.release()
			if s.small == nil {
				s.small = make([]byte, smallBuffer)
			}
			s.buf = s.small
		}
	}
	if s.full && len(s.buf) < readBuffer || s.w == len(s.buf) {
		s.makeRoom()
	}
	for range 100 {
		n, err := s.src.Read(s.buf[s.w:])
		s.w += n
		if n > 0 {
			s.full = s.w == len(s.buf)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// makeRoom moves the current item to the front of the buffer, or into a bigger one.
func (s *Scanner) makeRoom() {
	have := s.w - s.r
	if s.r > 0 && have <= len(s.buf)/2 && len(s.buf) >= readBuffer {
		copy(s.buf, s.buf[s.r:s.w])
		s.r, s.w = 0, have
		return
	}
	var big *[]byte
	var next []byte
	if size := 2 * have; size <= readBuffer {
		big = bigBuffers.Get().(*[]byte)
		next = *big
	} else {
		next = make([]byte, min(size, s.limits.Bytes+readBuffer))
	}
	copy(next, s.buf[s.r:s.w])
	s.returnBuffer()
	s.buf, s.big, s.r, s.w = next, big, 0, have
}

// release returns to the pools what a waiting scanner does not need.
func (s *Scanner) release() {
	if s.work != nil {
		w := s.work
		s.work = nil
		w.reset()
		if cap(w.arena) <= readBuffer && cap(w.drops) <= 256 {
			workPool.Put(w)
		}
	}
	s.returnBuffer()
}

// rest frees the buffer, unless there is an incomplete item in it.
func (s *Scanner) rest() {
	if s.r == s.w {
		s.release()
		s.small = nil
	}
}

func (s *Scanner) returnBuffer() {
	if s.big != nil {
		bigBuffers.Put(s.big)
	}
	s.buf, s.big = nil, nil
}
