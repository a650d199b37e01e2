package stanza

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Parse reads what AppendXML has written, with NSClient or without a namespace. The content and the further attributes stay
// as they are written: text that declares a long prefix once does not become longer.
func Parse(text string) (*Stanza, error) {
	var o outline
	e, err := (&parser{s: text, outline: &o}).document(NSClient)
	if err != nil {
		return nil, fmt.Errorf("read stanza: %w", err)
	}
	st, err := header(e)
	if err != nil {
		return nil, fmt.Errorf("read stanza: %w", err)
	}
	var extra strings.Builder
	for _, a := range o.attrs {
		switch a.name {
		case "xmlns", "xml:lang", "to", "from", "id", "type":
		default:
			extra.WriteByte(' ')
			extra.WriteString(a.xml)
		}
	}
	st.Extra, st.Payload = extra.String(), text[o.from:o.to]
	return st, nil
}

// FromElement returns the stanza that a tree is, such as a forwarded one. Text between its children is left out.
func FromElement(e *Element) (*Stanza, error) {
	st, err := header(e)
	if err != nil {
		return nil, err
	}
	x := encoderFor(e, NSClient)
	var extra, payload []byte
	extra = x.appendDeclarations(extra)
	for i := range e.Attrs {
		if a := &e.Attrs[i]; !inHeader(a) {
			extra = x.appendAttr(extra, a, i)
		}
	}
	if x.prefixed != nil {
		payload = make([]byte, 0, x.length(e, scope{NSClient, NSClient}))
	}
	for c := range e.Elements() {
		payload = x.append(payload, c, scope{NSClient, NSClient}, false)
	}
	st.Extra, st.Payload = string(extra), string(payload)
	return st, nil
}

// inHeader reports whether a Stanza has a field for an attribute.
func inHeader(a *Attr) bool {
	if a.Space == NSXML {
		return a.Local == "lang"
	}
	if a.Space != "" {
		return false
	}
	switch a.Local {
	case "to", "from", "id", "type":
		return true
	}
	return false
}

var errNotStanza = errors.New("not a stanza")

// header returns the stanza of a tree without its content. Its addresses do not refer to the text that was parsed.
func header(e *Element) (*Stanza, error) {
	st := &Stanza{Kind: KindOf(e.Local), ID: e.Attr("id"), Type: e.Attr("type"), Lang: e.Lang()}
	if st.Kind == 0 || e.Space != NSClient {
		return nil, errNotStanza
	}
	var err error
	if st.To, err = parseAddress(e.Attr("to")); err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	if st.From, err = parseAddress(e.Attr("from")); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	return st, nil
}

func parseAddress(s string) (jid.JID, error) {
	if s == "" {
		return jid.JID{}, nil
	}
	return jid.Parse(strings.Clone(s))
}
