package admincommands

import (
	"context"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
)

// fieldDomain is the domain of another server.
const fieldDomain = "domain"

// linkCommands show and close connections with other servers. XEP-0133 has no such commands.
var linkCommands = []declared{
	{"links-list", "Connections with other servers", admin.ControlServer, listLinks, false},
	{"links-statistics", "Numbers of connections with other servers", admin.ControlServer, countLinks, false},
	{"links-close", "Close connections with a server", admin.ControlServer, closeLinks, false},
}

// linkCommand returns a command that is there if the server communicates with others.
func (c *Commands) linkCommand(d declared) command.Command {
	all := c.command(d)
	allowed := all.Allowed
	all.Node = d.node
	all.Allowed = func(ctx context.Context, who command.Caller) bool { return c.service.Links != nil && allowed(ctx, who) }
	return all
}

func listLinks(ctx context.Context, q request) (command.Step, error) {
	list, err := q.Connections(ctx, q.who)
	if err != nil {
		return command.Step{}, err
	}
	if len(list) == 0 {
		return done("There are no connections with other servers.")
	}
	x := form.New(form.Result, "", q.title)
	x.Reported = []form.Field{
		{Var: "theirs", Type: form.JIDSingle, Label: "Their domain"}, {Var: "ours", Type: form.JIDSingle, Label: "Our domain"},
		{Var: "direction", Type: form.TextSingle, Label: "Direction"}, {Var: "state", Type: form.TextSingle, Label: "State"},
	}
	for _, c := range list {
		direction := "out"
		if c.Incoming {
			direction = "in"
		}
		if c.Both {
			direction += " and back"
		}
		x.Items = append(x.Items, []form.Field{
			{Var: "theirs", Values: []string{c.Theirs}}, {Var: "ours", Values: []string{c.Ours}},
			{Var: "direction", Values: []string{direction}}, {Var: "state", Values: []string{linkState(c)}},
		})
	}
	return command.Step{Form: x}, nil
}

func countLinks(ctx context.Context, q request) (command.Step, error) {
	n, err := q.LinkStatistics(ctx, q.who)
	if err != nil {
		return command.Step{}, err
	}
	x := form.New(form.Result, "", q.title)
	for _, one := range []struct {
		name, label string
		n           int64
	}{
		{"domains", "Connected domains", int64(n.Domains)},
		{"in", "Connections of other servers", int64(n.In)},
		{"out", "Connections of this server", int64(n.Out)},
		{"both", "Connections used in both directions", int64(n.Both)},
		{"connecting", "Pairs of domains that are being connected", int64(n.Connecting)},
		{"failing", "Pairs of domains that could not be connected", int64(n.Failing)},
		{"waiting", "Stanzas that wait for a connection", int64(n.Waiting)},
		{"waiting-bytes", "Bytes of these stanzas", n.WaitingBytes},
		{"queued-bytes", "Bytes that other servers have not read or acknowledged", n.QueuedBytes},
		{"resumable", "Streams that were cut and can be resumed", int64(n.Resumable)},
	} {
		x.Add(form.Field{Var: one.name, Type: form.TextSingle, Label: one.label, Values: []string{strconv.FormatInt(one.n, 10)}})
	}
	return command.Step{Form: x}, nil
}

// linkState describes a connection.
func linkState(c admin.Connection) string {
	switch {
	case !c.Since.IsZero():
		return "since " + c.Since.UTC().Format(time.RFC3339)
	case c.Waiting > 0:
		return strconv.Itoa(c.Waiting) + " stanzas wait"
	case c.Failure != "":
		return "failed: " + c.Failure
	}
	return "not in use"
}

func closeLinks(_ context.Context, q request) (command.Step, error) {
	f := form.New(form.Ask, "", q.title)
	f.Instructions = []string{"The next message in either direction makes a new connection. A domain can be blocked by the configuration, or on the list of blocked addresses."}
	f.Add(form.Field{Var: fieldDomain, Type: form.JIDSingle, Label: "The domain of the other server", Required: true})
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		domain, ok := answers.JID(fieldDomain)
		if !ok || domain != domain.Host() || domain == (jid.JID{}) {
			return command.Step{}, &form.FieldError{Var: fieldDomain, Label: "The domain", Problem: "is not a domain"}
		}
		n, err := q.Disconnect(ctx, q.who, domain.String())
		switch {
		case err != nil:
			return command.Step{}, err
		case n == 1:
			return done("One connection is closed.")
		}
		return done(strconv.Itoa(n) + " connections are closed.")
	}), nil
}
