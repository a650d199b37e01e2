package archive

import (
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Retraction is a request to remove a message from an archive (XEP-0424).
type Retraction struct {
	By      jid.JID // who has sent the message, and retracts it
	Contact jid.JID // the other side in the archive
	Target  string  // the message's id attribute
	ID      string  // the retraction's id attribute
	At      time.Time
	private bool // it is a private message of an occupant of a room
}

// RetractionOf reads a retraction in the archive of an account whose contact sends or receives it; ok is false for other messages.
func RetractionOf(st *stanza.Stanza, contact jid.JID, at time.Time) (r Retraction, ok bool) {
	if !st.MayHave(message.NSRetract, "retract") {
		return r, false
	}
	e := st.Child(message.NSRetract, "retract")
	if e == nil || e.Attr("id") == "" {
		return r, false
	}
	r = Retraction{By: st.From, Contact: contact, Target: e.Attr("id"), ID: st.ID, At: at, private: ofOccupant(st)}
	if r.ID == "" {
		r.ID = st.Entry
	}
	return r, true
}

// Retracts reports whether an archived message is the one that is retracted, or a correction of it. Both must come from the same bare
// address (XEP-0424 §5), in a room from the same occupant.
func (r Retraction) Retracts(st *stanza.Stanza) bool {
	if st.From.Bare() != r.By.Bare() || (r.private || ofOccupant(st)) && st.From != r.By {
		return false
	}
	if st.ID != r.Target && (!st.MayHave(message.NSCorrect, "replace") || st.Child(message.NSCorrect, "replace").Attr("id") != r.Target) {
		return false
	}
	return !st.MayHave(message.NSRetract, "retract") || st.Child(message.NSRetract, "retracted") == nil && st.Child(message.NSRetract, "retract") == nil
}

// ofOccupant reports whether a message is a private one of an occupant of a room (XEP-0045 §7.5).
func ofOccupant(st *stanza.Stanza) bool {
	return st.MayHave(message.NSMUCUser, "x") && st.Child(message.NSMUCUser, "x") != nil
}

// Tombstone is what the message has instead of its content (XEP-0424 §4).
func (r Retraction) Tombstone() *stanza.Element {
	return stanza.NewElement(message.NSRetract, "retracted").With("id", r.ID).With("stamp", message.Stamp(r.At))
}
