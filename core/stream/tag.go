package stream

import "unicode/utf8"

// startTag reads the start tag at b[at]. next is behind it, or 0 where more bytes
// are needed; then nothing has changed.
func (s *Scanner) startTag(b []byte, at int) (next int, empty bool, err error) {
	w := s.work
	marks := [3]int{len(w.binds), len(w.drops), len(w.arena)}
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
	if err == nil && next != 0 {
		err = s.enter(b, at, nameEnd, colon, marks[0])
	}
	if err == nil && next == 0 {
		w.binds, w.drops, w.arena = w.binds[:marks[0]], w.drops[:marks[1]], w.arena[:marks[2]]
	}
	return next, empty, err
}

// attributes reads what stands between a tag's name and its end.
func (s *Scanner) attributes(b []byte, i int, attrs *[]attr) (next int, empty bool, err error) {
	for {
		a := attr{before: i}
		i = skipSpace(b, i)
		if i >= len(b) {
			return 0, false, nil
		}
		switch b[i] {
		case '>':
			return i + 1, false, s.resolveAll(b, *attrs)
		case '/':
			if i+1 >= len(b) {
				return 0, false, nil
			}
			if b[i+1] != '>' {
				return 0, false, errTag
			}
			return i + 2, true, s.resolveAll(b, *attrs)
		}
		if i == a.before {
			return 0, false, spaceMissing(b, i)
		}
		if i, err = a.read(b, i); err != nil || i == 0 {
			return 0, false, err
		}
		if len(*attrs) >= s.limits.Attrs {
			return 0, false, errAttrs
		}
		*attrs = append(*attrs, a)
	}
}

// spaceMissing says what is wrong with a tag where white space or its end should be.
func spaceMissing(b []byte, i int) error {
	if class[b[i]]&nameStart != 0 || b[i] >= utf8.RuneSelf {
		return errAttrSpace
	}
	return errTag
}

// read reads the attribute whose name begins at b[i]. next is 0 where bytes are missing.
func (a *attr) read(b []byte, i int) (next int, err error) {
	a.name = i
	if a.nameEnd, a.colon, err = qname(b, i); err != nil || a.nameEnd == 0 {
		return 0, err
	}
	if i = skipSpace(b, a.nameEnd); i >= len(b) {
		return 0, nil
	}
	if b[i] != '=' {
		return 0, errTag
	}
	if i = skipSpace(b, i+1); i >= len(b) {
		return 0, nil
	}
	quote := b[i]
	if quote != '\'' && quote != '"' {
		return 0, errTag
	}
	a.val = i + 1
	if a.valEnd, a.special, err = value(b, a.val, quote); err != nil || a.valEnd == 0 {
		return 0, err
	}
	const xmlns = "xmlns"
	if b[a.name] == 'x' {
		end := a.nameEnd
		if a.colon != 0 {
			end = a.colon
		}
		a.declares = string(b[a.name:end]) == xmlns
	}
	return a.valEnd + 1, nil
}

// value finds the quote that ends the attribute value at b[i]; 0 where it has not come yet.
func value(b []byte, i int, quote byte) (end int, special bool, err error) {
	for i < len(b) {
		c := b[i]
		switch {
		case class[c]&inValue != 0:
			i++
		case c == quote:
			return i, special, nil
		case c == '"' || c == '\'':
			i++
		case c == '&':
			_, size, err := reference(b[i:])
			if err != nil || size == 0 {
				return 0, false, err
			}
			special = true
			i += size
		case class[c]&space != 0:
			special = true
			i++
		case c >= utf8.RuneSelf:
			_, size, err := wide(b[i:])
			if err != nil || size == 0 {
				return 0, false, err
			}
			i += size
		case c == '<':
			return 0, false, errLess
		default:
			return 0, false, errChar
		}
	}
	return 0, false, nil
}

// resolveAll puts the tag's declarations in scope, then looks at its attributes.
func (s *Scanner) resolveAll(b []byte, attrs []attr) error {
	for k := range attrs {
		if attrs[k].declares {
			if err := s.declare(b, &attrs[k]); err != nil {
				return err
			}
		}
	}
	return s.resolve(b, attrs)
}

// enter resolves the element's own name and puts it on the stack.
func (s *Scanner) enter(b []byte, at, nameEnd, colon, binds int) error {
	w := s.work
	depth := len(w.stack)
	if s.elements++; s.elements > s.limits.Elements && s.phase != prolog {
		return errElements
	}
	if depth >= s.limits.Depth {
		return errDepth
	}
	e := open{name: at + 1, nameEnd: nameEnd, binds: binds, def: s.def}
	parent := true
	if depth > 0 {
		e.def, parent = w.stack[depth-1].def, w.stack[depth-1].content
	}
	var declared *attr
	attrs := w.attrs
	if depth == 0 {
		attrs = w.top
	}
	for k := range w.binds[binds:] {
		if len(w.binds[binds+k].prefix) == 0 {
			e.def = w.binds[binds+k].uri
			declared = defaultDeclaration(attrs)
		}
	}
	ns := e.def
	if colon != 0 {
		var err error
		if string(b[e.name:colon]) == "xmlns" {
			return errPrefix
		}
		if ns, err = s.lookup(b[e.name:colon]); err != nil {
			return err
		}
		if isContent(ns) && s.phase != prolog {
			return errContentPfx // RFC 6120 §4.8.5
		}
	}
	switch {
	case depth > 0:
		e.content = parent && isContent(ns)
		if e.content && declared != nil {
			w.drops = append(w.drops, span{declared.before, declared.valEnd + 1})
		}
	case s.phase == prolog:
	case isContent(ns) && string(ns) != s.content:
		return errContentNS // RFC 6120 §4.8.3; mellium/xmpp#182
	default:
		e.content = isContent(ns)
	}
	if depth == 0 {
		s.item.space = ns
		s.item.localFrom = at + 1
		if colon != 0 {
			s.item.localFrom = colon + 1
		}
		s.item.localTo = nameEnd
	}
	w.stack = append(w.stack, e)
	return nil
}

// defaultDeclaration is the tag's xmlns attribute.
func defaultDeclaration(attrs []attr) *attr {
	for k := range attrs {
		if attrs[k].declares && attrs[k].colon == 0 {
			return &attrs[k]
		}
	}
	return nil
}
