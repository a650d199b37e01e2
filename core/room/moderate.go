package room

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// FeatureModerate is the feature of XEP-0425. If an Owner advertises it in Info.Features, Owner.Allow is called with
// ActionModerate.
const FeatureModerate = nsModerate

func (r *Room) moderation() bool { return slices.Contains(r.info.Features, FeatureModerate) }

// moderate handles a moderator's request to retract a message (XEP-0425 §3).
func (r *Room) moderate(ctx context.Context, st *stanza.Stanza, x *stanza.Element) error {
	a := r.actor(st.From)
	id := x.Attr("id")
	switch {
	case !x.Is(nsModerate, "moderate") || id == "":
		return stanza.BadRequest("Say which message to moderate.")
	case a.role != rules.RoleModerator:
		return stanza.Forbidden("Only moderators may moderate messages.") // XEP-0425 §3.2
	case x.Child(nsRetract, "retract") == nil:
		return stanza.FeatureNotImplemented("Messages can only be retracted.")
	}
	reason := rules.Truncate(x.ChildText(nsModerate, "reason"), r.limits.Subject)
	by := a.view()
	done, err := r.askOwner(ctx, Action{Kind: ActionModerate, By: by, Session: st.From, Value: id, Reason: reason})
	if err == nil && done {
		r.Moderate(id, by, reason)
	}
	return err
}

// Moderate announces that the message with a stanza-id was retracted by a moderator or, with
// a zero Occupant, by the service (XEP-0425 §3.1), and removes the message from the room's own
// history. It returns the stanza-id of the announcement.
func (r *Room) Moderate(stanzaID string, by Occupant, reason string) string {
	r.RemoveHistory(stanzaID)
	return r.Broadcast(Post{Payload: stanza.Encode(r.Moderation(stanzaID, by, reason))})
}

// Moderation is the announcement of Moderate, for an Owner that makes it durable first. A Post of it is broadcast after RemoveHistory.
func (r *Room) Moderation(stanzaID string, by Occupant, reason string) *stanza.Element {
	moderated := stanza.NewElement(nsModerate, "moderated")
	if by.ID != "" {
		moderated.With("by", r.addressOf(by).String()).Add(muc.OccupantID(by.ID))
	}
	x := stanza.NewElement(nsRetract, "retract").With("id", stanzaID).Add(moderated)
	if reason != "" {
		x.Add(stanza.TextElement(nsRetract, "reason", reason))
	}
	return x
}

// addressOf returns room/nick of a present or former occupant.
func (r *Room) addressOf(o Occupant) jid.JID {
	if now := r.occupants.ByID(o.ID); now != nil {
		return now.JID
	}
	j, err := r.jid.WithResource(r.occupants.CleanNick(o.Nick))
	if err != nil {
		return r.jid
	}
	return j
}
