package admincommands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Names of fields (XEP-0133 §8.2).
const (
	fieldAccount  = "accountjid"
	fieldAccounts = "accountjids"
	fieldPassword = "password"
	fieldVerify   = "password-verify"
)

// accountCommands change accounts and sessions (XEP-0133 §4.1 to §4.7).
var accountCommands = []declared{
	{"add-user", "Add a user", admin.CreateAccounts, addUser, false},
	{"delete-user", "Delete users", admin.DeleteAccounts, forAccounts("Accounts to delete, with all that belongs to them", "deleted", (*admin.Service).DeleteAccounts), false},
	{"disable-user", "Disable users", admin.ManageAccounts, forAccounts("Accounts to which nobody may log in any more", "disabled", (*admin.Service).Disable), false},
	{"reenable-user", "Re-enable users", admin.ManageAccounts, forAccounts("Accounts to which their owners may log in again", "enabled", (*admin.Service).Enable), false},
	{"end-user-session", "End sessions of users", admin.ManageAccounts, endSessions, false},
	{"get-user-password", "Get a user's password", admin.ManageAccounts, refusePassword, true},
	{"change-user-password", "Change a user's password", admin.ManageAccounts, changePassword, false},
	{"archive-retention", "Set how long a user's messages are kept", admin.ManageAccounts, setRetention, false}, // not of XEP-0133
}

func addUser(_ context.Context, q request) (command.Step, error) {
	f := q.form("The account can be used as soon as it is made.")
	f.Add(
		form.Field{Var: fieldAccount, Type: form.JIDSingle, Label: "The address of the account", Required: true},
		form.Field{Var: fieldPassword, Type: form.TextPrivate, Label: "The password for this account", Required: true},
		form.Field{Var: fieldVerify, Type: form.TextPrivate, Label: "Retype the password"},
	)
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		if answers.Get(fieldPassword) == "" {
			return command.Step{}, &form.FieldError{Var: fieldPassword, Label: "The password for this account", Problem: "is needed"}
		}
		if answers.Has(fieldVerify) && answers.Get(fieldVerify) != answers.Get(fieldPassword) {
			return command.Step{}, &form.FieldError{Var: fieldVerify, Label: "Retype the password", Problem: "is not the same password"}
		}
		account, err := bareAddress(answers, fieldAccount)
		if err != nil {
			return command.Step{}, err
		}
		if err := q.CreateAccount(ctx, q.who, account, answers.Get(fieldPassword)); err != nil {
			return command.Step{}, err
		}
		return done(account.String() + " is made.")
	}), nil
}

// bareAddress reads the address of an account, which has no resource (XEP-0133 §4.2).
func bareAddress(answers *form.Form, field string) (jid.JID, error) {
	account, ok := answers.JID(field)
	if !ok || !account.IsBare() || account.Local() == "" {
		return jid.JID{}, &form.FieldError{Var: field, Label: "The address", Problem: "is not the address of an account, such as ann@example.org"}
	}
	return account, nil
}

// addresses reads a list of addresses; each passes check.
func addresses(answers *form.Form, field string, check func(jid.JID) bool) ([]jid.JID, error) {
	var list []jid.JID
	for _, text := range answers.Values(field) {
		j, err := jid.Parse(text)
		if err != nil || !check(j) {
			return nil, &form.FieldError{Var: field, Label: text, Problem: "is not an address for this"}
		}
		list = append(list, j)
	}
	return list, nil
}

func isAccount(j jid.JID) bool { return j.IsBare() && j.Local() != "" }

// forAccounts returns a command that does something to several accounts.
func forAccounts(label, what string, do func(*admin.Service, context.Context, admin.Actor, []jid.JID) error) func(context.Context, request) (command.Step, error) {
	return func(_ context.Context, q request) (command.Step, error) {
		f := q.form("Give the addresses of the accounts, one in each line.")
		f.Add(form.Field{Var: fieldAccounts, Type: form.JIDMulti, Label: label, Required: true})
		return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
			list, err := addresses(answers, fieldAccounts, isAccount)
			if err != nil {
				return command.Step{}, err
			}
			if err := do(q.Service, ctx, q.who, list); err != nil {
				return command.Step{}, err
			}
			return done(fmt.Sprintf("%d accounts are %s.", len(list), what))
		}), nil
	}
}

// endSessions ends all sessions of bare addresses, and the session of each full one (XEP-0133 §4.5).
func endSessions(_ context.Context, q request) (command.Step, error) {
	f := q.form("An address with a resource ends that session only.")
	f.Add(form.Field{Var: fieldAccounts, Type: form.JIDMulti, Label: "The addresses for which to end sessions", Required: true})
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		list, err := addresses(answers, fieldAccounts, func(j jid.JID) bool { return j.Local() != "" })
		if err != nil {
			return command.Step{}, err
		}
		if err := q.EndSessions(ctx, q.who, list); err != nil {
			return command.Step{}, err
		}
		return done("The sessions are ended.")
	}), nil
}

// refusePassword answers a command that XEP-0133 §4.6 has retracted: no password is kept, only keys that are derived from it.
func refusePassword(context.Context, request) (command.Step, error) {
	return command.Step{}, stanza.NotAllowed("This server does not know passwords. You can set a new one.")
}

func changePassword(_ context.Context, q request) (command.Step, error) {
	f := q.form("The account's sessions are ended and need the new password.")
	f.Add(
		form.Field{Var: fieldAccount, Type: form.JIDSingle, Label: "The address of the account", Required: true},
		form.Field{Var: fieldPassword, Type: form.TextPrivate, Label: "The new password", Required: true},
	)
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		account, err := bareAddress(answers, fieldAccount)
		if err != nil {
			return command.Step{}, err
		}
		if err := q.SetPassword(ctx, q.who, account, answers.Get(fieldPassword)); err != nil {
			return command.Step{}, err
		}
		return done("The password of " + account.String() + " is changed.")
	}), nil
}

func setRetention(_ context.Context, q request) (command.Step, error) {
	const field = "days"
	f := q.form("What is older is deleted from the account's archive within an hour, and cannot be brought back.")
	f.Add(
		form.Field{Var: fieldAccount, Type: form.JIDSingle, Label: "The address of the account", Required: true},
		form.Field{Var: field, Type: form.TextSingle, Label: "Days; 0: for ever; empty: as the configuration says"},
	)
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		account, err := bareAddress(answers, fieldAccount)
		if err != nil {
			return command.Step{}, err
		}
		keep, text := time.Duration(0), "as the configuration says"
		switch given := strings.TrimSpace(answers.Get(field)); given {
		case "":
		case "0":
			keep = archive.Forever
		default:
			if keep, err = archive.ParseDays(given); err != nil {
				return command.Step{}, &form.FieldError{Var: field, Label: "Days", Problem: "cannot be used: " + err.Error()}
			}
		}
		if keep > 0 {
			text = archive.RetentionText(keep)
		}
		if err := q.SetRetention(ctx, q.who, account, keep); err != nil {
			return command.Step{}, err
		}
		return done("The archive of " + account.String() + " is kept " + text + ".")
	}), nil
}
