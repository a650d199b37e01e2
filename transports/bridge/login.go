package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// linking is a login under way. The same steps are played as an ad-hoc command, as a
// registration form and as a chat.
type linking struct {
	g        *Gateway
	owner    jid.JID // bare
	previous *account
	login    transports.LoginProcess
	chat     bool  // what is answered may be kept by clients and archives
	removals int64 // Gateway.removals when it began
	last     *form.Form
}

// startLink begins a login; previous is the account to relink.
func (g *Gateway) startLink(ctx context.Context, owner jid.JID, flow string, previous *account, chat bool) (command.Step, error) {
	if err := g.mayLink(owner, previous); err != nil {
		return command.Failed(err.Text), nil
	}
	flows := g.network.LoginFlows()
	if flow == "" {
		flow = flows[0].ID
	}
	i := slices.IndexFunc(flows, func(f transports.LoginFlow) bool { return f.ID == flow })
	if i < 0 {
		return command.Failed("There is no such way to link an account."), nil
	}
	var before *transports.Login
	if previous != nil {
		before = &transports.Login{ID: previous.id, User: previous.user, Name: previous.name(), Owner: g.ownerID(owner)}
	}
	l := &linking{g: g, owner: owner, previous: previous, chat: chat, removals: g.removals.Load()}
	login, err := g.network.StartLogin(ctx, transports.LoginRequest{Flow: flow, Owner: g.ownerID(owner), Previous: before})
	if err != nil {
		return command.Failed(errorText(err, "The login could not be begun. Please try again later.")), nil
	}
	l.login = login
	step, err := l.next(ctx, nil)
	if flows[i].Help != "" {
		step.Notes = append([]command.Note{{Type: command.Info, Text: flows[i].Help}}, step.Notes...)
	}
	return step, err
}

// mayLink checks who it is and how many accounts they have.
func (g *Gateway) mayLink(owner jid.JID, previous *account) *stanza.Error {
	switch {
	case !g.set.mayUse(owner):
		return stanza.NotAllowed("You may not link accounts here.")
	case previous == nil && len(g.accountsOf(owner)) >= g.set.Accounts:
		return stanza.ResourceConstraint("You have linked as many accounts as you may.")
	}
	return nil
}

// next hands answers to the network and shows what it wants next.
func (l *linking) next(ctx context.Context, answers map[string]string) (command.Step, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	step, err := l.login.Next(ctx, answers)
	if err != nil {
		return l.failed(err)
	}
	if step.Done != nil {
		l.login.Cancel()
		name, again, err := l.finish(ctx, *step.Done)
		renewed := ""
		if again {
			renewed = ", as it was before; it has new credentials now"
		}
		if err != nil {
			l.g.log.Warn("an account is not linked", "owner", l.owner.String(), "error", err)
			return command.Failed(errorText(err, "The account could not be kept. Please try again later.")), nil
		}
		return command.Done(fmt.Sprintf("Your %s account %s is linked%s.", l.g.info.Name, name, renewed)), nil
	}
	return l.show(step), nil
}

// failed asks again where the person may answer otherwise.
func (l *linking) failed(err error) (command.Step, error) {
	var e *transports.Error
	if errors.As(err, &e) && e.Class == transports.Refused && l.last != nil {
		for _, f := range l.last.Fields {
			if f.Var != "" && f.Type != form.Hidden && (e.Field == "" || e.Field == f.Var) {
				l.g.log.Info("an answer to a login is refused", "owner", l.owner.String(), "field", e.Field, "error", err)
				return command.Step{}, &form.FieldError{Var: f.Var, Label: f.Label, Problem: strings.TrimSuffix(errorText(err, "not accepted"), ".")}
			}
		}
	}
	l.login.Cancel()
	switch transports.ClassOf(err) {
	case transports.Bug:
		l.g.log.Error("login", "owner", l.owner.String(), "error", err)
	case transports.Retry:
		l.g.log.Warn("a login ended: the network does not answer", "owner", l.owner.String(), "error", err)
		step := command.Failed(l.g.info.Name + ": " + errorText(err, "it does not answer") + ". Nothing was linked. Please try again later, with the same answers.")
		step.Fault = stanza.RemoteServerTimeout(step.Notes[0].Text)
		return step, nil
	default:
		l.g.log.Warn("a login was refused", "owner", l.owner.String(), "error", err)
	}
	return command.Failed(errorText(err, "The login did not work. Please try again later.")), nil
}

