package conference

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces.
const (
	nsArchive     = archive.NS
	nsFasten      = "urn:xmpp:fasten:0"
	nsModerateOld = "urn:xmpp:message-moderate:0" // XEP-0425 0.2
	nsRetractOld  = "urn:xmpp:message-retract:0"
	nsModerate    = room.FeatureModerate
)

// features are those that rooms have beside the engine's own.
func features() []string {
	return append(archive.New(archive.Options{Search: true}).Features(true), nsModerate, nsModerateOld, message.NSRetract, message.NSRetract+"#tombstone")
}

// archives reports whether messages of the room are archived now.
func (o *owner) archives(r *room.Room) bool {
	return o.archive != 0 && r.Config().Logged && o.service.settings.Load().Archive
}

// row returns the archived form of a message, at the next position.
func (o *owner) row(p room.Post) *Message {
	now := time.Now().UnixMicro()
	if id, ok := archive.ParseID(p.StanzaID); ok {
		now = id.Micros()
	}
	o.last = max(o.last+1, now)
	return &Message{
		Archive: o.archive, Position: o.last, ID: p.StanzaID, Message: p.ID, Nick: p.Nick, Occupant: p.From, Lang: p.Lang, Extra: p.Extra, Payload: p.Payload,
	}
}

// posts are archived messages as the first ones of a room's history.
func posts(list []Message) []room.Post {
	var all []room.Post
	for _, m := range list {
		st := stanza.Stanza{Kind: stanza.Message, Extra: m.Extra, Payload: m.Payload}
		if st.MayHave(message.NSRetract, "retracted") && st.Child(message.NSRetract, "retracted") != nil || st.MayHave("", "subject") && st.Child("", "body") == nil {
			continue // nothing remains of it, or it is the subject, which is sent in any case
		}
		all = append(all, room.Post{
			From: m.Occupant, Nick: m.Nick, ID: m.Message, StanzaID: m.ID, Lang: m.Lang, Extra: m.Extra, Payload: m.Payload, Stamp: m.At(),
		})
	}
	return all
}

// retracted returns what a message retracts (XEP-0424 §5), or nil. In a room, that is named by the id that the room has given.
func retracted(m room.Message) *Retraction {
	if !m.Stanza.MayHave(message.NSRetract, "retract") {
		return nil
	}
	id := m.Stanza.Child(message.NSRetract, "retract").Attr("id")
	if id == "" {
		return nil
	}
	e := stanza.NewElement(message.NSRetract, "retracted").With("stamp", message.Stamp(time.Now())).With("id", m.Stanza.ID) // XEP-0424 §4
	return &Retraction{ID: id, Occupant: m.From.ID, Payload: stanza.Encode(e)}
}

// moderation is the retraction of a message by a moderator.
type moderation struct {
	target string // stanza-id
	by     room.Occupant
	reason string
}

// moderate replaces a message in the archive and announces it (XEP-0425 §3.1, §5). The room does it itself if it has no archive. The
// announcement follows what was sent before, so that it is in the place that it has in the archive.
func (o *owner) moderate(ctx context.Context, r *room.Room, m moderation) error {
	announced := r.Moderation(m.target, m.by, m.reason)
	moderated := announced.Child(nsModerate, "moderated")
	old := stanza.NewElement(nsModerateOld, "moderated").With("by", moderated.Attr("by")).Add(stanza.NewElement(nsRetractOld, "retract"))
	remains := stanza.NewElement(message.NSRetract, "retracted").With("stamp", message.Stamp(time.Now())).Add(moderated.Clone())
	if m.reason != "" {
		old.Add(stanza.TextElement(nsModerateOld, "reason", m.reason))
		remains.Add(stanza.TextElement(message.NSRetract, "reason", m.reason))
	}
	post := room.Post{
		StanzaID: stanza.NewID(), ID: stanza.NewID(),
		Payload: stanza.Encode(announced, stanza.NewElement(nsFasten, "apply-to").With("id", m.target).Add(old)),
	}
	if o.archive == 0 {
		return nil
	}
	found, err := o.service.Archives.Moderate(ctx, r.JID(), o.row(post), &Retraction{ID: m.target, Payload: stanza.Encode(remains)})
	switch {
	case err != nil:
		return err
	case !found && o.archives(r):
		return stanza.ItemNotFound("There is no such message.")
	}
	o.pending++
	o.service.rooms.Later(r.JID(), func(_ context.Context, now *room.Room) {
		o.pending--
		if now == r {
			r.RemoveHistory(m.target)
			r.Broadcast(post)
		}
	})
	return room.ErrHandled
}

// moderateOld handles the request of the earlier version of XEP-0425.
func (o *owner) moderateOld(ctx context.Context, r *room.Room, q room.Query) error {
	x := q.Stanza.FirstChild()
	wanted := x.Child(nsModerateOld, "moderate")
	switch {
	case wanted == nil || x.Attr("id") == "":
		return stanza.BadRequest("Say which message to moderate.")
	case q.From == nil || q.From.Role != rules.RoleModerator:
		return stanza.Forbidden("Only moderators may moderate messages.")
	case wanted.Child(nsRetractOld, "retract") == nil:
		return stanza.FeatureNotImplemented("Messages can only be retracted.")
	}
	m := moderation{target: x.Attr("id"), by: *q.From, reason: wanted.ChildText(nsModerateOld, "reason")}
	if len(m.reason) > int(o.service.settings.Load().SubjectBytes) {
		return stanza.NotAcceptable("The reason is too long.")
	}
	err := o.moderate(ctx, r, m)
	if err == nil {
		r.Moderate(m.target, m.by, m.reason)
	}
	if errors.Is(err, room.ErrHandled) {
		return nil
	}
	return err
}

// mayRead reports whether an address that is not in the room may read its archive: members, and, where everybody may enter, everybody
// who is not banned.
func mayRead(r *room.Room, who jid.JID) bool {
	c := r.Config()
	entry, listed := r.Listed(who)
	host, _ := r.Listed(who.Host())
	switch {
	case listed && entry.Affiliation == rules.AffOutcast, !listed && host.Affiliation == rules.AffOutcast, c.Locked && entry.Affiliation != rules.AffOwner:
		return false
	case entry.Affiliation.AtLeast(rules.AffMember):
		return true
	}
	return !c.MembersOnly && c.Password == ""
}

// Readable returns the rooms whose archives an account may read because it is a member, in the order of their addresses.
func (s *Service) Readable(ctx context.Context, account jid.JID) ([]jid.JID, error) {
	return s.Lists.MemberOf(ctx, s.Domain(), account)
}

// Archive returns the archive of a room for an account. It returns a *stanza.Error if the account may not read it.
func (s *Service) Archive(ctx context.Context, account, at jid.JID) (store archive.Store, err error) {
	err = s.call(ctx, at, func(ctx context.Context, r *room.Room) error {
		if !mayRead(r, account) {
			return stanza.Forbidden("You may not read what was said in this room.")
		}
		a, err := s.Archives.OpenArchive(ctx, at, 0)
		store = reader{s.Archives, at, a.Number}
		return err
	})
	return store, err
}
