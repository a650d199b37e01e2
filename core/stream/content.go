package stream

import (
	"bytes"
	"unicode/utf8"
)

// token is what the scanner was reading when the input ended.
type token uint8

const (
	text token = iota
	startTag
	endName // the name in an end tag
	endTail // white space and '>' after the name in an end tag
	cdata
)

// position is how far the current item has been read; offsets from its beginning.
type position struct {
	pos     int
	token   token
	matched int // bytes of an end tag's name
	seek    int // where the search for the end of a start tag continues; 0: not searching
	quote   byte
	body    int // where the item's content begins
	bodyEnd int

	elements int    // in this item so far
	attrs    int    // of all of them
	used     uint64 // bit k: the item uses base[k]
}

// scanFirst reads the input between first-level elements, up to the start of one or to the end of the stream.
func (s *Scanner) scanFirst() (done bool, err error) {
	if s.position.token == endName || s.position.token == endTail {
		return s.scanEnd()
	}
	if s.position.token == text {
		s.r += skipSpace(s.buf[s.r:s.w], 0)
		b := s.current()
		if len(b) == 0 {
			return false, nil
		}
		if b[0] != '<' {
			return false, s.strayError(b)
		}
		next, err := s.markup(b, 0)
		if err != nil || !next {
			return false, err
		}
		switch s.position.token {
		case cdata:
			return false, errText
		case endName:
			return s.scanEnd()
		}
	}
	s.phase = within
	return false, nil
}

// strayError returns the error for bytes where only markup is allowed.
func (s *Scanner) strayError(b []byte) error {
	if b[0] < ' ' {
		return errChar
	}
	if b[0] >= utf8.RuneSelf {
		if _, size, err := decodeNonASCII(b); err != nil {
			return err
		} else if size == 0 {
			return nil
		}
	}
	return errText
}

// scanEnd reads the end tag of the stream.
func (s *Scanner) scanEnd() (done bool, err error) {
	b := s.current()
	ok, err := s.endTag(b, []byte(s.root))
	if !ok || err != nil {
		return false, err
	}
	s.phase = closed
	s.item.Kind, s.item.Raw = Close, b[:s.position.pos]
	return true, nil
}

// scanElement continues reading a first-level element. It stops when bytes are missing.
func (s *Scanner) scanElement() (done bool, err error) {
	b := s.current()
	for {
		ok := true
		switch s.position.token {
		case text:
			ok, err = s.scanText(b)
		case startTag:
			ok, err = s.scanStart(b)
		case cdata:
			ok, err = s.scanCDATA(b)
		default:
			stack := s.work.stack
			top := stack[len(stack)-1]
			if ok, err = s.endTag(b, b[top.name:top.nameEnd]); ok && err == nil {
				s.leave(top)
			}
		}
		if !ok || err != nil {
			return false, err
		}
		if len(s.work.stack) == 0 {
			return true, s.finish(b)
		}
	}
}

// scanText reads character data up to the next markup.
func (s *Scanner) scanText(b []byte) (ok bool, err error) {
	i := s.position.pos
	for i < len(b) {
		c := b[i]
		if class[c]&inText != 0 {
			i++
			continue
		}
		size := 1
		switch {
		case c == '<':
			s.position.pos = i
			return s.markup(b, i)
		case c == '&':
			_, size, err = reference(b[i:])
		case c == '>':
			// i is at least 2, and both bytes are text: markup ends in '>'.
			if b[i-1] == ']' && b[i-2] == ']' {
				err = errCDATAEnd
			}
		case c >= utf8.RuneSelf:
			_, size, err = decodeNonASCII(b[i:])
		default:
			err = errChar
		}
		if err != nil {
			return false, err
		}
		if size == 0 {
			break
		}
		i += size
	}
	s.position.pos = i
	return false, nil
}

var cdataStart = []byte("<![CDATA[")

// markup decides what begins at b[i], which is '<', and moves the position behind it unless it is
// a start tag.
func (s *Scanner) markup(b []byte, i int) (ok bool, err error) {
	if i+1 >= len(b) {
		return false, nil
	}
	switch b[i+1] {
	case '/':
		s.position.token, s.position.pos, s.position.matched = endName, i+2, 0
		s.position.bodyEnd = i
	case '?':
		return false, errProcess
	case '!':
		n := min(len(b)-i, len(cdataStart))
		if !bytes.Equal(b[i:i+n], cdataStart[:n]) {
			return false, errMarkup
		}
		if n < len(cdataStart) {
			return false, nil
		}
		s.position.token, s.position.pos = cdata, i+n
	default:
		s.position.token = startTag
	}
	return true, nil
}