// show makes a step of a command of what the network wants.
func (l *linking) show(s transports.Step) command.Step {
	step := command.Step{Cancel: l.login.Cancel, NoBack: true}
	if s.Text != "" {
		step.Notes = append(step.Notes, command.Note{Type: command.Info, Text: s.Text})
	}
	note := func(text string) {
		step.Notes = append(step.Notes, command.Note{Type: command.Info, Text: text})
	}
	switch {
	case s.Browser != "":
		note("Open this address, and come back here when you have finished: " + s.Browser)
		step.Payload = append(step.Payload, stanza.NewElement(nsOOB, "x").Add(stanza.TextElement(nsOOB, "url", s.Browser)))
	case s.QR != "":
		note("Scan this text as a QR code: " + s.QR)
	case s.Code != "":
		note("Enter this code there: " + s.Code)
	case s.Wait:
		note("Please wait a moment, then go on.")
	}
	l.last = nil
	if len(s.Form) > 0 {
		f := l.form(s.Form)
		step.Form, l.last = f, f
	}
	step.Then = func(ctx context.Context, answers *form.Form) (command.Step, error) {
		given := map[string]string{}
		for _, f := range s.Form {
			given[f.Key] = answers.Get(f.Key)
		}
		return l.next(ctx, given)
	}
	return step
}

// form shows the fields of a login.
func (l *linking) form(fields []transports.Field) *form.Form {
	f := form.New(form.Ask, nsRegister, "Link your "+l.g.info.Name+" account")
	for _, field := range fields {
		fd := form.Field{Var: field.Key, Type: form.TextSingle, Label: field.Label, Desc: field.Help, Required: !field.Optional}
		if field.Default != "" {
			fd.Values = []string{field.Default}
		}
		if field.Secret {
			fd.Type = form.TextPrivate
			if l.chat {
				fd.Desc = strings.TrimSpace(fd.Desc + "\nWhat you write here may be kept by your clients and your server. It is safer to link by your client's form or command for this gateway; else delete the message afterwards.")
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

// errUnlinked ends the renewal of an account that is gone.
var errUnlinked = transports.Refuse("item-not-found", "The account was unlinked meanwhile.", nil)

// finish keeps an account that the network has accepted, and opens it. Linking what
// is linked already renews it, which again tells.
func (l *linking) finish(ctx context.Context, done transports.Login) (name string, again bool, err error) {
	g, owner, previous := l.g, l.owner, l.previous
	if e := g.mayLink(owner, previous); e != nil {
		return "", false, transports.Refuse(e.Condition, e.Text, nil)
	}
	if g.removedSince(owner, l.removals) || previous != nil && !previous.stays() {
		return "", false, errUnlinked
	}
	if done.User == "" || len(done.User) > maxID {
		return "", false, fmt.Errorf("login gave user %q", done.User)
	}
	for _, a := range g.accountsOf(owner) {
		if previous == nil && a.user == done.User {
			previous, again = a, true
		}
	}
	if previous != nil && previous.user != done.User {
		return "", false, transports.Refuse("not-acceptable", "These are the credentials of somebody else. Unlink the account first.", nil)
	}
	row := tables.Login{ID: transports.LoginID(stanza.NewID()), Owner: owner, Created: g.now()}
	if previous != nil {
		previous.stop()
		previous.mu.Lock()
		row = previous.row
		previous.mu.Unlock()
	}
	row.User, row.Name, row.State = done.User, cutBytes(oneLine(done.Name), maxName), done.State
	row.Status, row.Cause = tables.StatusLinked, ""
	row.Secret = g.keys.Seal(row.ID, done.Secret)
	clear(done.Secret)
	if row.Name == "" {
		row.Name = string(row.User)
	}
	if err := g.store.PutLogin(ctx, row); err != nil {
		if previous != nil {
			previous.start()
		}
		return "", false, fmt.Errorf("keep account: %w", err)
	}
	a := previous
	if a == nil {
		a = g.addAccount(row)
		if g.removedSince(owner, l.removals) { // while it was written: RemoveUser did not see it
			return "", false, errors.Join(errUnlinked, g.forget(ctx, a))
		}
		g.spawn(func(ctx context.Context) { g.addSelf(ctx, owner) })
	} else {
		a.mu.Lock()
		a.row, a.noticed = row, nil
		a.mu.Unlock()
	}
	g.log.Info("account linked", "account", row.ID, "owner", owner.String(), "relinked", previous != nil)
	a.start()
	return row.Name, again, nil
}
