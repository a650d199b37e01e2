package room

import (
	"context"
	"reflect"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ownerGet sends the configuration form (XEP-0045 §10.2).
func (r *Room) ownerGet(st *stanza.Stanza) (*stanza.Element, error) {
	if r.actor(st.From).aff != AffOwner {
		return nil, stanza.Forbidden("Only owners may configure the room.")
	}
	return stanza.NewElement(NSOwner, "query").Add(r.configForm().Element()), nil
}

// ownerSet takes the filled in form, or destroys the room (XEP-0045 §10.1, §10.2, §10.9).
func (r *Room) ownerSet(ctx context.Context, st *stanza.Stanza, query *stanza.Element) error {
	a := r.actor(st.From)
	if a.aff != AffOwner {
		return stanza.Forbidden("Only owners may do this.")
	}
	if d := query.Child(NSOwner, "destroy"); d != nil {
		return r.askDestroy(ctx, a, d)
	}
	f, err := form.Parse(query.Child(form.NS, "x"))
	if err != nil {
		return err
	}
	switch {
	case f.Kind == form.Cancel && r.config.Locked: // XEP-0045 §10.1.3
		return r.askDestroy(ctx, a, nil)
	case f.Kind == form.Cancel:
		return nil
	case f.Kind != form.Submit:
		return stanza.BadRequest("The form is not filled in.")
	case f.FormType() != "" && f.FormType() != nsRoomConfig:
		return stanza.BadRequest("This is not the configuration of a room.")
	}
	info, config, err := r.readConfig(f)
	if err != nil {
		return err
	}
	config.Locked = false // XEP-0045 §10.1.2: an empty form accepts the defaults
	done, err := r.askOwner(ctx, Action{Kind: ActionConfigure, By: a.view(), Session: a.jid, Info: &info, Config: &config})
	if err != nil || !done {
		return err
	}
	return r.configure(ctx, info, config)
}

// SetInfo changes the description of the room and announces to the occupants that
// the configuration has changed (XEP-0045 §10.2.1).
func (r *Room) SetInfo(ctx context.Context, info Info) error { return r.configure(ctx, info, r.config) }

// SetConfig changes the rules of the room and applies them to the occupants.
func (r *Room) SetConfig(ctx context.Context, c Config) error { return r.configure(ctx, r.info, c) }

// Configure changes the description and the rules of the room in one step.
func (r *Room) Configure(ctx context.Context, info Info, c Config) error {
	return r.configure(ctx, info, c)
}

func (r *Room) configure(ctx context.Context, info Info, c Config) error {
	oldInfo, old := r.info, r.config
	if reflect.DeepEqual(oldInfo, info) && reflect.DeepEqual(old, c) {
		return nil
	}
	if err := r.save(ctx, Change{Info: &info, Config: &c}); err != nil {
		return err
	}
	r.info, r.config = info, c
	if len(r.receivers) > 0 {
		r.announceConfig(old, c)
		if info.AvatarHash != oldInfo.AvatarHash {
			for _, s := range r.receivers {
				r.sendAvatar(s.jid)
			}
		}
	}
	if c.MembersOnly && !old.MembersOnly {
		r.removeNonMembers(ctx)
	}
	r.notify(ctx, Event{Kind: ConfigChange})
	return nil
}

// announceConfig sends the status codes of XEP-0045 §10.2.1.
func (r *Room) announceConfig(old, c Config) {
	x := stanza.NewElement(NSUser, "x")
	switch {
	case c.Logged && !old.Logged:
		x.Add(status(statusLogging))
	case !c.Logged && old.Logged:
		x.Add(status(statusLoggingOff))
	}
	switch {
	case c.nonAnonymous() && !old.nonAnonymous():
		x.Add(status(statusNonAnonymous))
	case !c.nonAnonymous() && old.nonAnonymous():
		x.Add(status(statusSemiAnon))
	}
	x.Add(status(statusConfig))
	r.Broadcast(Post{Payload: stanza.Encode(x), Transient: true})
}

// removeNonMembers removes all but members from a room that has become members-only (XEP-0045 §10.2.1).
func (r *Room) removeNonMembers(ctx context.Context) {
	var out []*occupant
	for _, o := range r.occupants {
		if len(o.sessions) > 0 && !o.aff.AtLeast(AffMember) {
			out = append(out, o)
		}
	}
	for _, o := range out {
		r.endOccupant(ctx, o, Departure{Kind: BecameMembersOnly})
	}
}

// askDestroy handles an owner's request to destroy the room (XEP-0045 §10.9); d may be nil.
func (r *Room) askDestroy(ctx context.Context, a actor, d *stanza.Element) error {
	alternate, _ := jid.Parse(d.Attr("jid"))
	reason := truncate(d.ChildText(NSOwner, "reason"), r.limits.Subject)
	done, err := r.askOwner(ctx, Action{Kind: ActionDestroy, By: a.view(), Session: a.jid, JID: alternate, Reason: reason})
	if err == nil && done {
		err = r.Destroy(ctx, alternate, reason)
	}
	return err
}

// Destroy removes all occupants and ends the room. alternate, which may be zero, is the
// room to use instead.
func (r *Room) Destroy(ctx context.Context, alternate jid.JID, reason string) error {
	if r.gone {
		return nil
	}
	if err := r.save(ctx, Change{Destroyed: true}); err != nil {
		return err
	}
	x := stanza.NewElement(NSUser, "destroy").With("jid", alternate.String())
	if reason != "" {
		x.Add(stanza.TextElement(NSUser, "reason", reason))
	}
	for _, s := range r.receivers { // each session gets only its own presence (XEP-0045 §10.9)
		n := presenceChange{typ: stanza.TypeUnavailable, role: RoleNone, destroy: x}
		r.send(r.toSelf(s, &n, []int{statusSelf}))
	}
	r.removeAll()
	r.gone = true
	r.notify(ctx, Event{Kind: Destroyed, JID: alternate, Reason: reason})
	return nil
}
