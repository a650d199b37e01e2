package stream

import (
	"bytes"
	"strings"
)

// scanHeader reads what comes before the first element: the XML declaration, white
// space, and the stream's start tag.
func (s *Scanner) scanHeader() (done bool, err error) {
	if s.position.token == text {
		if ready, err := s.scanProlog(); !ready || err != nil {
			return false, err
		}
		s.position.token = startTag
	}
	if s.framed {
		s.phase = within
		return s.scanElement()
	}
	b := s.current()
	ok, err := s.scanStart(b)
	if !ok || err != nil {
		return false, err
	}
	s.item.Kind, s.item.Raw, s.item.attrs = Open, b[:s.position.pos], s.work.top
	return true, s.open()
}

// scanProlog moves to the '<' of the first start tag.
func (s *Scanner) scanProlog() (ready bool, err error) {
	if s.restart && s.fresh && !s.framed {
		s.r += skipSpace(s.buf[s.r:s.w], 0)
	}
	if b := s.current(); s.fresh && len(b) > 0 && b[0] == '<' {
		if len(b) < 2 {
			return false, nil
		}
		if b[1] == '?' {
			n, err := xmlDecl(b)
			if err != nil || n == 0 {
				return false, err
			}
			s.r += n
		}
		s.fresh = false
	}
	if n := skipSpace(s.buf[s.r:s.w], 0); n > 0 && (!s.framed || !s.fresh) {
		s.r += n
		s.fresh = false
	}
	b := s.current()
	switch {
	case len(b) == 0:
		return false, nil
	case b[0] == 0xFE || b[0] == 0xFF || b[0] == 0:
		return false, errEncoding // UTF-16 or UTF-32
	case b[0] != '<':
		return false, errOutside // also for a byte order mark; RFC 6120 §11.6, RFC 7395 §3.3.3
	case len(b) < 2:
		return false, nil
	}
	switch b[1] {
	case '?':
		return false, errProcess
	case '!':
		return false, errMarkup
	}
	return true, nil
}

// xmlDecl returns the length of the XML declaration that begins b; 0 if it is incomplete.
// XML 1.0 §2.8, RFC 6120 §11.5.
func xmlDecl(b []byte) (int, error) {
	const start = "<?xml"
	n := min(len(b), len(start))
	if string(b[:n]) != start[:n] {
		return 0, errProcess
	}
	if len(b) <= len(start) {
		return 0, nil
	}
	if class[b[len(start)]]&space == 0 {
		return 0, errProcess
	}
	end := bytes.Index(b[:min(len(b), maxDecl)], []byte("?>"))
	if end < 0 {
		if len(b) >= maxDecl {
			return 0, errDecl
		}
		return 0, nil
	}
	rest := string(b[len(start):end])
	version, rest, ok := pseudoAttr(rest, "version")
	if !ok || version != "1.0" {
		return 0, errDecl
	}
	if encoding, after, ok := pseudoAttr(rest, "encoding"); ok {
		if !strings.EqualFold(encoding, "UTF-8") {
			return 0, errEncoding
		}
		rest = after
	}
	if alone, after, ok := pseudoAttr(rest, "standalone"); ok {
		if alone != "yes" && alone != "no" {
			return 0, errDecl
		}
		rest = after // has no meaning without a document type
	}
	if strings.Trim(rest, " \t\r\n") != "" {
		return 0, errDecl
	}
	return end + 2, nil
}

// pseudoAttr reads one name='value' of the declaration with the white space before it.
func pseudoAttr(s, name string) (value, rest string, ok bool) {
	t := strings.TrimLeft(s, " \t\r\n")
	if len(t) == len(s) {
		return "", s, false
	}
	if t, ok = strings.CutPrefix(t, name); !ok {
		return "", s, false
	}
	t = strings.TrimLeft(t, " \t\r\n")
	if t, ok = strings.CutPrefix(t, "="); !ok {
		return "", s, false
	}
	t = strings.TrimLeft(t, " \t\r\n")
	if t == "" || t[0] != '\'' && t[0] != '"' {
		return "", s, false
	}
	value, rest, ok = strings.Cut(t[1:], t[:1])
	return value, rest, ok
}

// open evaluates the stream header that has just been read. RFC 6120 §4.7, §4.8.
func (s *Scanner) open() error {
	it := &s.item
	s.head = &Header{
		To: it.Attr("to"), From: it.Attr("from"), ID: it.Attr("id"), Version: it.Attr("version"),
		Lang: it.Lang(),
	}
	if string(it.space) != NSStream {
		return errStreamNS
	}
	if string(it.Local()) != "stream" || len(s.work.stack) != 1 {
		return errRoot
	}
	if err := it.checkLang(); err != nil {
		s.head.Lang = ""
		return err
	}
	root := s.work.stack[0]
	s.root, s.def = string(it.Raw[root.name:root.nameEnd]), bytes.Clone(root.def)
	declared := 0
	for _, b := range s.work.binds {
		if len(b.prefix) > 0 {
			if declared += len(b.uri); declared > maxHeader {
				return errPrefixes
			}
			s.base = append(s.base, binding{bytes.Clone(b.prefix), bytes.Clone(b.uri)})
			if string(b.uri) != NSStream {
				s.head.Prefixes = append(s.head.Prefixes, Prefix{string(b.prefix), string(b.uri)})
			}
		}
	}
	// RFC 6120 §4.8.2: the content namespace is the default one, or every stanza declares it.
	unprefixed := s.item.localFrom == root.name
	if !unprefixed && string(root.def) != s.content {
		return errContentNS
	}
	s.head.Content = s.content
	it.Header = s.head
	s.work.stack = s.work.stack[:0]
	s.phase = between
	return nil
}
