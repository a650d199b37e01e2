package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// voiceForm returns the form of a voice request or approval in a message, or nil.
func voiceForm(st *stanza.Stanza) *form.Form {
	if st.Child(form.NS, "x") == nil {
		return nil
	}
	f := form.Find(st.Tree(), muc.NSRequest)
	if f == nil || f.Kind != form.Submit {
		return nil
	}
	return f
}

// voice handles a visitor's voice request (XEP-0045 §7.13) or a moderator's answer (§8.6).
func (r *Room) voice(ctx context.Context, s *occupants.Session, f *form.Form) error {
	if s == nil {
		return stanza.NotAcceptable("You are not in the room.")
	}
	if s.Occupant.Role == rules.RoleModerator && f.Has("muc#request_allow") {
		return r.approveVoice(ctx, s, f)
	}
	if s.Occupant.Role != rules.RoleVisitor || rules.Role(f.Get("muc#role")) != rules.RoleParticipant {
		return nil // the sender has voice already
	}
	if !r.visits.MayAsk(s.Occupant.ID, r.now()) {
		return stanza.ResourceConstraint("Wait a minute before you ask again.")
	}
	ask := form.New(form.Ask, muc.NSRequest, "Voice request")
	ask.Instructions = []string{"Somebody asks to speak in the room."}
	ask.Choice("muc#role", "Requested role", string(rules.RoleParticipant), form.Option{Value: string(rules.RoleParticipant)})
	ask.Add(form.Field{Var: "muc#jid", Type: form.JIDSingle, Label: "Address", Values: []string{s.JID.String()}})
	ask.Text("muc#roomnick", "Nickname", s.Occupant.Nick)
	ask.Bool("muc#request_allow", "Let this person speak?", false)
	for _, m := range r.occupants.Sessions() {
		if m.Occupant.Role == rules.RoleModerator {
			r.send(stanza.NewMessage(m.JID, r.jid, "", ask.Element()))
		}
	}
	return nil
}

func (r *Room) approveVoice(ctx context.Context, s *occupants.Session, f *form.Form) error {
	target := r.occupants.ByNick(f.Get("muc#roomnick"))
	if !f.IsTrue("muc#request_allow") || target == nil || target.Role != rules.RoleVisitor {
		return nil
	}
	if who, ok := f.JID("muc#jid"); ok && who.Bare() != target.BareJID() {
		return stanza.ItemNotFound("Somebody else has this nickname now.")
	}
	a := r.actor(s.JID)
	if err := mayChangeRole(a, target, rules.RoleParticipant); err != nil {
		return err
	}
	v := view(target)
	w := Action{Kind: ActionRole, By: a.view(), Session: s.JID, Target: &v, JID: target.BareJID(), Role: rules.RoleParticipant}
	done, err := r.askOwner(ctx, w)
	if err == nil && done {
		err = r.saveLists(ctx, []Action{w})
	}
	if err == nil && done {
		r.setRole(ctx, target, rules.RoleParticipant, Departure{Actor: a.nick()})
	}
	return err
}
