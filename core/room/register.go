package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	nicks "github.com/dragoman-im/dragoman/core/nick"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxApprovers is how many admins and owners are asked to approve a registration, and maxRequests how many registrations may wait.
const (
	maxApprovers = 50
	maxRequests  = 100
)

// register answers an IQ about registration with the room (XEP-0045 §7.10).
func (r *Room) register(ctx context.Context, st *stanza.Stanza, query *stanza.Element) (*stanza.Element, error) {
	bare := st.From.Bare()
	aff := r.lists.Of(bare)
	open := r.config.Registers()
	switch {
	case !query.Is(nsRegister, "query"):
		return nil, stanza.ServiceUnavailable("")
	case r.saver == nil && !open: // the lists belong to a network
		return r.queryOwner(ctx, st, nil)
	case aff == rules.AffOutcast:
		return nil, stanza.NotAllowed("You are banned from this room.")
	case !open && !aff.AtLeast(rules.AffMember):
		return nil, stanza.NotAllowed("People become members of this room by invitation.")
	case st.Type == stanza.TypeSet && query.Child(nsRegister, "remove") != nil:
		return nil, r.unregister(ctx, st.From, aff)
	case st.Type == stanza.TypeSet:
		return nil, r.registerNick(ctx, st, query)
	}
	x := stanza.NewElement(nsRegister, "query")
	if nick := r.lists.Entry(bare).Nick; nick != "" {
		return x.Add(stanza.NewElement(nsRegister, "registered"), stanza.TextElement(nsRegister, "username", nick)), nil
	}
	return x.Add(stanza.TextElement(nsRegister, "instructions", "Fill in the form to reserve a nickname."),
		rules.RegistrationForm(r.jid.String(), r.config).Element()), nil
}

// registerNick handles the filled in form.
func (r *Room) registerNick(ctx context.Context, st *stanza.Stanza, query *stanza.Element) error {
	asked, filled, err := rules.ReadRegistration(query.Child(form.NS, "x"), r.config)
	if err != nil {
		return err
	}
	nick, err := r.occupants.CheckNick(asked)
	if err != nil {
		return stanza.BadRequest("This nickname cannot be used.")
	}
	bare := st.From.Bare()
	if r.nickOfAnother(nick, bare) {
		return stanza.Conflict("This nickname is taken.")
	}
	a := r.actor(st.From)
	aff := r.lists.Of(bare)
	if !aff.AtLeast(rules.AffMember) {
		aff = rules.AffMember
		if r.config.Registration == rules.RegistrationApproved {
			wish := Action{Kind: ActionRegister, By: a.view(), Session: st.From, JID: bare, Affiliation: aff, Value: nick}
			if done, err := r.askOwner(ctx, wish); err != nil || !done {
				return err
			}
			return r.askApproval(ctx, bare, nick, filled.Set("muc#register_roomnick", nick))
		}
	}
	return r.admit(ctx, Action{Kind: ActionRegister, By: a.view(), Session: st.From, JID: bare, Affiliation: aff, Value: nick}, "")
}

// nickOfAnother reports whether somebody else has a nick that looks like this one, has reserved it, or has asked for it.
func (r *Room) nickOfAnother(nick string, bare jid.JID) bool {
	look := nicks.Skeleton(nick)
	if o := r.occupants.Alike(nick); o != nil && o.BareJID() != bare {
		return true
	}
	for j, n := range r.requests {
		if j != bare && nicks.Skeleton(n) == look {
			return true
		}
	}
	return r.lists.ReservedFor(nick, bare)
}

// admit makes somebody a member, or reserves the nick of one who is.
func (r *Room) admit(ctx context.Context, w Action, by string) error {
	if o := r.occupants.ByBare(w.JID); o != nil {
		v := view(o)
		w.Target = &v
	}
	done, err := r.askOwner(ctx, w)
	if err != nil || !done {
		return err
	}
	if err := r.saveLists(ctx, []Action{w}); err != nil {
		return err
	}
	r.affiliate(ctx, w, by)
	if o := r.occupants.ByBare(w.JID); o != nil && r.config.NickLocked && o.Nick != w.Value && o.Puppet == nil && r.occupants.NickIsFree(w.Value, o) {
		r.changeNickTo(ctx, o, w.Value, muc.StatusNickAssigned) // XEP-0045 §7.10
	}
	return nil
}

// unregister ends the registration of somebody (XEP-0077 §3.2). Admins and owners lose their reserved nick only.
func (r *Room) unregister(ctx context.Context, session jid.JID, aff rules.Affiliation) error {
	bare := session.Bare()
	if _, err := r.endRequest(ctx, bare); err != nil {
		return err
	}
	switch {
	case !aff.AtLeast(rules.AffMember):
		return stanza.RegistrationRequired("You are not registered with this room.")
	case aff == rules.AffMember:
		aff = rules.AffNone
	}
	return r.admit(ctx, Action{Kind: ActionRegister, By: r.actor(session).view(), Session: session, JID: bare, Affiliation: aff, NoNick: true}, "")
}

// askApproval asks the room's admins and owners about a registration (XEP-0045 §9.9).
func (r *Room) askApproval(ctx context.Context, who jid.JID, nick string, filled *form.Form) error {
	if r.requests[who] != "" || len(r.requests) >= maxRequests {
		return stanza.ResourceConstraint("Wait until the admins of the room have answered.")
	}
	if err := r.save(ctx, Change{Requests: []Request{{who, nick}}}); err != nil {
		return err
	}
	r.requests[who] = nick
	ask := rules.ApprovalForm(who, filled).Element()
	admins := append(r.lists.With(rules.AffOwner), r.lists.With(rules.AffAdmin)...)
	for _, j := range admins[:min(len(admins), maxApprovers)] {
		r.send(stanza.NewMessage(j, r.jid, "", ask.Clone()))
	}
	return nil
}

// approve handles the answer of an admin, who need not be in the room.
func (r *Room) approve(ctx context.Context, st *stanza.Stanza, answer rules.Approval) error {
	a := r.actor(st.From)
	if !a.aff.AtLeast(rules.AffAdmin) {
		return stanza.Forbidden("Only admins may do this.") // XEP-0045 §9
	}
	if answer.JID.IsZero() { // a client that leaves out what it does not know
		for j, n := range r.requests {
			if n == answer.Nick {
				answer.JID = j
			}
		}
	}
	nick, err := r.occupants.CheckNick(answer.Nick)
	switch {
	case answer.JID.IsZero():
		return stanza.ItemNotFound("There is no such request.")
	case !answer.Allow:
		_, err := r.endRequest(ctx, answer.JID)
		return err
	case err != nil:
		return err
	case r.lists.Of(answer.JID) != rules.AffNone:
		return nil // somebody else has decided
	case r.nickOfAnother(nick, answer.JID):
		return stanza.Conflict("This nickname is taken.")
	}
	return r.admit(ctx, Action{
		Kind: ActionAffiliation, By: a.view(), Session: st.From, JID: answer.JID, Affiliation: rules.AffMember, Value: nick,
	}, a.nick())
}
