package room

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ownerGet sends the configuration form (XEP-0045 §10.2).
func (r *Room) ownerGet(st *stanza.Stanza) (*stanza.Element, error) {
	if r.actor(st.From).aff != rules.AffOwner {
		return nil, stanza.Forbidden("Only owners may configure the room.")
	}
	return stanza.NewElement(muc.NSOwner, "query").Add(r.settings().Form("Configuration of "+r.jid.String(), r.bounds()).Element()), nil
}

func (r *Room) settings() rules.Settings {
	return rules.Settings{Info: r.info, Config: r.config, Admins: r.lists.With(rules.AffAdmin), Owners: r.lists.With(rules.AffOwner)}
}

func (r *Room) bounds() rules.Bounds {
	return rules.Bounds{Users: r.limits.Sessions, History: r.limits.History, Text: r.limits.Subject}
}

// ownerSet takes the filled in form, or destroys the room (XEP-0045 §10.1, §10.2, §10.9).
func (r *Room) ownerSet(ctx context.Context, st *stanza.Stanza, query *stanza.Element) error {
	a := r.actor(st.From)
	if a.aff != rules.AffOwner {
		return stanza.Forbidden("Only owners may do this.")
	}
	if d := query.Child(muc.NSOwner, "destroy"); d != nil {
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
	case f.FormType() != "" && f.FormType() != rules.NSRoomConfig:
		return stanza.BadRequest("This is not the configuration of a room.")
	}
	want, err := r.settings().Read(f, r.bounds())
	if err != nil {
		return err
	}
	return r.settle(ctx, a, want)
}

// acceptDefaults configures a locked room as it is for an owner who speaks in it without having asked for an instant room
// (XEP-0045 §10.1.2). Dino sends nothing else: nobody could enter the rooms that it creates.
func (r *Room) acceptDefaults(ctx context.Context, from jid.JID) error {
	return r.settle(ctx, r.actor(from), r.settings())
}

// settle gives the room the settings that an owner wants. A room that was locked is open then.
func (r *Room) settle(ctx context.Context, a actor, want rules.Settings) error {
	want.Config.Locked = false // XEP-0045 §10.1.2: an empty form accepts the defaults
	people := r.namedIn(a, want)
	if err := r.lists.CheckOwnerLeft(listed(people)); err != nil {
		return err
	}
	done, err := r.askOwner(ctx, Action{Kind: ActionConfigure, By: a.view(), Session: a.jid, Info: &want.Info, Config: &want.Config})
	if err != nil || !done {
		return err
	}
	var todo []Action
	for _, w := range people {
		if done, err = r.askOwner(ctx, w); err != nil {
			return err
		} else if done {
			todo = append(todo, w)
		}
	}
	return r.configure(ctx, want.Info, want.Config, todo)
}

// namedIn returns the changes of affiliation that make the named people the room's admins and owners. Others who were become members
// (XEP-0045 §10.2).
func (r *Room) namedIn(a actor, want rules.Settings) []Action {
	named := map[jid.JID]rules.Affiliation{}
	for _, j := range r.lists.With(rules.AffAdmin) {
		named[j] = rules.AffMember
	}
	for _, j := range r.lists.With(rules.AffOwner) {
		named[j] = rules.AffMember
	}
	for _, j := range want.Admins {
		named[j] = rules.AffAdmin
	}
	for _, j := range want.Owners {
		named[j] = rules.AffOwner
	}
	var people []Action
	for j, to := range named {
		if r.lists.Entry(j).Affiliation == to {
			continue
		}
		w := Action{Kind: ActionAffiliation, By: a.view(), Session: a.jid, JID: j, Affiliation: to}
		if o := r.occupants.ByBare(j); o != nil {
			v := view(o)
			w.Target = &v
		}
		people = append(people, w)
	}
	slices.SortFunc(people, func(a, b Action) int { return strings.Compare(a.JID.String(), b.JID.String()) })
	return people
}

// SetInfo changes the description of the room and announces to the occupants that
// the configuration has changed (XEP-0045 §10.2.1).
func (r *Room) SetInfo(ctx context.Context, info rules.Info) error {
	return r.configure(ctx, info, r.config, nil)
}

// SetConfig changes the rules of the room and applies them to the occupants.
func (r *Room) SetConfig(ctx context.Context, c rules.Config) error {
	return r.configure(ctx, r.info, c, nil)
}

// Configure changes the description and the rules of the room in one step.
func (r *Room) Configure(ctx context.Context, info rules.Info, c rules.Config) error {
	return r.configure(ctx, info, c, nil)
}

