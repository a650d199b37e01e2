package message

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	nsCorrect    = "urn:xmpp:message-correct:0" // XEP-0308
	nsOccupantID = "urn:xmpp:occupant-id:0"     // XEP-0421
)

// ApplyCorrections gives each message of a history the content of its last correction (XEP-0308), in its own place and
// under its own ids, and returns the indexes of those that are to be sent. Some clients, such as Dino, show a correction in a history
// as one more message. A correction whose message is not there is left out: the message is too old for this history, or
// was retracted. A client that asks for what is newer than it has (partial) may have the message, and gets the correction.
func ApplyCorrections(list []*stanza.Stanza, partial bool) []int {
	kept := make([]int, 0, len(list))
	some := slices.ContainsFunc(list, func(st *stanza.Stanza) bool { return st.MayHave(nsCorrect, "replace") })
	at := map[[2]string]int{} // by sender and id
	for i, st := range list {
		var replace *stanza.Element
		if some {
			replace = st.Child(nsCorrect, "replace")
		}
		if replace == nil {
			if some {
				at[[2]string{senderOf(st), st.ID}] = i
			}
			kept = append(kept, i)
			continue
		}
		if to, ok := at[[2]string{senderOf(st), replace.Attr("id")}]; ok {
			list[to] = withContent(list[to], st)
		} else if partial {
			kept = append(kept, i)
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
	c := correction.Without(func(e *stanza.Element) bool { return isID(e) || e.Is(nsCorrect, "replace") }).Copy()
	c.From, c.ID = st.From, st.ID
	c.Payload += ids.Payload
	return c
}

func isID(e *stanza.Element) bool {
	return e.Is(nsOccupantID, "occupant-id") || e.Space == NSStanzaID
}
