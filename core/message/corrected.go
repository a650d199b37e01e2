package message

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	NSCorrect    = "urn:xmpp:message-correct:0" // XEP-0308
	nsOccupantID = "urn:xmpp:occupant-id:0"     // XEP-0421
)

// ApplyCorrections returns a history in which each message has the content of its last correction (XEP-0308), in its own place
// and under its own ids. Some clients, such as Dino, show a correction in a history as one more message. A correction whose
// message is not there is left out: the message is too old for this history, or was retracted. A client that asks for what is
// newer than it has (partial) may have the message, and gets the correction. stanzaOf points at the stanza of an
// entry, so that it can be replaced.
func ApplyCorrections[E any](list []E, stanzaOf func(*E) **stanza.Stanza, partial bool) []E {
	if !slices.ContainsFunc(list, func(e E) bool { return (*stanzaOf(&e)).MayHave(NSCorrect, "replace") }) {
		return list
	}
	kept := make([]E, 0, len(list))
	at := map[[2]string]int{} // index in kept, by sender and id
	for _, e := range list {
		st := *stanzaOf(&e)
		replace := st.Child(NSCorrect, "replace")
		if replace == nil {
			at[[2]string{senderOf(st), st.ID}] = len(kept)
			kept = append(kept, e)
			continue
		}
		if i, ok := at[[2]string{senderOf(st), replace.Attr("id")}]; ok {
			first := stanzaOf(&kept[i])
			*first = withContent(*first, st)
		} else if partial {
			kept = append(kept, e)
		}
	}
	return kept
}

// senderOf is the occupant id of a message's sender, or the address.
func senderOf(st *stanza.Stanza) string {
	if e := st.Child(nsOccupantID, "occupant-id"); e != nil {
		return e.Attr("id")
	}
	return st.From.String()
}

// withContent returns a message with what a correction of it has, except for the ids.
func withContent(st, correction *stanza.Stanza) *stanza.Stanza {
	ids := st.Without(func(e *stanza.Element) bool { return !isID(e) })
	c := correction.Without(func(e *stanza.Element) bool { return isID(e) || e.Is(NSCorrect, "replace") }).Copy()
	c.From, c.ID = st.From, st.ID
	c.Payload += ids.Payload
	return c
}

func isID(e *stanza.Element) bool {
	return e.Is(nsOccupantID, "occupant-id") || e.Space == NSStanzaID
}
