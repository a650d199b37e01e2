package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// linking shows the steps of a logins.Process as steps of a command.
type linking struct {
	c       *Commands
	asked   asked
	process *logins.Process
	command string     // its name
	last    *form.Form // that was shown, where the last step has one
	step    transports.Step
}

// link begins to link an account by a flow; "" is the first one. previous is the login to relink.
func (c *Commands) link(ctx context.Context, a asked, flow string, previous *logins.Login) (command.Step, error) {
	process, err := c.logins.Start(ctx, a.owner, flow, previous)
	if err != nil {
		return command.Failed(convert.StanzaError(err).Text), nil
	}
	l := &linking{c: c, asked: a, process: process, command: linkName}
	if previous != nil {
		l.command = relinkName
	}
	step, err := l.next(ctx, nil)
	flows := c.logins.Flows()
	i := max(0, slices.IndexFunc(flows, func(f transports.LoginFlow) bool { return f.ID == flow }))
	if flows[i].Help != "" {
		step.Notes = append([]command.Note{{Type: command.Info, Text: flows[i].Help}}, step.Notes...)
	}
	return step, err
}

// next hands answers to the network and shows what it wants next.
func (l *linking) next(ctx context.Context, answers map[string]string) (command.Step, error) {
	return l.advance(l.process.Next(ctx, answers))
}

// backField is the field by which a person goes back to the step before.
const backField = "dragoman#back"

// advance shows what has become of the process.
func (l *linking) advance(p logins.Progress, err error) (command.Step, error) {
	switch {
	case err != nil:
		return l.failed(err)
	case p.Login != nil:
		renewed := ""
		if p.Renewed {
			renewed = ", as it was before; it has new credentials now"
		}
		return command.Done(fmt.Sprintf("Your %s account %s is linked%s.", l.c.env.Info.Name, p.Login.Name(), renewed)), nil
	}
	l.step = p.Step
	return l.show(), nil
}

// failed asks again where the person may answer otherwise.
func (l *linking) failed(err error) (command.Step, error) {
	log, owner := l.c.env.Log, l.asked.owner.String()
	var notLinked *logins.NotLinked
	if errors.As(err, &notLinked) {
		log.Warn("an account is not linked", "owner", owner, "error", err)
		return command.Failed(convert.ErrorText(err, "The account could not be kept. Please try again later.")), nil
	}
	if again := l.again(err); again != nil {
		return command.Step{}, again
	}
	l.process.Cancel()
	switch transports.ClassOf(err) {
	case transports.Bug:
		log.Error("login", "owner", owner, "error", err)
	case transports.Retry:
		log.Warn("a login ended: the network does not answer", "owner", owner, "error", err)
		step := command.Failed(l.c.env.Info.Name + ": " + convert.ErrorText(err, "it does not answer") + ". Nothing was linked. Please try again later, with the same answers.")
		step.Error = stanza.RemoteServerTimeout(step.Notes[0].Text)
		return step, nil
	default:
		log.Warn("a login was refused", "owner", owner, "error", err)
	}
	return command.Failed(convert.ErrorText(err, "The login did not work. Please try again later.")), nil
}

// again is the error of the field whose answer the network refuses; nil where no other answer may be given.
func (l *linking) again(err error) error {
	var e *transports.Error
	if !errors.As(err, &e) || e.Class != transports.Refused || e.Final || l.last == nil {
		return nil
	}
	for _, f := range l.last.Fields {
		if f.Var != "" && f.Type != form.Hidden && (e.Field == "" || e.Field == f.Var) {
			l.c.env.Log.Info("an answer to a login is refused", "owner", l.asked.owner.String(), "field", e.Field, "error", err)
			return &form.FieldError{Var: f.Var, Label: f.Label, Problem: strings.TrimSuffix(convert.ErrorText(err, "not accepted"), ".")}
		}
	}
	return nil
}

// show makes a step of a command of what the network wants.
func (l *linking) show() command.Step {
	s := l.step
	step := command.Step{Cancel: l.process.Cancel, NoBack: true}
	for _, line := range convert.LoginStep(s) {
		step.Notes = append(step.Notes, command.Note{Type: command.Info, Text: line})
	}
	if s.Browser != "" {
		step.Payload = append(step.Payload, stanza.NewElement(convert.NSOOB, "x").Add(stanza.TextElement(convert.NSOOB, "url", s.Browser)))
	}
	fields := s.Fields()
	if l.asked.chat && slices.ContainsFunc(fields, func(f transports.Field) bool { return f.Secret }) {
		step.Notes = append(step.Notes, l.formFirst())
	}
	l.last = nil
	if len(fields) > 0 || s.Back {
		l.last = fieldForm(convert.NSRegister, "Link your "+l.c.env.Info.Name+" account", fields, l.asked.chat)
		step.Form = l.last
	}
	if s.Back {
		for i := range l.last.Fields { // whoever goes back has nothing to enter
			l.last.Fields[i].Required = false
		}
		l.last.Bool(backField, "Go back instead", false)
	}
	step.Verify = func(ctx context.Context, field, answer string) error {
		for _, f := range fields {
			if f.Key != field {
				continue
			}
			if err := l.process.Verify(ctx, field, answer); err != nil {
				l.c.env.Log.Info("an answer to a login is refused", "owner", l.asked.owner.String(), "field", field, "error", err)
				return &form.FieldError{Var: field, Label: f.Label, Problem: strings.TrimSuffix(convert.ErrorText(err, "not accepted"), ".")}
			}
		}
		return nil
	}
	step.Then = func(ctx context.Context, answers *form.Form) (command.Step, error) {
		if s.Back && answers.IsTrue(backField) {
			return l.advance(l.process.Back(ctx))
		}
		given := map[string]string{}
		for _, f := range fields {
			given[f.Key] = answers.Get(f.Key)
		}
		return l.next(ctx, given)
	}
	return step
}

const chatWarning = "Your clients, and servers other than Dragoman, may keep what you write here: then delete the message afterwards."

// formFirst says how to enter secrets where nobody keeps them (XEP-0050, XEP-0077).
func (l *linking) formFirst() command.Note {
	return command.Note{Type: command.Info, Text: fmt.Sprintf(
		"It is safer to enter this in a form: choose \"%s\" among the commands of %s in your client, or open xmpp:%s?register. Write \"cancel\" here first. To go on here, just answer.",
		l.command, l.c.env.Domain, l.c.env.Domain)}
}

// fieldForm shows the fields of a login, a group or a command. In a chat it warns of entering secrets.
func fieldForm(formType, title string, fields []transports.Field, chat bool) *form.Form {
	f := form.New(form.Ask, formType, title)
	for _, field := range fields {
		fd := form.Field{Var: field.Key, Type: form.TextSingle, Label: field.Label, Desc: field.Help, Required: !field.Optional}
		if field.Default != "" {
			fd.Values = []string{field.Default}
		}
		if field.Type == transports.FieldBool {
			fd.Type, fd.Required = form.Boolean, false
		}
		if field.Secret {
			fd.Type = form.TextPrivate
			if chat {
				fd.Desc = strings.TrimSpace(fd.Desc + "\n" + chatWarning)
			}
		}
		if len(field.Choices) > 0 {
			fd.Type = form.ListSingle
			for _, c := range field.Choices {
				fd.Options = append(fd.Options, form.Option{Label: c, Value: c})
			}
		}
		f.Add(fd)
	}
	return f
}
