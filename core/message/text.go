package message

import (
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// encryption are namespaces of messages whose body is no more than a note for clients that cannot decrypt them.
var encryption = map[string]bool{
	"urn:xmpp:eme:0":                 true, // XEP-0380
	"eu.siacs.conversations.axolotl": true, // XEP-0384 0.3
	"urn:xmpp:omemo:1":               true,
	"urn:xmpp:omemo:2":               true, // XEP-0384
	"urn:xmpp:openpgp:0":             true, // XEP-0373
	"jabber:x:encrypted":             true, // XEP-0027
}

// Text returns the text by which a message is found: its bodies, in all languages. It is empty for encrypted
// messages, retractions and tombstones.
func Text(st *stanza.Stanza) string {
	if text, ok := plainBody(st.Payload); ok {
		return text
	}
	var text string
	for e := range st.Tree().Elements() {
		switch {
		case encryption[e.Space], e.Space == NSRetract, e.Space == nsOldRetract:
			return ""
		case e.Local == "body" && e.Space == stanza.NSClient:
			if text != "" {
				text += "\n"
			}
			text += e.Text()
		}
	}
	return text
}

// plainBody returns the body of a message that has one body without anything to decode, and nothing that could make it no text, without
// parsing it.
func plainBody(payload string) (string, bool) {
	rest, ok := strings.CutPrefix(payload, "<body>")
	if !ok {
		return "", false
	}
	text, rest, ok := strings.Cut(rest, "</body>")
	if !ok || strings.ContainsAny(text, "<&\r") || strings.Contains(rest, "body") || strings.Contains(rest, "encrypt") || strings.Contains(rest, "retract") ||
		strings.Contains(rest, "eme:0") || strings.Contains(rest, "openpgp") || strings.Contains(rest, "omemo") || strings.Contains(rest, "&#") {
		return "", false
	}
	return text, true
}
