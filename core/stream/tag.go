package stream

import "unicode/utf8"

// startTag reads the start tag at b[at]. next is the index after it, or 0 if more bytes
// are needed; then nothing has changed.
func (s *Scanner) startTag(b []byte, at int) (next int, empty bool, err error) {
	w := s.work
	binds, arena := len(w.binds), len(w.arena)
	attrs := &w.attrs
	if len(w.stack) == 0 {
		attrs = &w.top
	}
	*attrs = (*attrs)[:0]
	nameEnd, colon, err := qname(b, at+1)
	if err != nil || nameEnd == 0 {
		return 0, false, err
	}
	next, empty, err = s.attributes(b, nameEnd, attrs)
	if err != nil || next == 0 {
		return 0, false, err
	}
	if len(*attrs) > 0 {
		if err = s.resolve(b, *attrs); err != nil {
			return 0, false, err
		}
	}
	e := open{name: at + 1, nameEnd: nameEnd, colon: colon, binds: binds, arena: arena}
	return next, empty, s.enter(b, e, *attrs)
}

// attributes reads what is between a tag's name and its end.
func (s *Scanner) attributes(b []byte, i int, attrs *[]attr) (next int, empty bool, err error) {
	list := *attrs
	for {
		before := i
		for i < len(b) && class[b[i]]&space != 0 {
			i++
		}
		if i >= len(b) {
			return 0, false, nil
		}
		switch c := b[i]; {
		case c == '>':
			*attrs = list
			return i + 1, false, nil
		case c == '/':
			if i+1 >= len(b) {
				return 0, false, nil
			}
			if b[i+1] != '>' {
				return 0, false, errTag
			}
			*attrs = list
			return i + 2, true, nil
		case i == before:
			return 0, false, spaceMissing(c)
		}
		if len(list) == cap(list) {
			list = append(list, attr{})
		} else {
			list = list[:len(list)+1]
		}
		a := &list[len(list)-1]
		a.before, a.space = int32(before), nil
		if i, err = a.read(b, i); err != nil || i == 0 {
			return 0, false, err
		}
		if len(list) > s.limits.Attrs {
			return 0, false, errAttrs
		}
	}
}

// spaceMissing returns the error for a tag that lacks white space or its end.
func spaceMissing(c byte) error {
	if class[c]&nameStart != 0 || c >= utf8.RuneSelf {
		return errAttrSpace
	}
	return errTag
}

// read reads the attribute whose name begins at b[i]. next is 0 if bytes are missing.
func (a *attr) read(b []byte, i int) (next int, err error) {
	// Most names are ASCII without a prefix, with '=' right after them.
	k, colon := i, 0
	if class[b[k]]&nameStart != 0 {
		for k++; k < len(b) && class[b[k]]&nameRest != 0; k++ {
		}
	}
	if k == i || k >= len(b) || b[k] != '=' {
		if k, colon, err = qname(b, i); err != nil || k == 0 {
			return 0, err
		}
	}
	a.name, a.nameEnd, a.colon = int32(i), int32(k), int32(colon)
	if k = skipSpace(b, k); k >= len(b) {
		return 0, nil
	}
	if b[k] != '=' {
		return 0, errTag
	}
	if k = skipSpace(b, k+1); k >= len(b) {
		return 0, nil
	}
	quote := b[k]
	if quote != '\'' && quote != '"' {
		return 0, errTag
	}
	end, special, err := value(b, k+1, quote)
	if err != nil || end == 0 {
		return 0, err
	}
	a.val, a.valEnd, a.special, a.declares = int32(k+1), int32(end), special, false
	if b[i] == 'x' {
		name := b[i:a.nameEnd]
		if colon != 0 {
			name = b[i:colon]
		}
		a.declares = string(name) == "xmlns"
	}
	return end + 1, nil
}

// value finds the quote that ends the attribute value at b[i]; 0 if it has not arrived yet.
func value(b []byte, i int, quote byte) (end int, special bool, err error) {
	for i < len(b) {
		c := b[i]
		if class[c]&inValue != 0 {
			i++
			continue
		}
		size := 1
		switch {
		case c == quote:
			return i, special, nil
		case c == '"' || c == '\'':
		case c == '&':
			special = true
			_, size, err = reference(b[i:])
		case class[c]&space != 0:
			special = true
		case c >= utf8.RuneSelf:
			_, size, err = decodeNonASCII(b[i:])
		case c == '<':
			err = errLess
		default:
			err = errChar
		}
		if err != nil || size == 0 {
			return 0, false, err
		}
		i += size
	}
	return 0, false, nil
}

// enter resolves the element's name and pushes the element on the stack.
func (s *Scanner) enter(b []byte, e open, attrs []attr) error {
	w := s.work
	depth := len(w.stack)
	if s.position.elements++; s.position.elements > s.limits.Elements {
		return errElements
	}
	if s.position.attrs += len(attrs); s.position.attrs > attrsPerElement*s.limits.Elements {
		return errAttrs
	}
	if depth >= s.limits.Depth {
		return errDepth
	}
	parent := true
	if e.def = s.def; depth > 0 {
		e.def, parent = w.stack[depth-1].def, w.stack[depth-1].content
	}
	own := false // it declares a default namespace
	for k := e.binds; k < len(w.binds); k++ {
		if len(w.binds[k].prefix) == 0 {
			e.def, own = w.binds[k].uri, true
		}
	}
	ns := e.def
	if e.colon != 0 {
		var err error
		if string(b[e.name:e.colon]) == "xmlns" {
			return errPrefix
		}
		if ns, err = s.lookup(b[e.name:e.colon]); err != nil {
			return err
		}
	}
	if depth == 0 {
		s.item.space, s.item.localFrom, s.item.localTo = ns, e.name, e.nameEnd
		if e.colon != 0 {
			s.item.localFrom = e.colon + 1
		}
	}
	if s.phase != prolog && isContent(ns) {
		switch {
		case e.colon != 0:
			return errContentPfx // RFC 6120 §4.8.5
		case depth > 0:
			if e.content = parent; parent && own {
				w.drops = append(w.drops, declaration(attrs))
			}
		case string(ns) != s.content:
			return errContentNS // RFC 6120 §4.8.3; mellium/xmpp#182
		default:
			e.content = true
		}
	}
	w.stack = append(w.stack, e)
	return nil
}

// declaration returns the tag's xmlns, with the space before it.
func declaration(attrs []attr) span {
	for k := range attrs {
		if a := &attrs[k]; a.declares && a.colon == 0 {
			return span{int(a.before), int(a.valEnd) + 1}
		}
	}
	return span{}
}
