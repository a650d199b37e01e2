package rules

import (
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSRegisterForm is the FORM_TYPE of registration with a room.
const NSRegisterForm = "http://jabber.org/protocol/muc#register"

// Fields of the forms of registration (XEP-0045 §16.5.1).
const (
	fieldNick  = "muc#register_roomnick"
	fieldAllow = "muc#register_allow"
	fieldJID   = "muc#jid" // beside them, as in the form of a voice request
)

// registerFields are the fields beside the nick, which an admin sees who approves.
var registerFields = []form.Field{
	{Var: "muc#register_first", Type: form.TextSingle, Label: "Given name"},
	{Var: "muc#register_last", Type: form.TextSingle, Label: "Family name"},
	{Var: "muc#register_url", Type: form.TextSingle, Label: "Web page"},
	{Var: "muc#register_email", Type: form.TextSingle, Label: "Email address"},
	{Var: "muc#register_faqentry", Type: form.TextMulti, Label: "About you"},
}

// maxAbout is the size of what somebody may say of themselves, in bytes.
const maxAbout = 4096

// RegistrationForm returns the form that one who registers fills in (XEP-0045 §7.10). Only where an admin reads it, it asks for
// more than a nick.
func RegistrationForm(room string, c Config) *form.Form {
	f := form.New(form.Ask, NSRegisterForm, "Registration with "+room)
	f.Add(form.Field{Var: fieldNick, Type: form.TextSingle, Label: "Nickname", Required: true})
	if c.Registration == RegistrationApproved {
		f.Instructions = []string{"An admin of the room reads this and decides."}
		f.Add(registerFields...)
	}
	return f
}

// ReadRegistration reads a filled in RegistrationForm.
func ReadRegistration(x *stanza.Element, c Config) (nick string, filled *form.Form, err error) {
	f, err := form.Parse(x)
	if err != nil || f.Kind != form.Submit || f.FormType() != NSRegisterForm {
		return "", nil, stanza.BadRequest("Fill in the form of registration with this room.") // XEP-0045 §7.10
	}
	filled, err = RegistrationForm("", c).Accept(f)
	if err != nil {
		return "", nil, stanza.BadRequest(err.Error())
	}
	about := 0
	for _, fd := range filled.Fields {
		for _, v := range fd.Values {
			about += len(v)
		}
	}
	if about > maxAbout {
		return "", nil, stanza.NotAcceptable("The form is too long.")
	}
	return filled.Get(fieldNick), filled, nil
}

// ApprovalForm returns the form by which an admin approves a registration (XEP-0045 §9.9).
func ApprovalForm(who jid.JID, filled *form.Form) *form.Form {
	f := form.New(form.Ask, NSRegisterForm, "Registration request")
	f.Instructions = []string{"Somebody asks to become a member of the room."}
	f.Add(form.Field{Var: fieldJID, Type: form.JIDSingle, Label: "Address", Values: []string{who.String()}})
	f.Text(fieldNick, "Nickname", filled.Get(fieldNick))
	for _, fd := range registerFields {
		if fd.Values = filled.Values(fd.Var); len(fd.Values) > 0 {
			f.Add(fd)
		}
	}
	f.Bool(fieldAllow, "Let this person register with the room?", false)
	return f
}

// Approval is an admin's answer to an ApprovalForm.
type Approval struct {
	JID   jid.JID // bare
	Nick  string
	Allow bool
}

// FindApproval returns the answer of an admin in a message; ok is false if there is none.
func FindApproval(message *stanza.Element) (a Approval, ok bool) {
	f := form.Find(message, NSRegisterForm)
	if f == nil || f.Kind != form.Submit || !f.Has(fieldAllow) {
		return a, false
	}
	who, _ := f.JID(fieldJID)
	return Approval{JID: who.Bare(), Nick: f.Get(fieldNick), Allow: f.IsTrue(fieldAllow)}, true
}