// configure changes the description, the rules and, with people, affiliations in one transaction.
func (r *Room) configure(ctx context.Context, info rules.Info, c rules.Config, people []Action) error {
	oldInfo, old := r.info, r.config
	same := reflect.DeepEqual(oldInfo, info) && reflect.DeepEqual(old, c)
	if same && len(people) == 0 {
		return nil
	}
	plan, err := r.planLists(people)
	if err != nil {
		return err
	}
	open := !c.Moderated && old.Moderated // XEP-0045 §5.1.2: everybody has a voice
	change := Change{Info: &info, Config: &c, Lists: plan, Versions: r.lists.Planned(), NoRoles: open}
	if err := r.saveDecisions(ctx, change, people); err != nil {
		return err
	}
	if open {
		r.visits.ForgetRoles()
	}
	r.info, r.config = info, c
	if len(r.occupants.Sessions()) > 0 {
		oldInfo.Occupants = info.Occupants // of the network
		r.announceConfig(old, c, !reflect.DeepEqual(oldInfo, info))
		if info.AvatarHash != oldInfo.AvatarHash {
			for _, s := range r.occupants.Sessions() {
				r.sendAvatar(s.JID)
			}
		}
	}
	for _, w := range people {
		r.affiliate(ctx, w, r.actor(w.Session).nick())
	}
	if c.MembersOnly && !old.MembersOnly {
		r.removeNonMembers(ctx)
	}
	if open {
		r.giveVoice(ctx)
	}
	r.notify(ctx, Event{Kind: ConfigChange})
	return nil
}

// giveVoice makes participants of the visitors of a room that is not moderated any longer (XEP-0045 §5.1.2).
func (r *Room) giveVoice(ctx context.Context) {
	for _, o := range slices.Clone(r.occupants.All()) {
		if o.Role == rules.RoleVisitor && o.Puppet == nil {
			r.setRole(ctx, o, rules.RoleParticipant, Departure{})
		}
	}
}

// announceConfig sends the status codes of XEP-0045 §10.2.1: one for each privacy setting that has changed, and 104 where anything
// else has.
func (r *Room) announceConfig(old, c rules.Config, more bool) {
	x := stanza.NewElement(muc.NSUser, "x")
	switch {
	case c.Logged && !old.Logged:
		x.Add(muc.Status(muc.StatusLogging))
	case !c.Logged && old.Logged:
		x.Add(muc.Status(muc.StatusLoggingOff))
	}
	switch {
	case c.NonAnonymous() && !old.NonAnonymous():
		x.Add(muc.Status(muc.StatusNonAnonymous))
	case !c.NonAnonymous() && old.NonAnonymous():
		x.Add(muc.Status(muc.StatusSemiAnon))
	}
	old.Logged, old.WhoIs, old.Locked = c.Logged, c.WhoIs, c.Locked
	if more || !reflect.DeepEqual(old, c) {
		x.Add(muc.Status(muc.StatusConfig))
	}
	if len(x.Nodes) > 0 {
		r.Broadcast(Post{Payload: stanza.Encode(x), Transient: true})
	}
}

// removeNonMembers removes all but members from a room that has become members-only (XEP-0045 §10.2.1).
func (r *Room) removeNonMembers(ctx context.Context) {
	var out []*occupants.Occupant
	for _, o := range r.occupants.All() {
		if len(o.Sessions) > 0 && !o.Affiliation.AtLeast(rules.AffMember) {
			out = append(out, o)
		}
	}
	for _, o := range out {
		r.endOccupant(ctx, o, Departure{Kind: BecameMembersOnly})
	}
}

// askDestroy handles an owner's request to destroy the room (XEP-0045 §10.9); d may be nil.
func (r *Room) askDestroy(ctx context.Context, a actor, d *stanza.Element) error {
	w := Action{
		Kind: ActionDestroy, By: a.view(), Session: a.jid, Reason: rules.Truncate(d.ChildText(muc.NSOwner, "reason"), r.limits.Subject),
		Value: rules.Truncate(d.ChildText(muc.NSOwner, "password"), r.limits.Subject),
	}
	if text := d.Attr("jid"); text != "" {
		var err error
		if w.JID, err = jid.Parse(text); err != nil {
			return stanza.JIDMalformed("The address of the room to use instead is malformed.")
		}
	}
	done, err := r.askOwner(ctx, w)
	if err == nil && done {
		err = r.destroy(ctx, w.JID, w.Value, w.Reason)
	}
	return err
}

// Destroy removes all occupants and ends the room. alternate, which may be zero, is the
// room to use instead.
func (r *Room) Destroy(ctx context.Context, alternate jid.JID, reason string) error {
	return r.destroy(ctx, alternate, "", reason)
}

// destroy is Destroy with the password of the alternate room.
func (r *Room) destroy(ctx context.Context, alternate jid.JID, password, reason string) error {
	if r.gone {
		return nil
	}
	if err := r.save(ctx, Change{Destroyed: true}); err != nil {
		return err
	}
	x := stanza.NewElement(muc.NSUser, "destroy").With("jid", alternate.String())
	if password != "" {
		x.Add(stanza.TextElement(muc.NSUser, "password", password)) // XEP-0045 §10.9
	}
	if reason != "" {
		x.Add(stanza.TextElement(muc.NSUser, "reason", reason))
	}
	for _, s := range r.occupants.Sessions() { // each session gets only its own presence (XEP-0045 §10.9)
		n := occupants.Change{Type: stanza.TypeUnavailable, Role: rules.RoleNone, Destroy: x}
		r.send(r.occupants.ToSelf(s, &n, []int{muc.StatusSelf}))
	}
	r.removeAll()
	r.gone = true
	r.notify(ctx, Event{Kind: Destroyed, JID: alternate, Reason: reason})
	return nil
}
