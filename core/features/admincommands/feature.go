package admincommands

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the type of the forms, and begins the nodes of the commands.
const NS = "http://jabber.org/protocol/admin"

// Commands are the commands of one host.
type Commands struct{ service *admin.Service }

// New returns the feature.
func New(s *admin.Service) *Commands { return &Commands{s} }

// Feature declares the feature.
func (c *Commands) Feature() router.Feature {
	var list []command.Command
	for _, family := range [][]declared{accountCommands, queryCommands(), listCommands, textCommands, controlCommands} {
		for _, d := range family {
			list = append(list, c.command(d))
		}
	}
	for _, d := range roomCommands {
		list = append(list, c.roomCommand(d))
	}
	for _, d := range linkCommands {
		list = append(list, c.linkCommand(d))
	}
	list = append(list, c.componentCommand())
	return router.Feature{
		Name: "admincommands", HostDisco: router.Disco{Commands: list},
		Stages: []router.Stage{{Name: "server lists", Position: router.Refuse, Outbound: c.sent, Inbound: c.received, Skip: c.skips}},
		Specs:  []spec.Spec{{Number: "0133", Title: "Service Administration", Version: "1.3.1", State: spec.Complete, Note: "Server. All commands; passwords are not readable."}},
	}
}

// declared is a command of XEP-0133.
type declared struct {
	node, name string // the node without its beginning
	right      admin.Right
	run        func(ctx context.Context, q request) (command.Step, error)
	hidden     bool
}

// request is the beginning of a command.
type request struct {
	*admin.Service
	who   admin.Actor
	title string
}

// command returns an ad-hoc command. Its right is checked when it is listed and at each step, and by the use case itself.
func (c *Commands) command(d declared) command.Command {
	return command.Command{
		Node: NS + "#" + d.node, Name: d.name, Hidden: d.hidden,
		Allowed: func(_ context.Context, who command.Caller) bool { return c.service.Rights.Role(who.JID).May(d.right) },
		Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
			step, err := d.run(ctx, request{c.service, c.service.Actor(who.JID), d.name})
			return step, Condition(err)
		},
	}
}

// form returns an empty form for the command.
func (q request) form(instructions string) *form.Form {
	f := form.New(form.Ask, NS, q.title)
	f.Instructions = []string{instructions}
	return f
}

// ask returns the only step with input of a command.
func (q request) ask(f *form.Form, then func(ctx context.Context, answers *form.Form) (command.Step, error)) command.Step {
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		step, err := then(ctx, answers)
		return step, Condition(err)
	})
}

// done is a last step.
func done(text string) (command.Step, error) { return command.Done(text), nil }

// Labels of conditions: who is told is an administrator, who may know which accounts there are.
var conditions = []struct {
	is  error
	say func(text string) *stanza.Error
	why string
}{
	{admin.ErrForbidden, stanza.Forbidden, "Your role does not allow this."}, // XEP-0133 §5
	{admin.ErrNotServed, stanza.NotAllowed, "This is not an account of this server."},
	{admin.ErrNoAccount, stanza.ItemNotFound, "There is no such account."},
	{admin.ErrExists, stanza.Conflict, "There is such an account already."}, // XEP-0133 §5
	{admin.ErrBeingRemoved, stanza.Conflict, "The old account of that name is still being deleted. Try again in a moment."},
	{admin.ErrPassword, stanza.NotAcceptable, "This password cannot be used."},
	{admin.ErrForeign, stanza.NotAllowed, "This account's password is kept elsewhere and cannot be changed here."},
	{admin.ErrConfigured, stanza.NotAllowed, "The configuration of the server makes this address an administrator."},
	{admin.ErrNoRoom, stanza.ItemNotFound, "There is no such room."},
	{admin.ErrOwnAddress, stanza.NotAcceptable, "Addresses of this server cannot be on this list."},
}

// Condition turns an error of a use case into one for the requester.
func Condition(err error) error {
	prefix := ""
	if of, ok := errors.AsType[*admin.AccountError](err); ok {
		prefix = of.Account.String() + ": "
	}
	for _, c := range conditions {
		if errors.Is(err, c.is) {
			return c.say(prefix + c.why)
		}
	}
	return err
}

// sent refuses stanzas to an address with which the host does not communicate.
func (c *Commands) sent(_ context.Context, p *router.Pass) error {
	if p.Stanza.To.IsZero() || c.service.Communicates(p.Stanza.To) {
		return nil
	}
	if p.Stanza.Type == stanza.TypeError || p.Stanza.Type == stanza.TypeResult { // RFC 6120 §8.3.1: these are never answered
		return router.ErrStop
	}
	refusal := stanza.NotAllowed("this server does not communicate with that address")
	if p.Session == nil { // somebody else sends in the account's name, and gets the error
		return refusal
	}
	p.Deliver(p.Session, p.Stanza.ErrorReply(refusal)) // directly: received would drop a stanza from that address
	return router.ErrStop
}

// received drops what comes from such an address. Requests and messages are answered as by an account that does not exist.
// skips implements router.Stage.Skip.
func (c *Commands) skips(st *stanza.Stanza) bool { return c.service.Communicates(st.From) }

func (c *Commands) received(_ context.Context, p *router.Pass) error {
	st := p.Stanza
	if c.service.Communicates(st.From) {
		return nil
	}
	if st.Kind == stanza.Presence || st.Kind == stanza.IQ && !st.IsRequest() || st.Type == stanza.TypeError {
		return router.ErrStop
	}
	return stanza.ServiceUnavailable("")
}

// Arrived sends who comes online the texts of the host. It is a presence.Arrival.
func (c *Commands) Arrived(ctx context.Context, p *router.Pass) error {
	return c.service.Arrived(ctx, p.Session.JID())
}
