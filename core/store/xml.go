package store

import (
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// encodeStanza is a stanza as it is kept: self-contained XML in jabber:client.
func encodeStanza(st *stanza.Stanza) string {
	b := make([]byte, 0, len(st.Payload)+len(st.Extra)+400)
	return string(st.AppendXML(b, stanza.NSClient))
}

// decodeStanza is the reverse of encodeStanza. Prefixes may come out differently.
func decodeStanza(text string) (*stanza.Stanza, error) {
	e, err := stanza.ParseElement(text, "")
	if err != nil {
		return nil, fmt.Errorf("read kept stanza: %w", err)
	}
	st := &stanza.Stanza{Kind: stanza.KindOf(e.Local)}
	rest := stanza.NewElement(stanza.NSClient, "m")
	for _, a := range e.Attrs {
		if a.Space == stanza.NSXML && a.Local == "lang" {
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
			return nil, fmt.Errorf("read kept stanza: %s: %w", a.Local, err)
		}
	}
	if len(rest.Attrs) > 0 {
		text := string(rest.Append(nil, stanza.NSClient))
		st.Extra = text[len("<m") : len(text)-len("/>")]
	}
	var children []*stanza.Element
	for c := range e.Elements() {
		children = append(children, c)
	}
	st.Payload = stanza.Encode(children...)
	return st, nil
}

// now is the time as it is kept: microseconds since 1970.
func now() int64 { return time.Now().UnixMicro() }

// timeOf is the reverse of now.
func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
