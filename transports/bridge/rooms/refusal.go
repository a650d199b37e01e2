package rooms

import (
	"github.com/dragoman-im/dragoman/core/form"

	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// refusal is the answer to what nobody can do in a room of a network, with what to do instead; nil where core/room decides. The conditions
// are those for people who lack the right.
func (r *Room) refusal(st *stanza.Stanza) *stanza.Error {
	switch {
	case st.Type == stanza.TypeError || st.Type == stanza.TypeResult:
		return nil
	case st.Kind == stanza.IQ && st.To.IsBare():
		return r.refusedRequest(st)
	case st.Kind == stanza.Message:
		return r.refusedMessage(st)
	}
	return nil
}

func (r *Room) refusedRequest(st *stanza.Stanza) *stanza.Error {
	network := r.rooms.env.Info.Name
	set := st.Type == stanza.TypeSet
	x := st.FirstChild()
	item := x.Child(muc.NSAdmin, "item")
	role, affiliation := item.Attr("role") != "", item.Attr("affiliation") != ""
	switch {
	case x.Is(muc.NSOwner, "query") && set && x.Child(muc.NSOwner, "destroy") != nil: // XEP-0045 §10.9
		return stanza.Forbidden("This room belongs to " + network + ". Please delete it there, or leave it.")
	case x.Is(muc.NSOwner, "query"): // XEP-0045 §10.2
		return stanza.Forbidden("This room belongs to " + network + ". Please configure it there.")
	case x.Is(muc.NSAdmin, "query") && set && role && !affiliation: // XEP-0045 §8.2, §8.3
		return stanza.Forbidden(network + " decides who may speak in this room. Please change it, or remove people, on " + network + ".")
	case x.Is(muc.NSAdmin, "query") && set && affiliation && !role: // XEP-0045 §9
		return stanza.Forbidden(network + " decides who belongs to this room. Please change it, or ban people, on " + network + ".")
	case x.Is(muc.NSAdmin, "query") && !set && (role != affiliation) && (role || item.Attr("affiliation") == string(rules.AffOutcast)): // XEP-0045 §8.5, §9.2
		return stanza.Forbidden("This list is kept on " + network + ". Please read it there.")
	case x.Is(convert.NSRegister, "query"): // XEP-0045 §7.10
		return stanza.NotAllowed("Your membership of this room is that of " + network + ". Please join or leave the room there.")
	case x.Is(convert.NSModerate, "moderate") && set: // XEP-0425 §3.2
		return stanza.Forbidden("Messages of others are removed on " + network + ". Please do it there.")
	case x.Is(convert.NSVCard, "vCard") && set: // XEP-0054 §3.2
		return stanza.Forbidden("The description and the picture of this room are those of " + network + ". Please change them there.")
	}
	return nil
}

// refusedMessage is for those in the room; for others core/room answers.
func (r *Room) refusedMessage(st *stanza.Stanza) *stanza.Error {
	e := r.Engine()
	if e == nil {
		return nil
	}
	o, in := e.BySession(st.From)
	if !in {
		return nil
	}
	network, visitor := r.rooms.env.Info.Name, o.Role == rules.RoleVisitor
	noVoice := stanza.Forbidden("You may only read this room. Please ask its people on " + network + " to let you write.")
	switch {
	case st.To.IsFull():
	case st.Type == stanza.TypeGroupchat && visitor: // XEP-0045 §7.4
		return noVoice
	case st.Type == stanza.TypeGroupchat && subjectOnly(st) && !r.rooms.env.Info.Caps.CanChange(transports.ChangeTopic): // XEP-0045 §8.1
		return stanza.Forbidden("The topic of this room is that of " + network + ". Please change it there.")
	case st.Type == stanza.TypeGroupchat:
	case st.Child(convert.NSMUCUser, "x").Child(convert.NSMUCUser, "invite") != nil: // XEP-0045 §9.5
		return stanza.Forbidden(network + " decides who is in this room. Please invite people there.")
	case visitor && asksForVoice(st): // XEP-0045 §7.13
		return noVoice
	}
	return nil
}

// asksForVoice reports whether a message is a voice request.
func asksForVoice(st *stanza.Stanza) bool {
	f := form.Find(st.Tree(), convert.NSVoice)
	return f != nil && f.Kind == form.Submit
}

// subjectOnly reports whether a message changes the subject (XEP-0045 §7.2.15).
func subjectOnly(st *stanza.Stanza) bool {
	return st.Child("", "subject") != nil && st.Child("", "body") == nil && st.Child("", "thread") == nil
}
