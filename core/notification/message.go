package notification

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Message is a message that a room of this process has sent to its occupants.
type Message struct {
	Room   jid.JID
	Stanza *stanza.Stanza // as the occupants get it, without a receiver
	Sender jid.JID        // bare: the account that has sent it; zero if none of ours has
	Public bool           // anybody may enter the room
	// Version changes when what Members returns may have changed.
	Version uint64
	// Members returns the members of the room, and those of some accounts, which have bookmarked it, that may enter it. It is called before
	// Room returns.
	Members func(ctx context.Context, bookmarked []jid.JID) ([]Member, error)
}

// Namespaces of messages that change another one.
const (
	nsCorrect = "urn:xmpp:message-correct:0" // XEP-0308
	nsReacts  = "urn:xmpp:reactions:0"       // XEP-0444
	nsRetract = "urn:xmpp:message-retract:0" // XEP-0424 before 0.4
)

// encrypted are the namespaces of encrypted content.
var encrypted = map[string]bool{"urn:xmpp:eme:0": true, "eu.siacs.conversations.axolotl": true, "urn:xmpp:omemo:2": true, "urn:xmpp:openpgp:0": true}

// Notable reports whether somebody may want to be notified of a message of a room: it has a text or encrypted content, and does not only
// correct, retract or react to another one.
func Notable(st *stanza.Stanza) bool {
	if st.Type != stanza.TypeGroupchat {
		return false
	}
	text := false
	for e := range st.Tree().Elements() {
		switch {
		case e.Space == nsCorrect, e.Space == nsReacts, e.Space == message.NSRetract, e.Space == nsRetract:
			return false
		case e.Local == "body" && (e.Space == stanza.NSClient || e.Space == "") && e.Text() != "", encrypted[e.Space]:
			text = true
		}
	}
	return text
}

// occupantID returns the occupant id of a message's sender (XEP-0421), or "".
func occupantID(st *stanza.Stanza) string {
	return st.Child("urn:xmpp:occupant-id:0", "occupant-id").Attr("id")
}

// Key returns what identifies a message of a room: its stanza-id (XEP-0359), or else its id.
func Key(st *stanza.Stanza) string {
	room := st.From.Bare()
	id := st.ID
	for e := range st.Tree().Named(message.NSStanzaID, "stanza-id") {
		if by, err := jid.Parse(e.Attr("by")); err == nil && by == room {
			id = e.Attr("id")
		}
	}
	return room.String() + " " + id
}