// scanStart reads the start tag that begins at pos. If it is not complete, its end
// is searched as bytes arrive, and only then is it read again.
func (s *Scanner) scanStart(b []byte) (ok bool, err error) {
	p := &s.position
	if p.seek > 0 && !s.seekEnd(b) {
		return false, nil
	}
	next, empty, err := s.startTag(b, p.pos)
	if err != nil {
		return false, err
	}
	if next == 0 {
		if p.seek == 0 {
			p.seek, p.quote = p.pos+1, 0
			s.seekEnd(b)
		}
		return false, nil
	}
	if len(s.work.stack) == 1 && p.body == 0 {
		p.body, p.bodyEnd = next, next
	}
	p.pos, p.token, p.seek = next, text, 0
	if empty {
		s.leave(s.work.stack[len(s.work.stack)-1])
	}
	return true, nil
}

// leave removes the innermost element, which is e, and its namespace declarations from the stack.
// What the first-level element declared stays valid as long as the item.
func (s *Scanner) leave(e open) {
	w := s.work
	w.stack = w.stack[:len(w.stack)-1]
	w.binds = w.binds[:e.binds]
	if len(w.stack) > 0 {
		w.arena = w.arena[:e.arena]
	}
}

// seekEnd continues the search for the '>' that ends a start tag, or for a '<', which is not allowed
// in a tag, quoted or not (XML 1.0 §3.1).
func (s *Scanner) seekEnd(b []byte) bool {
	p := &s.position
	for ; p.seek < len(b); p.seek++ {
		switch c := b[p.seek]; {
		case c == '<':
			return true
		case p.quote != 0:
			if c == p.quote {
				p.quote = 0
			}
		case c == '"' || c == '\'':
			p.quote = c
		case c == '>':
			p.seek++
			return true
		}
	}
	return false
}

// endTag reads an end tag after "</".
func (s *Scanner) endTag(b, name []byte) (ok bool, err error) {
	p := &s.position
	if p.token == endName {
		rest := name[p.matched:]
		n := min(len(rest), len(b)-p.pos)
		if !bytes.Equal(rest[:n], b[p.pos:p.pos+n]) {
			return false, errEndTag
		}
		p.pos, p.matched = p.pos+n, p.matched+n
		if n < len(rest) {
			return false, nil
		}
		p.token = endTail
	}
	if p.pos = skipSpace(b, p.pos); p.pos == len(b) {
		return false, nil
	}
	if b[p.pos] != '>' {
		return false, errEndTag
	}
	p.pos++
	p.token = text
	return true, nil
}

// scanCDATA reads a CDATA section up to its end.
func (s *Scanner) scanCDATA(b []byte) (ok bool, err error) {
	i := s.position.pos
	for i < len(b) {
		c := b[i]
		switch {
		case class[c]&inCDATA != 0:
			i++
		case c == ']':
			if i+2 >= len(b) {
				s.position.pos = i
				return false, nil
			}
			if b[i+1] == ']' && b[i+2] == '>' {
				s.position.pos, s.position.token = i+3, text
				return true, nil
			}
			i++
		case c >= utf8.RuneSelf:
			_, size, err := decodeNonASCII(b[i:])
			if err != nil {
				return false, err
			}
			if size == 0 {
				s.position.pos = i
				return false, nil
			}
			i += size
		default:
			return false, errChar
		}
	}
	s.position.pos = i
	return false, nil
}

// finalError returns the error for an item that will never be complete: err, unless the part of a start tag
// that has arrived is wrong in itself.
func (s *Scanner) finalError(err error) error {
	if s.work != nil && s.position.token == startTag && s.position.seek > 0 {
		if _, _, bad := s.startTag(s.current(), s.position.pos); bad != nil {
			return bad
		}
	}
	return err
}

// finish fills in the item when its element is complete.
func (s *Scanner) finish(b []byte) error {
	it := &s.item
	it.Kind, it.Raw, it.Inner = Element, b[:s.position.pos], b[s.position.body:s.position.bodyEnd]
	it.attrs = s.work.top
	if s.phase == within {
		s.phase = between
	}
	return it.checkLang()
}
