package stream

// NewFramed makes a Scanner for a stream that comes as one element per frame
// (RFC 7395 §3.3.3). Its input comes from Frame; Next is not for it.
func NewFramed(content string, limits Limits) *Scanner {
	s := NewScanner(nil, content, limits)
	s.framed = true
	return s
}

// Frame reads one frame, which must stay unchanged until the following call. The element
// open is returned as Open, close as Close with its attributes.
func (s *Scanner) Frame(data []byte) (*Item, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.advance()
	s.buf, s.r, s.w, s.phase, s.fresh = data, 0, len(data), prolog, true
	done, err := false, error(nil)
	if len(data) > 0 {
		done, err = s.scan()
	}
	switch {
	case err != nil:
	case !done && len(data)-s.r > s.limits.Bytes:
		err = s.finalError(errTooBig)
	case !done:
		err = s.finalError(errFrame)
	case skipSpace(data, s.r+s.position.pos) != len(data):
		err = errAfter
	default:
		err = s.frameKind()
	}
	if err != nil {
		s.buf = nil
		return nil, s.fail(err)
	}
	s.given = true
	return &s.item, nil
}

// frameKind recognises the frames that open and close the stream.
func (s *Scanner) frameKind() error {
	it := &s.item
	local := string(it.Local())
	if string(it.space) != NSFraming {
		if local == "open" && isContent(it.space) {
			return errStreamNS // RFC 7395 §3.3.2
		}
		return nil
	}
	switch local {
	case "open":
		h := &Header{
			Content: s.content, To: it.Attr("to"), From: it.Attr("from"), ID: it.Attr("id"),
			Version: it.Attr("version"), Lang: it.Lang(),
		}
		it.Kind, it.Header, s.head = Open, h, h
	case "close":
		it.Kind = Close
	default:
		return errRoot
	}
	return nil
}

// Idle drops the current item and returns all memory that is borrowed. A framed Scanner does not read
// itself and so cannot know when its peer is silent.
func (s *Scanner) Idle() {
	s.advance()
	s.release()
}
