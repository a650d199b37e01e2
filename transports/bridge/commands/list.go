package commands

import (
	"net/url"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
)

// addressList is a list of rooms or people as the result of a command: a table, or in a chat one text with links.
type addressList struct {
	form *form.Form
	text string // in a chat
	verb string // what a client does with an address: the query of its URI (XEP-0147)
}

func newAddressList(title, verb string, chat bool) *addressList {
	l := &addressList{form: form.New(form.Result, "", title), verb: verb}
	l.form.Reported = []form.Field{{Var: "jid", Type: form.JIDSingle, Label: "Address"}, {Var: "name", Type: form.TextSingle, Label: "Name"}}
	if chat {
		l.text = title + ":"
	}
	return l
}

func (l *addressList) add(j jid.JID, name string) {
	l.form.Items = append(l.form.Items, []form.Field{{Var: "jid", Values: []string{j.String()}}, {Var: "name", Values: []string{name}}})
	if l.text != "" {
		l.text += "\n" + name + ": " + uri(j, l.verb)
	}
}

func (l *addressList) step() command.Step {
	if l.text != "" {
		return command.Done(l.text)
	}
	return command.Step{Form: l.form}
}

// uri is the address of a room or contact as clients show it as a link (RFC 5122 §2.2, XEP-0147).
func uri(j jid.JID, verb string) string {
	return "xmpp:" + url.PathEscape(j.Local()) + "@" + j.Domain() + "?" + verb
}
