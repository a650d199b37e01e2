package room

import (
	"time"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Post is a message that the room sends to all occupants, or by SendPrivate to one.
type Post struct {
	From string // occupant id of the sender; "" is the room itself
	Nick string // of the sender, used if no occupant has that id any longer
	ID   string // of the message; "" creates one. The sender of an XMPP message recognises its reflection by it
	// StanzaID is the id that the room gives the message (XEP-0359), the same as in the archive; "" creates
	// one, unless the message is transient.
	StanzaID  string
	Lang      string
	Extra     string    // further attributes of the start tag; checked XML, see stanza.Stanza
	Payload   string    // children; checked XML, see stanza.Encode
	Stamp     time.Time // time of a delayed message (XEP-0203); zero is now
	Transient bool      // has no stanza-id and is not added to the history
}

// Broadcast sends a message to all sessions and returns its stanza-id. The payload is
// encoded once; each receiver costs one start tag.
func (r *Room) Broadcast(p Post) (stanzaID string) {
	st, stanzaID := r.compose(p)
	r.record(p, st, stanzaID)
	if !p.Stamp.IsZero() {
		st = st.With(r.delay(p.Stamp))
	}
	r.fanOut(st)
	return stanzaID
}

// record adds a message to the room's own history and removes from it what the message
// retracts (XEP-0424 §5.1).
func (r *Room) record(p Post, st *stanza.Stanza, stanzaID string) {
	if r.ring == nil || stanzaID == "" {
		return
	}
	if st.MayHave(nsRetract, "retract") {
		if id := st.Child(nsRetract, "retract").Attr("id"); id != "" && r.ring.Retract(id, p.From) {
			return
		}
	}
	r.ring.Add(history.Entry{Stanza: st, At: r.stamp(p), StanzaID: stanzaID, From: p.From})
}

// AddHistory adds a message to the room's own history without sending it, for a room
// that starts with earlier messages.
func (r *Room) AddHistory(p Post) {
	st, id := r.compose(p)
	r.record(p, st, id)
}

// SendPrivate sends a private message to the sessions of an occupant; it returns false where there are none.
func (r *Room) SendPrivate(to string, p Post) bool {
	o := r.occupants.ByID(to)
	if o == nil || len(o.Sessions) == 0 {
		return false
	}
	r.deliver(o, p, stanza.TypeChat)
	return true
}

// deliver sends a private message to every session of an occupant (XEP-0045 §7.2.8, §7.5).
func (r *Room) deliver(o *occupants.Occupant, p Post, typ string) {
	p.Transient = true
	st, _ := r.compose(p)
	st.Type = typ
	st.Payload += stanza.Encode(stanza.NewElement(muc.NSUser, "x")) // XEP-0045 §7.5
	for _, s := range o.Sessions {
		r.send(st.WithTo(s.JID))
	}
}

// compose returns the stanza of a post, without a receiver and without a delay.
func (r *Room) compose(p Post) (st *stanza.Stanza, stanzaID string) {
	st = &stanza.Stanza{
		Kind: stanza.Message, From: r.jid, ID: p.ID, Type: stanza.TypeGroupchat, Lang: p.Lang, Extra: p.Extra,
	}
	if st.ID == "" {
		st.ID = stanza.NewID()
	}
	var room *stanza.Element
	if !p.Transient {
		if stanzaID = p.StanzaID; stanzaID == "" {
			stanzaID = stanza.NewID()
		}
		room = message.StanzaID(r.jid, stanzaID)
	}
	if p.From == "" {
		st.Payload = p.Payload + stanza.Encode(room)
		return st, stanzaID
	}
	if o := r.occupants.ByID(p.From); o != nil {
		st.From = o.JID
	} else if j, err := r.jid.WithResource(r.occupants.CleanNick(p.Nick)); err == nil {
		st.From = j
	}
	st.Payload = p.Payload + stanza.Encode(muc.OccupantID(p.From), room)
	return st, stanzaID
}

func (r *Room) stamp(p Post) time.Time {
	if p.Stamp.IsZero() {
		return r.now()
	}
	return p.Stamp
}

// fanOut sends a stanza without a receiver to every session.
func (r *Room) fanOut(st *stanza.Stanza) {
	if len(r.occupants.Receivers()) > 0 {
		r.occupants.SendMany(st, r.occupants.Receivers())
	}
}
