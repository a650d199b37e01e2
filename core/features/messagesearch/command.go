package messagesearch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/search"
)

// node is that of the command.
const node = "search-messages"

// Fields of the form.
const (
	fieldWords = "words"
	fieldWith  = "with"
	fieldFrom  = "from"
	fieldTo    = "to"
)

// command is the search as an ad-hoc command (XEP-0050). Each page is a search of its own: the rights are those of the moment.
func (f *Search) command() command.Command {
	const desc = "Searches your messages and those of the rooms that you are in."
	return command.Command{
		Node: node, Name: "Search messages", Desc: desc,
		Allowed: func(_ context.Context, who command.Caller) bool {
			return who.JID.Domain() == f.host.Domain().Domain() && who.JID.Local() != ""
		},
		Run: func(_ context.Context, who command.Caller) (command.Step, error) {
			ask := form.New(form.Ask, "", "Search messages")
			ask.Instructions = []string{desc + " All of the words have to be in a message, and those in double quotes have to follow each other. Leave the other fields empty to search everything."}
			ask.Add(
				form.Field{Var: fieldWords, Type: form.TextSingle, Label: "Words", Required: true},
				form.Field{Var: fieldWith, Type: form.JIDSingle, Label: "Address of a person or a room"},
				form.Field{Var: fieldFrom, Type: form.TextSingle, Label: "From (a day such as 2026-11-30, or a time such as 2026-11-30T15:00:00Z)"},
				form.Field{Var: fieldTo, Type: form.TextSingle, Label: "To (a day or a time)"},
			)
			return command.Step{Form: ask, Then: func(ctx context.Context, answers *form.Form) (command.Step, error) {
				q, err := question(who.JID.Bare(), answers)
				if err != nil {
					return command.Step{}, err
				}
				return f.page(ctx, q)
			}}, nil
		},
	}
}

// question reads the form.
func question(account jid.JID, answers *form.Form) (q archive.Question, err error) {
	q.Account = account
	if q.Words, err = search.Parse(answers.Get(fieldWords)); err != nil {
		return q, &form.FieldError{Var: fieldWords, Label: "Words", Problem: fmt.Sprintf("are at most %d, in %d bytes", search.MaxWords, search.MaxBytes)}
	}
	if q.Words.Empty() {
		return q, &form.FieldError{Var: fieldWords, Label: "Words", Problem: "are needed: letters or digits"}
	}
	q.With, _ = answers.JID(fieldWith) // checked by Form.Accept
	if q.Start, _, err = moment(answers, fieldFrom); err != nil {
		return q, err
	}
	var day bool
	if q.End, day, err = moment(answers, fieldTo); day {
		q.End = q.End.AddDate(0, 0, 1).Add(-time.Microsecond) // the day is meant as a whole
	}
	return q, err
}

// moment reads a Date or DateTime (XEP-0082); a day begins in UTC.
func moment(answers *form.Form, field string) (t time.Time, day bool, err error) {
	v := strings.TrimSpace(answers.Get(field))
	if v == "" {
		return t, false, nil
	}
	if t, err = time.Parse(time.DateOnly, v); err == nil {
		day = true
	} else {
		t, err = time.Parse(time.RFC3339Nano, v)
	}
	if err != nil || t.Year() < 1 || t.Year() > 9998 {
		return time.Time{}, false, &form.FieldError{Var: field, Label: "The time", Problem: "is a day such as 2026-11-30, or a time such as 2026-11-30T15:00:00Z"}
	}
	return t.UTC(), day, nil
}

// page is a step with a page of what was found.
func (f *Search) page(ctx context.Context, q archive.Question) (command.Step, error) {
	page, err := f.Find(ctx, q)
	if err != nil {
		return command.Step{}, err
	}
	step := command.Step{Notes: notes(q, page)}
	if len(page.List) > 0 || page.Next != nil {
		step.Form = table(page.List)
	}
	if page.Next == nil {
		return step, nil
	}
	step.Form.Kind = form.Ask // there is another page to ask for
	step.Then = func(ctx context.Context, _ *form.Form) (command.Step, error) {
		next := q
		next.After = page.Next
		return f.page(ctx, next)
	}
	return step, nil
}

// notes say what the table does not.
func notes(q archive.Question, page archive.FoundPage) []command.Note {
	var list []command.Note
	add := func(t command.NoteType, text string) { list = append(list, command.Note{Type: t, Text: text}) }
	switch {
	case len(page.List) == 0 && page.Next != nil:
		add(command.Info, "Nothing was found in this part. There are older messages.")
	case len(page.List) == 0 && q.After != nil:
		add(command.Info, "Nothing more was found.")
	case len(page.List) == 0:
		add(command.Info, "Nothing was found.")
	}
	if page.Partial {
		add(command.Warning, "You are in more rooms than one search covers. Give a room to search it.")
	}
	if page.Unconfirmed > 0 {
		add(command.Warning, fmt.Sprintf("Messages of %d rooms are left out, as it is not certain that you are in them.", page.Unconfirmed))
	}
	return list
}

// table is what was found as a table (XEP-0004 §3.4).
func table(found []archive.Found) *form.Form {
	t := form.New(form.Result, "", "Messages")
	t.Reported = []form.Field{
		{Var: "time", Type: form.TextSingle, Label: "Time"},
		{Var: "conversation", Type: form.JIDSingle, Label: "Conversation"},
		{Var: "author", Type: form.TextSingle, Label: "Author"},
		{Var: "excerpt", Type: form.TextSingle, Label: "Message"},
		{Var: "archive", Type: form.Hidden, Label: "Archive"}, // for programs
		{Var: "id", Type: form.Hidden, Label: "Id in the archive"},
	}
	for _, m := range found {
		row := make([]form.Field, len(t.Reported))
		for i, v := range []string{m.At.UTC().Format(time.RFC3339), m.Conversation.String(), m.Author, m.Excerpt, m.Archive.String(), m.ID} {
			row[i] = form.Field{Var: t.Reported[i].Var, Values: []string{v}}
		}
		t.Items = append(t.Items, row)
	}
	return t
}
