package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// voiceForm returns the form of a voice request or approval in a message, or nil.
func voiceForm(st *stanza.Stanza) *form.Form {
	if st.Child(form.NS, "x") == nil {
		return nil
	}
	f := form.Find(st.Tree(), nsRequest)
	if f == nil || f.Kind != form.Submit {
		return nil
	}
	return f
}

// voice handles a visitor's voice request (XEP-0045 §7.13) or a moderator's answer (§8.6).
func (r *Room) voice(ctx context.Context, s *session, f *form.Form) error {
	if s == nil {
		return stanza.NotAcceptable("You are not in the room.")
	}
	if s.o.role == RoleModerator && f.Has("muc#request_allow") {
		return r.approveVoice(ctx, s, f)
	}
	if s.o.role != RoleVisitor || Role(f.Get("muc#role")) != RoleParticipant {
		return nil // the sender has voice already
	}
	if !r.visits.MayAsk(s.o.id, r.now()) {
		return stanza.ResourceConstraint("Wait a minute before you ask again.")
	}
	ask := form.New(form.Ask, nsRequest, "Voice request")
	ask.Instructions = []string{"Somebody asks to speak in the room."}
	ask.Choice("muc#role", "Requested role", string(RoleParticipant), form.Option{Value: string(RoleParticipant)})
	ask.Add(form.Field{Var: "muc#jid", Type: form.JIDSingle, Label: "Address", Values: []string{s.jid.String()}})
	ask.Text("muc#roomnick", "Nickname", s.o.nick)
	ask.Bool("muc#request_allow", "Let this person speak?", false)
	for _, m := range r.receivers {
		if m.o.role == RoleModerator {
			r.send(stanza.NewMessage(m.jid, r.jid, "", ask.Element()))
		}
	}
	return nil
}

func (r *Room) approveVoice(ctx context.Context, s *session, f *form.Form) error {
	target := r.byNick[f.Get("muc#roomnick")]
	if !f.IsTrue("muc#request_allow") || target == nil || target.role != RoleVisitor {
		return nil
	}
	if who, ok := f.JID("muc#jid"); ok && who.Bare() != target.bareJID() {
		return stanza.ItemNotFound("Somebody else has this nickname now.")
	}
	a := r.actor(s.jid)
	if err := mayChangeRole(a, target, RoleParticipant); err != nil {
		return err
	}
	v := target.view()
	done, err := r.askOwner(ctx, Action{
		Kind: ActionRole, By: a.view(), Session: s.jid, Target: &v, JID: target.bareJID(), Role: RoleParticipant,
	})
	if err == nil && done {
		r.setRole(ctx, target, RoleParticipant, Departure{Actor: a.nick()})
	}
	return err
}
