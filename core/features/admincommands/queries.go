package admincommands

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const nsRoster = "jabber:iq:roster"

// kinds are the kinds of accounts, with the nodes of their commands and the beginnings of their fields.
var kinds = []struct {
	kind                          admin.Kind
	number, list, numVar, jidsVar string
	what                          string
}{
	{admin.Registered, "get-registered-users-num", "get-registered-users-list", "registeredusersnum", "registereduserjids", "registered users"},
	{admin.Disabled, "get-disabled-users-num", "get-disabled-users-list", "disabledusersnum", "disableduserjids", "disabled users"},
	{admin.Online, "get-online-users-num", "get-online-users-list", "onlineusersnum", "onlineuserjids", "online users"},
	{admin.Active, "get-active-users-num", "get-active-users", "activeusersnum", "activeuserjids", "active users"},
	{admin.Idle, "get-idle-users-num", "get-idle-users", "idleusersnum", "idleuserjids", "idle users"}, // §4.22 shows activeuserjids, as it does for active users
}

// queryCommands read accounts (XEP-0133 §4.8 to §4.10, §4.13 to §4.22).
func queryCommands() []declared {
	list := []declared{
		{"get-user-roster", "Get a user's contacts", admin.SeeRosters, getRoster, false},
		{"get-user-lastlogin", "Get a user's last activity", admin.SeeAccounts, getLastLogin, false},
		{"user-stats", "Get a user's statistics", admin.SeeAccounts, getStatistics, false},
	}
	for _, k := range kinds {
		list = append(list,
			declared{k.number, "Get the number of " + k.what, admin.SeeAccounts, countAccounts(k.kind, k.numVar, k.what), false},
			declared{k.list, "Get the list of " + k.what, admin.SeeAccounts, listAccounts(k.kind, k.jidsVar, k.what), false})
	}
	return list
}

// results is the last step of a command, with fields.
func (q request) results(fields ...form.Field) (command.Step, error) {
	return command.Step{Form: form.New(form.Result, NS, q.title).Add(fields...)}, nil
}

func countAccounts(k admin.Kind, field, what string) func(context.Context, request) (command.Step, error) {
	return func(ctx context.Context, q request) (command.Step, error) {
		n, err := q.Count(ctx, q.who, k)
		if err != nil {
			return command.Step{}, err
		}
		return q.results(form.Field{Var: field, Type: form.TextSingle, Label: "The number of " + what, Values: []string{strconv.Itoa(n)}})
	}
}

// The choices of max_items (XEP-0133 §4.18). Without a limit there are as many as a form may have.
var maxItems = []string{"25", "50", "75", "100", "150", "200", "none"}

const (
	defaultItems = "100"
	mostItems    = form.MaxValues - 48 // room for the other fields of the form
)

func listAccounts(k admin.Kind, field, what string) func(context.Context, request) (command.Step, error) {
	return func(_ context.Context, q request) (command.Step, error) {
		f := q.form(fmt.Sprintf("A list has at most %d addresses.", mostItems))
		var options []form.Option
		for _, n := range maxItems {
			options = append(options, form.Option{Label: n, Value: n})
		}
		f.Choice("max_items", "Maximum number of addresses to show", defaultItems, options...)
		return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
			limit, err := strconv.Atoi(answers.Get("max_items"))
			if err != nil {
				limit = mostItems // "none", or the field is missing
			}
			accounts, err := q.List(ctx, q.who, k, limit)
			if err != nil {
				return command.Step{}, err
			}
			return q.results(form.Field{Var: field, Type: form.JIDMulti, Label: "The list of " + what, Values: texts(accounts)})
		}), nil
	}
}

func texts(list []jid.JID) []string {
	out := make([]string, 0, len(list))
	for _, j := range list {
		out = append(out, j.String())
	}
	return out
}

