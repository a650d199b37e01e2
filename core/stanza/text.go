package stanza

import (
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Parse reads what AppendXML has written with NSClient: XML that needs no stream around it. Prefixes may come
// out differently.
func Parse(text string) (*Stanza, error) {
	e, err := ParseElement(text, "")
	if err != nil {
		return nil, fmt.Errorf("read stanza: %w", err)
	}
	st := &Stanza{Kind: KindOf(e.Local)}
	rest := NewElement(NSClient, "m")
	for _, a := range e.Attrs {
		if a.Space == NSXML && a.Local == "lang" {
			st.Lang = a.Value
			continue
		}
		if a.Space != "" {
			rest.Attrs = append(rest.Attrs, a)
			continue
		}
		switch a.Local {
		case "to":
			st.To, err = jid.Parse(a.Value)
		case "from":
			st.From, err = jid.Parse(a.Value)
		case "id":
			st.ID = a.Value
		case "type":
			st.Type = a.Value
		default:
			rest.Attrs = append(rest.Attrs, a)
		}
		if err != nil {
			return nil, fmt.Errorf("read stanza: %s: %w", a.Local, err)
		}
	}
	if len(rest.Attrs) > 0 {
		text := string(rest.Append(nil, NSClient))
		st.Extra = text[len("<m") : len(text)-len("/>")]
	}
	var children []*Element
	for c := range e.Elements() {
		children = append(children, c)
	}
	st.Payload = Encode(children...)
	return st, nil
}
