package room

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Subject is the subject of a room and who set it.
type Subject struct {
	Text       string
	OccupantID string // "" is the room itself
	Nick       string
	At         time.Time // zero where no subject was ever set
	Lang       string
}

// Subject returns the current subject.
func (r *Room) Subject() Subject { return r.subject }

// SetSubject changes the subject and announces it (XEP-0045 §8.1). id is the id of the
// message that changed it, stanzaID its id in the archive; both may be empty.
func (r *Room) SetSubject(ctx context.Context, s Subject, id, stanzaID string) error {
	if s.At.IsZero() {
		s.At = r.now()
	}
	s.Text = rules.Truncate(s.Text, r.limits.Subject)
	if o := r.occupants.ByID(s.OccupantID); o != nil {
		s.Nick = o.Nick
	}
	if err := r.save(ctx, Change{Subject: &s}); err != nil {
		return err
	}
	r.subject = s
	st, _ := r.compose(Post{
		From: s.OccupantID, Nick: s.Nick, ID: id, StanzaID: stanzaID, Lang: s.Lang, Payload: subjectElement(s.Text),
	})
	r.fanOut(st)
	r.notify(ctx, Event{Kind: ConfigChange})
	return nil
}

func subjectElement(text string) string {
	return stanza.Encode(stanza.NewElement("", "subject").AddText(text))
}

// sendSubject sends the subject to an entering session, after all else (XEP-0045 §7.2.15).
func (r *Room) sendSubject(to jid.JID) {
	s := r.subject
	st, _ := r.compose(Post{
		From: s.OccupantID, Nick: s.Nick, Lang: s.Lang, Payload: subjectElement(s.Text), Transient: true,
	})
	if !s.At.IsZero() {
		st = st.With(r.delay(s.At))
	}
	st.To = to
	r.send(st)
}
