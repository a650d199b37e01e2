package admincommands

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
)

// listCommands edit lists of addresses (XEP-0133 §4.11, §4.12, §4.28).
var listCommands = []declared{
	{"edit-blacklist", "Edit the blacklist", admin.EditLists, editList(admin.Blacklist, "blacklistjids", "Domains and addresses with which nobody here may communicate"), false},
	{"edit-whitelist", "Edit the whitelist", admin.EditLists, editList(admin.Whitelist, "whitelistjids", "If there are any: the only domains and addresses with which accounts here may communicate"), false},
	{"edit-admin", "Edit the list of administrators", admin.GrantRoles, editAdmins, false},
}

func editList(name admin.ListName, field, label string) func(context.Context, request) (command.Step, error) {
	return func(_ context.Context, q request) (command.Step, error) {
		now, err := q.AddressList(q.who, name)
		if err != nil {
			return command.Step{}, err
		}
		f := q.form("The list is replaced by what you send.")
		f.Add(form.Field{Var: field, Type: form.JIDMulti, Label: label, Values: texts(now)})
		return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
			if !answers.Has(field) {
				return done("Nothing is changed.") // XEP-0004 §3.5
			}
			list, err := addresses(answers, field, jid.JID.IsBare)
			if err != nil {
				return command.Step{}, err
			}
			if err := q.SetAddressList(ctx, q.who, name, list); err != nil {
				return command.Step{}, err
			}
			return done(fmt.Sprintf("The list has %d addresses.", len(list)))
		}), nil
	}
}

func editAdmins(_ context.Context, q request) (command.Step, error) {
	const field = "adminjids"
	var now []jid.JID
	for who, role := range q.Rights.All() {
		if role == admin.Admin {
			now = append(now, who)
		}
	}
	f := q.form("Administrators may do everything. Those of the configuration have to stay.")
	f.Add(form.Field{Var: field, Type: form.JIDMulti, Label: "The administrators", Values: texts(sorted(now))})
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		if !answers.Has(field) {
			return done("Nothing is changed.")
		}
		list, err := addresses(answers, field, isAccount)
		if err != nil {
			return command.Step{}, err
		}
		if err := q.SetAdmins(ctx, q.who, list); err != nil {
			return command.Step{}, err
		}
		return done(fmt.Sprintf("There are %d administrators.", len(list)))
	}), nil
}
