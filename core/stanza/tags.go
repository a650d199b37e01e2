package stanza

import "strings"

func (p *parser) startTag() (*Element, error) {
	at := p.i
	p.i++
	raw := p.name()
	if raw == "" || len(p.stack) >= maxDepth {
		return nil, errSyntax
	}
	mark := len(p.scope)
	e := p.newElement()
	e.start = at
	empty := false
	p.attrs = p.attrs[:0]
	for {
		p.space()
		if p.i >= len(p.s) {
			return nil, errSyntax
		}
		if p.s[p.i] == '>' {
			p.i++
			break
		}
		if strings.HasPrefix(p.s[p.i:], "/>") {
			p.i += 2
			empty = true
			break
		}
		if err := p.attr(); err != nil {
			return nil, err
		}
	}
	if err := p.resolveNames(e, raw); err != nil {
		return nil, err
	}
	switch n := len(p.stack); {
	case n > 0 && p.outline == nil:
		p.joinTexts(&p.stack[n-1])
		p.nodes = append(p.nodes, Node{Element: e})
	case n == 0 && p.outline != nil:
		p.outline.from, p.outline.to = p.i, p.i
	}
	if !empty {
		p.stack = append(p.stack, open{e: e, raw: raw, scope: mark, nodes: len(p.nodes)})
		return nil, nil
	}
	p.scope = p.scope[:mark]
	e.end = p.i
	if len(p.stack) == 0 {
		return e, nil
	}
	return nil, nil
}

// newElement returns an element; without a tree only the outermost one is used later.
func (p *parser) newElement() *Element {
	if p.outline == nil || len(p.stack) == 0 {
		return &Element{}
	}
	p.outline.inner = Element{}
	return &p.outline.inner
}

// resolveNames sets the names of an element and its attributes.
func (p *parser) resolveNames(e *Element, raw string) error {
	var ok bool
	if e.Space, e.Local, ok = p.resolve(raw, true); !ok {
		return errSyntax
	}
	for k := range p.attrs {
		a := &p.attrs[k]
		if a.Space, a.Local, ok = p.resolve(a.Local, false); !ok {
			return errSyntax
		}
	}
	if len(p.attrs) > 0 && (p.outline == nil || len(p.stack) == 0) {
		e.Attrs = append([]Attr(nil), p.attrs...)
	}
	return nil
}

func (p *parser) attr() error {
	from := p.i
	name := p.name()
	p.space()
	if name == "" || p.i >= len(p.s) || p.s[p.i] != '=' {
		return errSyntax
	}
	p.i++
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '\'' && p.s[p.i] != '"' {
		return errSyntax
	}
	end := strings.IndexByte(p.s[p.i+1:], p.s[p.i])
	if end < 0 {
		return errSyntax
	}
	value, err := unescape(p.s[p.i+1:p.i+1+end], true)
	if err != nil {
		return err
	}
	p.i += end + 2
	if len(p.stack) == 0 && p.outline != nil {
		p.outline.attrs = append(p.outline.attrs, rawAttr{name, p.s[from:p.i]})
	}
	if name == "xmlns" {
		p.scope = append(p.scope, binding{"", value})
	} else if prefix, ok := strings.CutPrefix(name, "xmlns:"); ok {
		p.scope = append(p.scope, binding{prefix, value})
	} else {
		p.attrs = append(p.attrs, Attr{Local: name, Value: value})
	}
	return nil
}

// endTag closes an element, but not the outermost ones that the text did not open.
func (p *parser) endTag(depth int) (*Element, error) {
	if len(p.stack) == 1 && p.outline != nil {
		p.outline.to = p.i
	}
	p.i += 2
	raw := p.name()
	p.space()
	n := len(p.stack) - 1
	if n < depth || p.stack[n].raw != raw || p.i >= len(p.s) || p.s[p.i] != '>' {
		return nil, errSyntax
	}
	p.i++
	e := p.leave()
	if n == 0 {
		return e, nil
	}
	return nil, nil
}

// leave completes the innermost open element.
func (p *parser) leave() *Element {
	n := len(p.stack) - 1
	top := &p.stack[n]
	p.joinTexts(top)
	switch list := p.nodes[top.nodes:]; {
	case len(list) > maxScratch: // without a copy; what is appended next gets another array
		top.e.Nodes = list[:len(list):len(list)]
		p.nodes = p.nodes[:top.nodes:top.nodes]
	case len(list) > 0:
		top.e.Nodes = append([]Node(nil), list...)
		p.nodes = p.nodes[:top.nodes]
	}
	p.scope = p.scope[:top.scope]
	top.e.end = p.i
	p.stack = p.stack[:n]
	return top.e
}

func (p *parser) name() string {
	from := p.i
	for p.i < len(p.s) && !strings.ContainsRune(" \t\r\n=/><'\"", rune(p.s[p.i])) {
		p.i++
	}
	return p.s[from:p.i]
}

func (p *parser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *parser) resolve(raw string, element bool) (space, local string, ok bool) {
	prefix, local, has := strings.Cut(raw, ":")
	if !has {
		prefix, local = "", raw
		if !element {
			return "", local, true
		}
	}
	for k := len(p.scope) - 1; k >= 0; k-- {
		if p.scope[k].prefix == prefix {
			return p.scope[k].uri, local, true
		}
	}
	return "", "", false
}
