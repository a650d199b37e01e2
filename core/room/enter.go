package room

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// enter handles presence with <x xmlns='…/muc'/>: a session enters the room, or a session that is in the
// room requests its state again (XEP-0045 §7.2).
func (r *Room) enter(ctx context.Context, st *stanza.Stanza) error {
	if s := r.occupants.BySession(st.From); s != nil {
		return r.resync(ctx, s, st)
	}
	nick, err := r.occupants.CheckNick(st.To.Resource())
	if err != nil {
		return err
	}
	bare := st.From.Bare()
	listed := r.lists.Of(bare)
	if listed == rules.AffOutcast {
		return stanza.Forbidden("You are banned from this room.") // XEP-0045 §7.2.7
	}
	x := st.Child(muc.NS, "x")
	request := EnterRequest{
		Session: st.From, Nick: nick, Password: x.ChildText(muc.NS, "password"), Affiliation: listed, Presence: st,
	}
	grant, err := r.grantEntry(ctx, request)
	if err != nil {
		return err
	}
	o := r.occupants.ByID(grant.OccupantID)
	fresh := o == nil
	switch {
	case fresh && grant.Nick != "":
		nick = r.occupants.UniqueNick(grant.Nick, nil)
	case fresh && r.config.NickLocked && r.lists.Entry(bare).Nick != "" && r.occupants.NickIsFree(r.lists.Entry(bare).Nick, nil):
		nick = r.lists.Entry(bare).Nick // XEP-0045 §7.10
	case fresh && (!r.occupants.NickIsFree(nick, nil) || r.lists.ReservedFor(nick, bare)):
		return stanza.Conflict("This nickname is taken.") // XEP-0045 §7.2.8
	case !fresh && len(o.Sessions) >= r.limits.PerOccupant:
		return stanza.ResourceConstraint("Too many of your clients are in this room.")
	}
	before, saw := rules.Role(""), ""
	if fresh {
		o = r.occupants.Add(grant.OccupantID, nick)
		o.Role, o.Affiliation = grant.Role, grant.Affiliation
	} else { // another session of an occupant gets the occupant's current role and affiliation
		before, saw = o.Role, r.occupants.Visible(o)
	}
	s := &occupants.Session{JID: st.From, Asked: st.To.Resource()}
	r.occupants.Attach(o, s)
	r.occupants.KeepPresence(s, st)
	if fresh || r.occupants.Visible(o) != saw {
		r.occupants.AnnounceChange(o, before, occupants.Change{Except: s})
	}
	r.sendRoom(ctx, s, st, s.Asked != o.Nick)
	r.notify(ctx, Event{Kind: Entered, Occupant: view(o), Session: s.JID, Presence: st})
	return nil
}

// grantEntry asks the Owner and applies the room's own rules. All fields of the returned Grant
// except Nick are set.
func (r *Room) grantEntry(ctx context.Context, request EnterRequest) (Grant, error) {
	grant, err := r.owner.Enter(ctx, r, request)
	switch {
	case err != nil:
		return grant, err
	case r.gone:
		return grant, stanza.Gone("This room does not exist any longer.")
	}
	if grant.Affiliation == "" {
		grant.Affiliation = request.Affiliation
	}
	if grant.OccupantID == "" || len(grant.OccupantID) > occupants.MaxID {
		grant.OccupantID = r.occupantID(request.Session.Bare())
	}
	if grant.Role == "" || grant.Role == rules.RoleNone {
		grant.Role = r.visits.RoleOnEntry(grant.OccupantID, grant.Affiliation, r.config.Moderated)
	}
	if err := r.checkEntry(request, grant); err != nil {
		return grant, err
	}
	return grant, r.mayChangePresence(grant.OccupantID)
}

// checkEntry makes the checks of XEP-0045 §7.2.5 to §7.2.10.
func (r *Room) checkEntry(request EnterRequest, g Grant) error {
	switch {
	case g.Affiliation == rules.AffOutcast:
		return stanza.Forbidden("You are banned from this room.") // XEP-0045 §7.2.7
	case r.config.Locked && g.Affiliation != rules.AffOwner:
		return stanza.ItemNotFound("This room is not open yet.") // XEP-0045 §7.2.10
	case r.config.MembersOnly && !g.Affiliation.AtLeast(rules.AffMember):
		return stanza.RegistrationRequired("Only members may enter this room.") // XEP-0045 §7.2.6
	case !r.rightPassword(request.Password):
		return stanza.NotAuthorized("This room requires a password.") // XEP-0045 §7.2.5
	}
	limit, users := r.limits.Sessions, r.occupants.Users()
	if r.config.MaxUsers > 0 {
		limit = min(limit, r.config.MaxUsers)
	}
	if g.Affiliation.AtLeast(rules.AffAdmin) {
		limit += r.limits.Reserve // XEP-0045 §7.2.9
	}
	if o := r.occupants.ByID(g.OccupantID); users >= limit && (o == nil || len(o.Sessions) == 0) ||
		len(r.occupants.Sessions()) >= r.limits.Sessions+r.limits.Reserve {
		full := stanza.ServiceUnavailable("This room is full.") // XEP-0045 §7.2.9
		full.Type = "wait"
		return full
	}
	return nil
}

