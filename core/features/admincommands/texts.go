package admincommands

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
)

// textCommands send and set texts (XEP-0133 §4.23 to §4.27). announce-all is not of the specification; other servers have it.
var textCommands = []declared{
	{"announce", "Send an announcement to online users", admin.Announce, announce((*admin.Service).AnnounceOnline), false},
	{"announce-all", "Send an announcement to all users", admin.Announce, announce((*admin.Service).AnnounceAll), false},
	{"set-motd", "Set the message of the day", admin.Announce, setText(admin.MessageOfTheDay, "motd", "The message of the day"), false},
	{"edit-motd", "Edit the message of the day", admin.Announce, setText(admin.MessageOfTheDay, "motd", "The message of the day"), false},
	{"delete-motd", "Delete the message of the day", admin.Announce, deleteText(admin.MessageOfTheDay), false},
	{"set-welcome", "Set the welcome message", admin.Announce, setText(admin.Welcome, "welcome", "The message to new users"), false},
	{"delete-welcome", "Delete the welcome message", admin.Announce, deleteText(admin.Welcome), false},
}

// controlCommands stop the server (XEP-0133 §4.29, §4.30).
var controlCommands = []declared{
	{"restart", "Restart the server", admin.ControlServer, stop(true), false},
	{"shutdown", "Stop the server", admin.ControlServer, stop(false), false},
}

const fieldAnnouncement = "announcement"

func announce(send func(*admin.Service, context.Context, admin.Actor, string) (int, error)) func(context.Context, request) (command.Step, error) {
	return func(_ context.Context, q request) (command.Step, error) {
		f := q.form("The announcement is sent in the name of the server.")
		f.Add(form.Field{Var: fieldAnnouncement, Type: form.TextMulti, Label: "Announcement", Required: true})
		return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
			text := strings.TrimSpace(answers.Lines(fieldAnnouncement))
			if text == "" {
				return command.Step{}, &form.FieldError{Var: fieldAnnouncement, Label: "Announcement", Problem: "is needed"}
			}
			n, err := send(q.Service, ctx, q.who, text)
			if err != nil {
				return command.Step{}, err
			}
			return done(fmt.Sprintf("Sent to %d users.", n))
		}), nil
	}
}

func setText(name admin.TextName, field, label string) func(context.Context, request) (command.Step, error) {
	return func(_ context.Context, q request) (command.Step, error) {
		now, err := q.Text(q.who, name)
		if err != nil {
			return command.Step{}, err
		}
		f := q.form("Every user gets it once.")
		var lines []string
		if now != "" {
			lines = strings.Split(now, "\n")
		}
		f.Add(form.Field{Var: field, Type: form.TextMulti, Label: label, Required: true, Values: lines})
		return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
			text := strings.TrimSpace(answers.Lines(field))
			if text == "" {
				return command.Step{}, &form.FieldError{Var: field, Label: label, Problem: "is needed"}
			}
			if err := q.SetText(ctx, q.who, name, text); err != nil {
				return command.Step{}, err
			}
			return done("It is set.")
		}), nil
	}
}

func deleteText(name admin.TextName) func(context.Context, request) (command.Step, error) {
	return func(ctx context.Context, q request) (command.Step, error) {
		if err := q.SetText(ctx, q.who, name, ""); err != nil {
			return command.Step{}, err
		}
		return done("It is deleted.")
	}
}

// delays are the choices of a delay, in seconds.
var delays = []string{"0", "30", "60", "120", "300", "600", "1800", "3600"}

func stop(again bool) func(context.Context, request) (command.Step, error) {
	return func(_ context.Context, q request) (command.Step, error) {
		f := q.form("Everybody who is online gets the announcement at once.")
		var options []form.Option
		for _, d := range delays {
			options = append(options, form.Option{Label: d + " seconds", Value: d})
		}
		f.Choice("delay", "Time to wait before", "30", options...)
		f.Field("delay").Check = &form.Check{Datatype: "xs:integer", Min: "0", Max: "86400"} // others can be typed in
		f.Add(form.Field{Var: fieldAnnouncement, Type: form.TextMulti, Label: "Announcement"})
		return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
			seconds, err := strconv.Atoi(cmp.Or(answers.Get("delay"), "30"))
			if err != nil {
				return command.Step{}, &form.FieldError{Var: "delay", Label: "Time to wait before", Problem: "is a number of seconds"}
			}
			o := admin.StopOptions{After: time.Duration(seconds) * time.Second, Again: again, Text: strings.TrimSpace(answers.Lines(fieldAnnouncement))}
			if err := q.Stop(ctx, q.who, o); err != nil {
				return command.Step{}, err
			}
			return done(fmt.Sprintf("It begins in %d seconds.", seconds))
		}), nil
	}
}

func sorted(list []jid.JID) []jid.JID {
	slices.SortFunc(list, func(a, b jid.JID) int { return cmp.Compare(a.String(), b.String()) })
	return list
}
