package register

import (
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// keepVar is a field of the form by which the account's other sessions go on after a change of the password. XEP-0068 §3.4: the name of
// a field that is not registered begins with "x-".
const keepVar = "x-keep-sessions"

// changeForm is the form for a new password (XEP-0077 §4).
func changeForm(account jid.JID) *stanza.Element {
	f := form.New(form.Ask, NS, "New password")
	f.Instructions = []string{"Other devices are logged out and need the new password."}
	f.Text("username", "User name", account.Local())
	f.Add(form.Field{Var: "password", Type: form.TextPrivate, Label: "New password", Required: true})
	f.Bool(keepVar, "Keep other devices logged in", false)
	return f.Element()
}

// change is a request for a new password: by a form, or by elements.
type change struct {
	username, password string
	keep               bool // sessions go on
}

func parseChange(query *stanza.Element) change {
	f := form.Find(query, NS)
	if f == nil || f.Kind != form.Submit {
		return change{username: query.ChildText(NS, "username"), password: query.ChildText(NS, "password")}
	}
	keep, _ := form.ParseBool(f.Get(keepVar))
	return change{f.Get("username"), f.Get("password"), keep}
}