// rightPassword compares in constant time.
func (r *Room) rightPassword(given string) bool {
	if r.config.Password == "" {
		return true
	}
	want, got := sha256.Sum256([]byte(r.config.Password)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// occupantID derives the stable, unguessable id of a bare JID in this room (XEP-0421 §4.1).
func (r *Room) occupantID(bare jid.JID) string { return r.derive(bare.String()) }

func (r *Room) derive(of string) string {
	mac := hmac.New(sha256.New, r.secret)
	mac.Write([]byte(r.jid.String()))
	mac.Write([]byte{0})
	mac.Write([]byte(of))
	return hex.EncodeToString(mac.Sum(nil))
}

// resync handles a request to enter from a session that is in the room (XEP-0045 §7.2.1, §17.3).
func (r *Room) resync(ctx context.Context, s *occupants.Session, st *stanza.Stanza) error {
	if err := r.mayChangePresence(s.Occupant.ID); err != nil {
		return err
	}
	if nick := st.To.Resource(); nick != s.Occupant.Nick && nick != s.Asked && nick != "" {
		if err := r.changeNick(ctx, s, st); err != nil || r.occupants.BySession(s.JID) != s {
			return err
		}
	}
	saw := r.occupants.Visible(s.Occupant)
	r.occupants.KeepPresence(s, st)
	if r.occupants.Visible(s.Occupant) != saw {
		r.occupants.Announce(s.Occupant, occupants.Change{Except: s})
	}
	r.sendRoom(ctx, s, st, st.To.Resource() != s.Occupant.Nick)
	r.notify(ctx, Event{Kind: PresenceChange, Occupant: view(s.Occupant), Session: s.JID, Presence: st})
	return nil
}

// sendRoom sends an entering session the state of the room, in the order of XEP-0045 §7.1: presence
// of the other occupants, its own presence, the history, the subject.
func (r *Room) sendRoom(ctx context.Context, s *occupants.Session, st *stanza.Stanza, renamed bool) {
	version := r.sendAffiliations(s, st)
	batch := stanza.NewBatch(len(r.occupants.All()))
	for _, o := range r.occupants.All() {
		if o == s.Occupant || !r.config.Broadcasts(o.Role) {
			continue
		}
		p := batch.Next()
		p.Kind, p.To, p.From, p.Extra = stanza.Presence, s.JID, o.JID, o.Extra()
		p.Payload = r.occupants.Payload(o, r.occupants.SeesJIDs(s, o))
		r.send(p)
	}
	r.sendAvatar(s.JID)
	codes := []int{}
	if r.config.NonAnonymous() {
		codes = append(codes, muc.StatusShowsJIDs) // XEP-0045 §7.2.3
	}
	codes = append(codes, muc.StatusSelf)
	if r.config.Logged {
		codes = append(codes, muc.StatusLogging) // XEP-0045 §7.2.12
	}
	if r.config.Locked || r.created {
		codes = append(codes, muc.StatusCreated) // XEP-0045 §10.1.1
		r.created = false
	}
	if renamed {
		codes = append(codes, muc.StatusNickAssigned) // XEP-0045 §7.2.2
	}
	own := r.occupants.ToSelf(s, &occupants.Change{Version: version}, codes)
	own.ID = st.ID
	r.send(own)
	r.sendHistory(ctx, s, st.Child(muc.NS, "x").Child(muc.NS, "history"))
	r.sendSubject(s.JID)
}

// sendAvatar sends presence of the room itself with the hash of its avatar, for clients that
// look for it there (XEP-0153 §3.1) and not in disco#info (XEP-0486 §3.3).
func (r *Room) sendAvatar(to jid.JID) {
	if r.info.AvatarHash == "" {
		return
	}
	const ns = "vcard-temp:x:update"
	r.send(stanza.NewPresence(to, r.jid, "", stanza.NewElement(ns, "x").Add(
		stanza.TextElement(ns, "photo", r.info.AvatarHash))))
}
