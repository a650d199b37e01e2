package conceal

import (
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Stanza returns a stanza that passes through the room with the occupant's address in place of the real one, wherever the
// payload has it, and without the server that an error is by: the room reveals neither address to the other (XEP-0045 §17.4).
// A server's answer may contain it, such as the items of an account (XEP-0030) or the JABBERID of a vCard (XEP-0054).
func Stanza(st *stanza.Stanza, real, occupant jid.JID) *stanza.Stanza {
	c := concealer{real: real.Bare().String(), shown: occupant.String()}
	var children []*stanza.Element
	for e := range st.Tree().Elements() {
		e = e.Clone()
		if e.Is(stanza.NSClient, "error") || e.Is("", "error") {
			e.With("by", "")
		}
		c.element(e)
		children = append(children, e)
	}
	if !c.changed && st.Type != stanza.TypeError {
		return st
	}
	st = st.Copy()
	st.Payload = stanza.Encode(children...)
	return st
}

// concealer replaces a real address.
type concealer struct {
	real, shown string
	changed     bool
}

func (c *concealer) element(e *stanza.Element) {
	for i := range e.Attrs {
		e.Attrs[i].Value = c.text(e.Attrs[i].Value)
	}
	for i := range e.Nodes {
		if n := &e.Nodes[i]; n.Element != nil {
			c.element(n.Element)
		} else {
			n.Text = c.text(n.Text)
		}
	}
}

// text replaces the address, with the resource that follows it, in any case of letters.
func (c *concealer) text(s string) string {
	from := 0
	for {
		i := strings.Index(lower(s[from:]), c.real)
		if i < 0 {
			return s
		}
		start, end := from+i, from+i+len(c.real)
		if end < len(s) && s[end] == '/' {
			end += strings.IndexAny(s[end:]+" ", " \t\r\n<>,;\"")
		}
		s = s[:start] + c.shown + s[end:]
		from, c.changed = start+len(c.shown), true
	}
}

// lower changes the case of ASCII letters only, so that the text keeps its length.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}