// askAccount asks for one account, in the field that XEP-0133 has for it.
func (q request) askAccount(field string, multi form.FieldType, then func(ctx context.Context, account jid.JID) (command.Step, error)) command.Step {
	f := q.form("Give the address of the account.")
	f.Add(form.Field{Var: field, Type: multi, Label: "The address of the account", Required: true})
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		if len(answers.Values(field)) > 1 {
			return command.Step{}, &form.FieldError{Var: field, Label: "The address of the account", Problem: "takes one address at a time"}
		}
		account, err := bareAddress(answers, field)
		if err != nil {
			return command.Step{}, err
		}
		return then(ctx, account)
	})
}

// getRoster shows the contacts of an account (XEP-0133 §4.8). The specification puts the roster into the form; as clients show no such
// thing, there is a field for each contact too.
func getRoster(_ context.Context, q request) (command.Step, error) {
	return q.askAccount(fieldAccounts, form.JIDMulti, func(ctx context.Context, account jid.JID) (command.Step, error) {
		contacts, err := q.Roster(ctx, q.who, account)
		if err != nil {
			return command.Step{}, err
		}
		roster := stanza.NewElement(nsRoster, "query")
		var lines []string
		for _, c := range contacts {
			item := stanza.NewElement(nsRoster, "item").With("jid", c.JID.String()).With("name", c.Name).With("subscription", c.Subscription)
			for _, group := range c.Groups {
				item.Add(stanza.TextElement(nsRoster, "group", group))
			}
			roster.Add(item)
			if len(lines) < mostItems {
				lines = append(lines, fmt.Sprintf("%s (%s) %s", c.JID, c.Subscription, c.Name))
			}
		}
		step, err := q.results(
			form.Field{Var: fieldAccounts, Type: form.JIDMulti, Label: "The account", Values: []string{account.String()}},
			form.Field{Var: "x-contacts", Type: form.TextMulti, Label: "Its contacts", Values: lines}, // XEP-0068 §3.4: not registered
		)
		step.Form.Other = []*stanza.Element{roster}
		return step, err
	}), nil
}

func getLastLogin(_ context.Context, q request) (command.Step, error) {
	return q.askAccount(fieldAccounts, form.JIDMulti, func(ctx context.Context, account jid.JID) (command.Step, error) {
		seen, err := q.LastActivity(ctx, q.who, account)
		if err != nil {
			return command.Step{}, err
		}
		last := ""
		switch {
		case seen.Online:
			last = time.Now().UTC().Format(time.RFC3339) // XEP-0082; it is online
		case !seen.Last.IsZero():
			last = seen.Last.UTC().Format(time.RFC3339)
		}
		return q.results(
			form.Field{Var: fieldAccounts, Type: form.JIDMulti, Label: "The account", Values: []string{account.String()}},
			form.Field{Var: "lastlogin", Type: form.TextSingle, Label: "When it was last online", Values: []string{last}},
		)
	}), nil
}

func getStatistics(_ context.Context, q request) (command.Step, error) {
	return q.askAccount(fieldAccount, form.JIDSingle, func(ctx context.Context, account jid.JID) (command.Step, error) {
		s, err := q.Statistics(ctx, q.who, account)
		if err != nil {
			return command.Step{}, err
		}
		return q.results(
			form.Field{Var: fieldAccount, Type: form.JIDSingle, Label: "The account", Values: []string{account.String()}},
			form.Field{Var: "rostersize", Type: form.TextSingle, Label: "Number of contacts", Values: []string{strconv.Itoa(s.Contacts)}},
			form.Field{Var: "onlineresources", Type: form.TextMulti, Label: "Its sessions", Values: s.Resources},
			form.Field{Var: "ipaddresses", Type: form.TextMulti, Label: "Where they are connected from", Values: s.Addresses},
			form.Field{Var: "x-role", Type: form.TextSingle, Label: "Its role", Values: []string{s.Role.String()}},
			form.Field{Var: "x-state", Type: form.TextSingle, Label: "Its state", Values: []string{stateText(s)}},
		)
	}), nil
}

func stateText(s admin.Statistics) string {
	switch {
	case s.State.Disabled:
		return "disabled"
	case s.State.Locked.After(time.Now()):
		return "locked until " + s.State.Locked.UTC().Format(time.RFC3339)
	}
	return "may log in"
}
