package stanza

import (
	"errors"
	"strconv"
	"strings"
)

// errSyntax is the only error of parse: its input has passed a scanner before.
var errSyntax = errors.New("stanza: not well-formed")

// maxDepth bounds the tree for input that has passed no scanner, such as stored text.
const maxDepth = 256

// ParseElement parses the XML of one element, which a stream.Scanner has validated before. space is the
// default namespace where the text declares none.
func ParseElement(xml, space string) (*Element, error) {
	p := parser{s: xml, scope: []binding{{"", space}, {"xml", NSXML}}}
	return p.document()
}

// parseAt is ParseElement for a stanza whose payload starts at base.
func parseAt(xml string, base int) (*Element, error) {
	p := parser{s: xml, base: base, scope: []binding{{"", ""}, {"xml", NSXML}}}
	return p.document()
}

type binding struct{ prefix, uri string }

type open struct {
	e     *Element
	raw   string // the name as written, for the end tag
	scope int
}

type parser struct {
	s     string
	i     int
	base  int
	scope []binding
	stack []open
}

func (p *parser) document() (*Element, error) {
	var root *Element
	for p.i < len(p.s) {
		lt := strings.IndexByte(p.s[p.i:], '<')
		if lt < 0 {
			break
		}
		if err := p.text(p.s[p.i : p.i+lt]); err != nil {
			return nil, err
		}
		p.i += lt
		rest := p.s[p.i:]
		switch {
		case strings.HasPrefix(rest, "</"):
			done, err := p.endTag()
			if err != nil {
				return nil, err
			}
			if done != nil {
				root = done
			}
		case strings.HasPrefix(rest, "<![CDATA["):
			end := strings.Index(rest, "]]>")
			if end < 0 || len(p.stack) == 0 {
				return nil, errSyntax
			}
			p.addText(rest[9:end])
			p.i += end + 3
		default:
			if root != nil {
				return nil, errSyntax
			}
			done, err := p.startTag()
			if err != nil {
				return nil, err
			}
			if done != nil {
				root = done
			}
		}
	}
	if root == nil || len(p.stack) != 0 {
		return nil, errSyntax
	}
	return root, nil
}

func (p *parser) startTag() (*Element, error) {
	at := p.i
	p.i++
	raw := p.name()
	if raw == "" || len(p.stack) >= maxDepth {
		return nil, errSyntax
	}
	mark := len(p.scope)
	e := &Element{start: at - p.base}
	empty := false
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
		if err := p.attr(e); err != nil {
			return nil, err
		}
	}
	var ok bool
	if e.Space, e.Local, ok = p.resolve(raw, true); !ok {
		return nil, errSyntax
	}
	for k := range e.Attrs {
		a := &e.Attrs[k]
		if a.Space, a.Local, ok = p.resolve(a.Local, false); !ok {
			return nil, errSyntax
		}
	}
	if n := len(p.stack); n > 0 {
		parent := p.stack[n-1].e
		parent.Nodes = append(parent.Nodes, Node{Element: e})
	}
	if !empty {
		p.stack = append(p.stack, open{e, raw, mark})
		return nil, nil
	}
	p.scope = p.scope[:mark]
	e.end = p.i - p.base
	if len(p.stack) == 0 {
		return e, nil
	}
	return nil, nil
}

func (p *parser) attr(e *Element) error {
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
	if name == "xmlns" {
		p.scope = append(p.scope, binding{"", value})
	} else if prefix, ok := strings.CutPrefix(name, "xmlns:"); ok {
		p.scope = append(p.scope, binding{prefix, value})
	} else {
		e.Attrs = append(e.Attrs, Attr{Local: name, Value: value})
	}
	return nil
}

func (p *parser) endTag() (*Element, error) {
	p.i += 2
	raw := p.name()
	p.space()
	n := len(p.stack) - 1
	if n < 0 || p.stack[n].raw != raw || p.i >= len(p.s) || p.s[p.i] != '>' {
		return nil, errSyntax
	}
	p.i++
	top := p.stack[n]
	p.stack = p.stack[:n]
	p.scope = p.scope[:top.scope]
	top.e.end = p.i - p.base
	if n == 0 {
		return top.e, nil
	}
	return nil, nil
}

func (p *parser) text(raw string) error {
	if len(p.stack) == 0 {
		if strings.TrimSpace(raw) != "" {
			return errSyntax
		}
		return nil
	}
	t, err := unescape(raw, false)
	if err == nil {
		p.addText(t)
	}
	return err
}

func (p *parser) addText(t string) {
	if t == "" {
		return
	}
	e := p.stack[len(p.stack)-1].e
	if n := len(e.Nodes); n > 0 && e.Nodes[n-1].Element == nil {
		e.Nodes[n-1].Text += t
		return
	}
	e.Nodes = append(e.Nodes, Node{Text: t})
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

// unescape resolves the predefined entities and character references, and
// normalises line ends, in attributes white space too (XML 1.0 §2.11, §3.3.3).
func unescape(s string, attr bool) (string, error) {
	if !strings.ContainsAny(s, "&\r") && (!attr || !strings.ContainsAny(s, "\n\t")) {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '&':
			end := strings.IndexByte(s[i:], ';')
			if end < 0 {
				return "", errSyntax
			}
			r, ok := entity(s[i+1 : i+end])
			if !ok {
				return "", errSyntax
			}
			b.WriteRune(r)
			i += end
		case c == '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
			if attr {
				b.WriteByte(' ')
			} else {
				b.WriteByte('\n')
			}
		case attr && (c == '\n' || c == '\t'):
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func entity(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > 0x10FFFF || n >= 0xD800 && n < 0xE000 {
		return 0, false
	}
	return rune(n), true
}
