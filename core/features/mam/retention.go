package mam

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
)

const (
	retentionNode = "archive-retention"
	fieldDays     = "days"
)

// Retention is how long archives are kept.
type Retention struct {
	Store archive.RetentionStore
	// Host is how long the archive of an account is kept where nothing else is set for it.
	Host func(account jid.JID) time.Duration
}

// retentionCommand lets accounts have their messages deleted earlier than others'.
func (a *Archive) retentionCommand() command.Command {
	return command.Command{
		Node: retentionNode, Name: "How long messages are kept", Desc: "After how many days your messages are deleted from your archive.",
		Allowed: func(_ context.Context, who command.Caller) bool {
			return who.JID.Local() != "" && who.JID.Domain() == a.host.Domain().Domain()
		},
		Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
			account := who.JID.Bare()
			r, err := a.Retention.Store.Retention(ctx, account)
			if err != nil {
				return command.Step{}, err
			}
			f := form.New(form.Ask, "", "How long messages are kept")
			f.Instructions = []string{
				"Your messages are kept on the server: " + archive.RetentionText(r.Keep(a.Retention.Host(account))) + ". " +
					"What is older is deleted within an hour after a change, and cannot be brought back. Others keep what you have sent them.",
			}
			days := ""
			if r.Own > 0 {
				days = strconv.FormatInt(int64(r.Own/(24*time.Hour)), 10)
			}
			f.Text(fieldDays, "Days; empty: as long as the server does ("+archive.RetentionText(r.Most(a.Retention.Host(account)))+")", days)
			return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
				return a.chooseRetention(ctx, account, answers)
			}), nil
		},
	}
}

func (a *Archive) chooseRetention(ctx context.Context, account jid.JID, answers *form.Form) (command.Step, error) {
	if !answers.Has(fieldDays) {
		return command.Done("Nothing is changed."), nil // XEP-0004 §3.5
	}
	keep := time.Duration(0)
	if text := strings.TrimSpace(answers.Get(fieldDays)); text != "" {
		var err error
		if keep, err = archive.ParseDays(text); err != nil {
			return command.Step{}, &form.FieldError{Var: fieldDays, Label: "Days", Problem: "cannot be used: " + err.Error()}
		}
		r, err := a.Retention.Store.Retention(ctx, account)
		if err != nil {
			return command.Step{}, err
		}
		if most := r.Most(a.Retention.Host(account)); keep > most {
			return command.Step{}, &form.FieldError{Var: fieldDays, Label: "Days", Problem: "are too many: this server keeps messages " + archive.RetentionText(most)}
		}
	}
	if err := a.Retention.Store.SetOwnRetention(ctx, account, keep); err != nil {
		return command.Step{}, err
	}
	if keep == 0 {
		return command.Done("Your messages are kept as long as the server keeps them."), nil
	}
	return command.Done("Your messages are kept " + archive.RetentionText(keep) + "."), nil
}
