package commands

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// registration is an XEP-0077 form that was asked for and is yet to be filled in.
type registration struct {
	step command.Step
	used time.Time
}

func (r *registration) cancel() {
	if r.step.Cancel != nil {
		r.step.Cancel()
	}
}

// registerIQ answers jabber:iq:register (XEP-0077): the first step of the default way to
// log in is the form; what comes behind it is asked for by messages.
func (c *Commands) registerIQ(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	who := st.From.Bare()
	x := st.FirstChild()
	if st.Type == stanza.TypeGet {
		return c.registerForm(ctx, who)
	}
	if x.Child(convert.NSRegister, "remove") != nil {
		return nil, c.unregister(ctx, who)
	}
	return nil, c.registerSet(ctx, st.From, x)
}

func (c *Commands) registerForm(ctx context.Context, who jid.JID) (*stanza.Element, error) {
	query := stanza.NewElement(convert.NSRegister, "query")
	if len(c.logins.Of(who)) > 0 {
		query.Add(stanza.NewElement(convert.NSRegister, "registered")) // XEP-0077 §3.1.1
	}
	step, err := c.beginRegistration(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, n := range step.Notes {
		query.Add(stanza.TextElement(convert.NSRegister, "instructions", n.Text))
		break
	}
	if step.Form == nil {
		return query.Add(step.Payload...), nil
	}
	for _, f := range plainFields(step.Form) {
		query.Add(stanza.NewElement(convert.NSRegister, f.plain))
	}
	shown := *step.Form
	for _, n := range step.Notes {
		shown.Instructions = append(shown.Instructions, n.Text)
	}
	return query.Add(shown.Element()), nil
}

// beginRegistration starts a login for the form, unless one is waiting to be filled in.
func (c *Commands) beginRegistration(ctx context.Context, who jid.JID) (command.Step, error) {
	if r := c.dialogues.registration(who); r != nil {
		return r.step, nil
	}
	if err := c.logins.MayLink(who, nil); err != nil {
		return command.Step{}, err
	}
	step, err := c.link(ctx, asked{owner: who}, "", c.onlyBroken(who))
	if err != nil {
		return step, err
	}
	if step.Then == nil { // a failure
		return step, failureOf(step)
	}
	if !c.dialogues.setRegistration(who, &registration{step: step, used: c.env.Now()}) {
		if step.Cancel != nil {
			step.Cancel()
		}
		return step, stanza.ResourceConstraint("Too many people are registering.")
	}
	return step, nil
}

// onlyBroken returns the login that a new registration is most likely meant to renew: the only one that has to be
// relinked.
func (c *Commands) onlyBroken(who jid.JID) *logins.Login {
	var broken *logins.Login
	for _, l := range c.logins.Of(who) {
		if !l.Linked() {
			if broken != nil {
				return nil
			}
			broken = l
		}
	}
	return broken
}

func failureOf(step command.Step) error {
	if step.Error != nil {
		return step.Error
	}
	for _, n := range step.Notes {
		if n.Type == command.Failure {
			return stanza.NotAcceptable(n.Text)
		}
	}
	return nil
}

// registerSet takes a filled-in form, data form or plain fields.
func (c *Commands) registerSet(ctx context.Context, from jid.JID, x *stanza.Element) error {
	who := from.Bare()
	step, err := c.beginRegistration(ctx, who)
	if err != nil {
		return err
	}
	given := &form.Form{Kind: form.Submit}
	if e := x.Child(form.NS, "x"); e != nil {
		if given, err = form.Parse(e); err != nil {
			return stanza.BadRequest("The form cannot be read.")
		}
		if given.Kind == form.Cancel {
			c.dialogues.dropRegistration(who)
			return nil
		}
	} else {
		for _, f := range plainFields(step.Form) {
			if v := x.ChildText(convert.NSRegister, f.plain); v != "" {
				given.Set(f.name, v)
			}
		}
	}
	if step.Form != nil {
		if given, err = step.Form.Accept(given); err != nil {
			return registerError(err)
		}
	}
	next, err := step.Then(ctx, given)
	if err != nil {
		return registerError(err)
	}
	c.dialogues.takeRegistration(who)
	if next.Then == nil {
		return failureOf(next)
	}
	return c.goOnByMessage(ctx, from, next)
}

func registerError(err error) error {
	var wrong *form.FieldError
	if errors.As(err, &wrong) {
		return wrong.Stanza()
	}
	return err
}

// goOnByMessage asks for the rest of a linking in the chat with the gateway.
func (c *Commands) goOnByMessage(ctx context.Context, from jid.JID, step command.Step) error {
	running, lines, done, err := command.StartChat(ctx, command.Command{
		Node: "link", Name: "Link", Run: func(context.Context, command.Caller) (command.Step, error) { return step, nil },
	}, command.Caller{JID: from, To: c.env.Domain})
	if err != nil || done {
		return err
	}
	if !c.dialogues.adopt(from.Bare(), running, c.env.Now()) {
		running.Cancel()
		return stanza.ResourceConstraint("Please finish what you have begun with the gateway first.")
	}
	for _, text := range c.texts(lines, nil) {
		c.env.Notify(from, text)
	}
	return nil
}

// plainField is a field of the form as a client without data forms shows it.
type plainField struct{ plain, name string }

// plainFields are the fields of XEP-0077 §14.1 that stand for those of the form.
func plainFields(f *form.Form) []plainField {
	if f == nil {
		return nil
	}
	names := []string{"username", "email", "name", "nick", "text"}
	secrets := []string{"password", "key", "misc"}
	var list []plainField
	for _, fd := range f.Fields {
		switch {
		case fd.Var == "" || fd.Var == form.TypeVar || fd.Type == form.Fixed || fd.Type == form.Hidden:
		case fd.Type == form.TextPrivate && len(secrets) > 0:
			list = append(list, plainField{secrets[0], fd.Var})
			secrets = secrets[1:]
		case fd.Type != form.TextPrivate && len(names) > 0:
			list = append(list, plainField{names[0], fd.Var})
			names = names[1:]
		}
	}
	return list
}

// unregister unlinks all accounts of a user (XEP-0077 §3.2).
func (c *Commands) unregister(ctx context.Context, who jid.JID) error {
	list := c.logins.Of(who)
	if len(list) == 0 {
		return stanza.RegistrationRequired("You have no account here.")
	}
	for _, l := range list {
		if err := c.logins.Unlink(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

func (d *dialogues) registration(who jid.JID) *registration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.register[who]
}

func (d *dialogues) setRegistration(who jid.JID, r *registration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.register) >= maxChats {
		return false
	}
	if d.register == nil {
		d.register = map[jid.JID]*registration{}
	}
	if old := d.register[who]; old != nil {
		old.cancel()
	}
	d.register[who] = r
	return true
}

// takeRegistration forgets a registration that goes on elsewhere.
func (d *dialogues) takeRegistration(who jid.JID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.register, who)
}

func (d *dialogues) dropRegistration(who jid.JID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.register[who]; r != nil {
		r.cancel()
		delete(d.register, who)
	}
}

// adopt makes a command under way the chat of its user.
func (d *dialogues) adopt(who jid.JID, running *command.Chat, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.chats[who]; t != nil && (t.busy || t.running != nil) || len(d.chats) >= maxChats {
		return false
	}
	if d.chats == nil {
		d.chats = map[jid.JID]*chat{}
	}
	d.chats[who] = &chat{running: running, used: now}
	return true
}
