package stanza

import (
	"errors"
	"slices"
	"strings"
	"sync"
)

// errSyntax is the only error of parse: its input has passed a scanner before.
var errSyntax = errors.New("stanza: not well-formed")

// maxDepth bounds the tree for input that has passed no scanner, such as stored text.
const maxDepth = 256

// ParseElement parses the XML of one element, which a stream.Scanner has validated before. space is the
// default namespace where the text declares none.
func ParseElement(xml, space string) (*Element, error) {
	return (&parser{s: xml}).document(space)
}

type binding struct{ prefix, uri string }

type open struct {
	e     *Element
	raw   string // the name as written, for the end tag
	scope int
	nodes int      // where its nodes begin in parser.nodes
	text  string   // since the last child
	texts []string // its pieces, if there are several
}

type parser struct {
	s string
	i int
	*scratch
	outline *outline // set where no tree is wanted
}

// scratch is the memory that a parser needs while it parses.
type scratch struct {
	scope []binding
	stack []open
	attrs []Attr // of the start tag that is being read
	nodes []Node // of the elements that are open, the outermost first: each list is allocated when its length is known
}

var scratches = sync.Pool{New: func() any {
	return &scratch{scope: make([]binding, 0, 16), stack: make([]open, 0, 8), attrs: make([]Attr, 0, 8), nodes: make([]Node, 0, 32)}
}}

// maxScratch is the largest capacity that is kept for the next parser.
const maxScratch = 256

func (s *scratch) release() {
	if max(cap(s.scope), cap(s.stack), cap(s.attrs), cap(s.nodes)) > maxScratch {
		return
	}
	clear(s.scope[:cap(s.scope)])
	clear(s.stack[:cap(s.stack)])
	clear(s.attrs[:cap(s.attrs)])
	clear(s.nodes[:cap(s.nodes)])
	s.scope, s.stack, s.attrs, s.nodes = s.scope[:0], s.stack[:0], s.attrs[:0], s.nodes[:0]
	scratches.Put(s)
}

// outline is what a parser notes of the outermost element where it makes no tree.
type outline struct {
	attrs    []rawAttr
	from, to int // the content
	inner    Element
}

// rawAttr is an attribute as written, without the space before it.
type rawAttr struct{ name, xml string }

// begin borrows the scratch memory, which the caller releases. space is the default namespace.
func (p *parser) begin(space string) {
	p.scratch = scratches.Get().(*scratch)
	p.scope = append(p.scope, binding{"", space}, binding{"xml", NSXML})
}

// grow makes room for the nodes of a large text in one step.
func (p *parser) grow() {
	if len(p.s) > largeText {
		p.nodes = slices.Grow(p.nodes, strings.Count(p.s, "<"))
	}
}

const largeText = 8 << 10

// document parses one element.
func (p *parser) document(space string) (*Element, error) {
	p.begin(space)
	defer p.release()
	p.grow()
	root, err := p.content(0)
	if err == nil && root == nil {
		err = errSyntax
	}
	return root, err
}

// stanza parses a start tag and, apart from it, what is between the tags. The result refers to both texts.
func (p *parser) stanza(start, payload string) (*Element, error) {
	p.begin("")
	defer p.release()
	p.s = start
	if _, err := p.startTag(); err != nil || len(p.stack) != 1 || p.i != len(start) {
		return nil, errSyntax
	}
	p.s, p.i = payload, 0
	p.grow()
	if _, err := p.content(1); err != nil {
		return nil, err
	}
	return p.leave(), nil
}

// content parses the text up to its end, where the given number of elements are still open. It returns the outermost
// element if that has ended.
func (p *parser) content(depth int) (root *Element, err error) {
	for p.i < len(p.s) {
		lt := strings.IndexByte(p.s[p.i:], '<')
		end := lt < 0
		if end {
			lt = len(p.s) - p.i
		}
		if err := p.text(p.s[p.i : p.i+lt]); err != nil {
			return nil, err
		}
		if p.i += lt; end {
			break
		}
		rest := p.s[p.i:]
		switch {
		case strings.HasPrefix(rest, "</"):
			done, err := p.endTag(depth)
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
	if len(p.stack) != depth {
		return nil, errSyntax
	}
	return root, nil
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

// addText adds a piece of text. Each CDATA section is one; joining them at once would copy the text so far for each.
func (p *parser) addText(t string) {
	if t == "" || p.outline != nil {
		return
	}
	top := &p.stack[len(p.stack)-1]
	switch {
	case top.text == "":
		top.text = t
	case top.texts == nil:
		top.texts = []string{top.text, t}
	default:
		top.texts = append(top.texts, t)
	}
}

// joinTexts adds the text since the last child as one node.
func (p *parser) joinTexts(o *open) {
	if o.texts != nil {
		o.text, o.texts = strings.Join(o.texts, ""), nil
	}
	if o.text != "" {
		p.nodes = append(p.nodes, Node{Text: o.text})
		o.text = ""
	}
}
