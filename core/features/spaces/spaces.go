package spaces

import (
	"context"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Nodes is the engine of the service.
type Nodes interface {
	Handle(ctx context.Context, r *pubsub.Request) (string, error)
	Spaces(ctx context.Context, service, who jid.JID) ([]pubsub.Space, error)
	// Waiting lists the nodes of an owner with subscriptions that wait for a decision; owns is false if there is no node of theirs.
	// SendPending sends the owner the requests of one node, and returns how many they are.
	Waiting(ctx context.Context, service, owner jid.JID) (list []string, owns bool, err error)
	SendPending(ctx context.Context, r *pubsub.Request, node string) (int, error)
}

// Rooms are the rooms of this server.
type Rooms interface {
	// EnterSpace makes a room say that it is in a space. It returns false if who is not an owner of the room, or the room is elsewhere.
	EnterSpace(ctx context.Context, who, room jid.JID, space string) (bool, error)
	// LeaveSpace ends that.
	LeaveSpace(ctx context.Context, who, room jid.JID, space string) (bool, error)
}

// Options are the parameters of New.
type Options struct {
	Nodes     Nodes
	Route     func(*stanza.Stanza)
	MayCreate func(who jid.JID) bool // whether an address, without its resource, may create nodes
	Local     func(who jid.JID) bool // whether it is an account of this server: others use no commands
}

// Spaces are the commands of one service.
type Spaces struct {
	Options
	rooms    Rooms // nil: there are none
	commands *command.Engine
}

// New returns the commands.
func New(o Options) *Spaces {
	s := &Spaces{Options: o, commands: command.NewEngine(command.Limits{}, nil)}
	for _, c := range []command.Command{
		{Node: "create-space", Name: "Create a space", Desc: "A space holds rooms together.", Run: s.create, Allowed: s.creates},
		{Node: "rename-space", Name: "Rename a space", Run: s.chosen("Rename a space", owned, s.rename), Allowed: s.offers(owned)},
		{Node: "delete-space", Name: "Delete a space", Run: s.chosen("Delete a space", owned, s.remove), Allowed: s.offers(owned)},
		{Node: "add-room", Name: "Add a room to a space", Run: s.chosen("Add a room to a space", writable, s.addRoom), Allowed: s.offers(writable)},
		{Node: "remove-room", Name: "Remove a room from a space", Run: s.chosen("Remove a room from a space", writable, s.removeRoom), Allowed: s.offers(writable)},
		{Node: "join-space", Name: "Join a space", Run: s.chosen("Join a space", notJoined, s.join), Allowed: s.offers(notJoined)},
		{Node: "leave-space", Name: "Leave a space", Run: s.chosen("Leave a space", joined, s.leave), Allowed: s.offers(joined)},
		{Node: "space-members", Name: "Members of a space", Run: s.chosen("Members of a space", owned, s.members), Allowed: s.offers(owned)},
		{Node: pubsub.NS + "#get-pending", Name: "Requests for subscriptions", Desc: "Sends the requests that wait for your decision.", Run: s.pending, Allowed: s.decides},
	} {
		s.commands.Add(c)
	}
	return s
}

// SetRooms sets the rooms of this server. It is called before the service is used.
func (s *Spaces) SetRooms(r Rooms) { s.rooms = r }

// Forget ends the commands that an account has begun, since the account is being deleted.
func (s *Spaces) Forget(account jid.JID) { s.commands.Forget(account) }

// Feature declares the feature of the service's domain.
func (s *Spaces) Feature() router.Feature {
	return router.Feature{
		Name: "spaces",
		HostIQ: map[string]router.IQHandler{command.NS: func(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
			return s.commands.Handle(ctx, q.Stanza)
		}},
		HostDisco: router.Disco{Source: s.commands},
	}
}

// The kinds of spaces that commands are for.
func owned(p *pubsub.Space) bool     { return p.Affiliation == pubsub.Owner }
func writable(p *pubsub.Space) bool  { return p.MayPublish() }
func joined(p *pubsub.Space) bool    { return p.State != pubsub.NotSubscribed }
func notJoined(p *pubsub.Space) bool { return p.State == pubsub.NotSubscribed }

// creates reports whether an account may create spaces.
func (s *Spaces) creates(_ context.Context, who command.Caller) bool {
	return s.Local(who.JID.Bare()) && s.MayCreate(who.JID.Bare())
}

// list returns the spaces of a kind that somebody may know of.
func (s *Spaces) list(ctx context.Context, who command.Caller, kind func(*pubsub.Space) bool) ([]pubsub.Space, error) {
	all, err := s.Nodes.Spaces(ctx, who.To.Bare(), who.JID)
	var list []pubsub.Space
	for i := range all {
		if kind(&all[i]) {
			list = append(list, all[i])
		}
	}
	return list, err
}

// offers returns whether a command is offered: if there is a space of that kind.
func (s *Spaces) offers(kind func(*pubsub.Space) bool) func(context.Context, command.Caller) bool {
	return func(ctx context.Context, who command.Caller) bool {
		if !s.Local(who.JID.Bare()) {
			return false
		}
		list, err := s.list(ctx, who, kind)
		return err == nil && len(list) > 0
	}
}

// maxChoices is how many spaces are offered for choice.
const maxChoices = 1000

// chosen returns a command that asks for one of the spaces of a kind, and continues with then.
func (s *Spaces) chosen(title string, kind func(*pubsub.Space) bool, then func(context.Context, target) (command.Step, error)) func(context.Context, command.Caller) (command.Step, error) {
	return func(ctx context.Context, who command.Caller) (command.Step, error) {
		list, err := s.list(ctx, who, kind)
		if err != nil {
			return command.Step{}, err
		}
		options := make([]form.Option, 0, len(list))
		for i := range list[:min(len(list), maxChoices)] {
			options = append(options, form.Option{Label: list[i].Name(), Value: list[i].Node})
		}
		f := form.New(form.Ask, "", title)
		f.Add(form.Field{Var: "space", Type: form.ListSingle, Label: "Space", Required: true, Options: options})
		return command.Step{Form: f, Then: func(ctx context.Context, answers *form.Form) (command.Step, error) {
			list, err := s.list(ctx, who, kind) // it may have changed
			if err != nil {
				return command.Step{}, err
			}
			for _, p := range list {
				if p.Node == answers.Get("space") {
					return then(ctx, target{who, p})
				}
			}
			return command.Step{}, stanza.ItemNotFound("There is no such space any longer.")
		}}, nil
	}
}

// target is the space that a command is for, and who has called it.
type target struct {
	who   command.Caller
	space pubsub.Space
}

// uri is the address of the space.
func (t *target) uri() string { return pubsub.NodeURI(t.who.To.Bare(), t.space.Node) }
