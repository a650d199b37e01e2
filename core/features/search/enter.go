package search

import (
	"context"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const enterText = "Fill this in so that others find you in the user directory of this server, with what you have filled in and your address. Leave out what they need not know."

// register is how an account enters the directory, reads what it has entered, and leaves (XEP-0077 §3).
func (d *Search) register(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Session == nil || q.Session.Account().Host() != d.host:
		return nil, stanza.Forbidden("only accounts of this server may enter its directory")
	case !q.Payload.Is(nsRegister, "query"):
		return nil, stanza.BadRequest("")
	case q.Stanza.Type == stanza.TypeGet:
		return d.registration(ctx, q.Session.JID().Bare())
	case q.Payload.Child(nsRegister, "remove") != nil:
		return nil, d.leave(ctx, q)
	}
	given, _, err := values(q.Payload, nsRegister)
	if err != nil {
		return nil, err
	}
	return nil, d.enter(ctx, q.Session.JID().Bare(), given)
}

// registration returns the fields with what the account has entered (XEP-0077 §3.1).
func (d *Search) registration(ctx context.Context, account jid.JID) (*stanza.Element, error) {
	e, listed, err := d.store.DirectoryEntry(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("read directory entry of %s: %w", account, err)
	}
	query := stanza.NewElement(nsRegister, "query")
	if listed {
		query.Add(stanza.NewElement(nsRegister, "registered"))
	}
	query.Add(stanza.TextElement(nsRegister, "instructions", enterText))
	for i, v := range e.values() {
		query.Add(stanza.TextElement(nsRegister, names[i], v))
	}
	return query.Add(entryForm(nsRegister, e).Element()), nil
}

func entryForm(formType string, e Entry) *form.Form {
	f := form.New(form.Ask, formType, "User directory")
	f.Instructions = []string{enterText}
	for i, v := range e.values() {
		f.Text(names[i], labels[i], v)
	}
	return f
}

// enter makes an account known to those who search.
func (d *Search) enter(ctx context.Context, account jid.JID, given [fields]string) error {
	some := false
	for i := range given {
		v, err := clean(given[i])
		if err != nil {
			return err
		}
		given[i] = strings.Clone(v)
		some = some || v != ""
	}
	if !some {
		return stanza.NotAcceptable("fill in at least one field") // XEP-0077 §3.1
	}
	e := Entry{Account: account, First: given[0], Last: given[1], Nick: given[2], EMail: given[3]}
	if err := d.store.SetDirectoryEntry(ctx, e, e.keys()); err != nil {
		return fmt.Errorf("write directory entry of %s: %w", account, err)
	}
	return nil
}

// leave takes an account out of the directory (XEP-0077 §3.2).
func (d *Search) leave(ctx context.Context, q *router.IQ) error {
	n := 0
	for range q.Payload.Elements() {
		n++
	}
	if n != 1 {
		return stanza.BadRequest("remove must be the only element of the request")
	}
	found, err := d.store.RemoveDirectoryEntry(ctx, q.Session.JID().Bare())
	switch {
	case err != nil:
		return fmt.Errorf("remove directory entry of %s: %w", q.Session.JID().Bare(), err)
	case !found:
		return stanza.RegistrationRequired("")
	}
	return nil
}

// enterCommand is register for clients that show commands only.
func (d *Search) enterCommand() command.Command {
	return command.Command{
		Node: "directory-entry", Name: "Be found in the user directory", Desc: enterText,
		Allowed: func(_ context.Context, who command.Caller) bool { return who.JID.Domain() == d.host.Domain().Domain() },
		Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
			e, listed, err := d.store.DirectoryEntry(ctx, who.JID.Bare())
			if err != nil {
				return command.Step{}, fmt.Errorf("read directory entry of %s: %w", who.JID.Bare(), err)
			}
			f := entryForm("", e).Bool("listed", "Others may find me", listed)
			return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
				return d.apply(ctx, who.JID.Bare(), answers)
			}), nil
		},
	}
}

func (d *Search) apply(ctx context.Context, account jid.JID, answers *form.Form) (command.Step, error) {
	if !answers.IsTrue("listed") {
		if _, err := d.store.RemoveDirectoryEntry(ctx, account); err != nil {
			return command.Step{}, fmt.Errorf("remove directory entry of %s: %w", account, err)
		}
		return command.Done("Nobody finds you in the user directory."), nil
	}
	var given [fields]string
	for i, name := range names {
		given[i] = answers.Get(name)
	}
	if err := d.enter(ctx, account, given); err != nil {
		return command.Step{}, err
	}
	return command.Done("Others can find you in the user directory."), nil
}

// Forget ends the command that an account has begun, since the account is being deleted.
func (d *Search) Forget(account jid.JID) { d.commands.Forget(account) }
